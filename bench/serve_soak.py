"""Mixed good and bad requests from many clients for minutes: no error but the asked ones, and memory that stays.

    OMP_NUM_THREADS=1 python bench/serve_soak.py MODEL PICTURE [--seconds 600] [--clients 200] [--workers N] [--kill]

MODEL is a model of pictures. Seven in ten requests are good; the others are half a picture, no picture, a text, rows,
16 GB that are announced, paths that do not exist, and clients that leave in the middle. 429 is a right answer to a good
request. --kill ends a worker by SIGKILL at half time: what it held is lost, and is counted apart.
"""

from __future__ import annotations

import asyncio
import os
import random
import signal
import sys
import time
from collections import Counter
from pathlib import Path

from serve_client import Connection, Service, memory, post, service
from timing import option

from headstart.features.engines import processor

SECONDS, CLIENTS = float(option("--seconds", "600")), int(option("--clients", "200"))
WORKERS = int(option("--workers", str(processor.cores())))


Kind = tuple[str, bytes, tuple[int, ...], int]
"""Of a kind of request its name, bytes, the statuses that are right, and how often it comes."""


def mixture(picture: bytes) -> list[Kind]:
    """The kinds of requests, good and bad."""
    kind = "image/png" if picture.startswith(b"\x89PNG") else "image/jpeg"
    form = (
        b'--b\r\ncontent-disposition: form-data; name="file"; filename="a"\r\n\r\n' + picture + b"\r\n"
    ) * 2 + b"--b--"
    return [
        ("a picture", post("/predict", picture, kind), (200, 429), 50),
        ("two pictures in a form", post("/predict", form, "multipart/form-data; boundary=b"), (200, 429), 15),
        ("a picture and its set", post("/predict?coverage=.9", picture, kind), (200, 429), 5),
        ("half a picture", post("/predict", picture[: len(picture) // 2], kind), (422, 429), 6),
        ("no picture", post("/predict", b"hello", kind), (422, 429), 4),
        ("a text", post("/predict", b'{"texts": ["a"]}', "application/json"), (415,), 4),
        ("broken JSON", post("/predict", b'{"rows": [', "application/json"), (400,), 4),
        ("16 GB announced", post("/predict", b"x" * 1000, kind, length=16 << 30), (413,), 4),
        ("no such path", post("/predikt", b"", kind), (404,), 4),
        ("a client that leaves", post("/predict", picture, kind)[:-50], (), 4),
    ]


async def client(at: Service, kinds: list[Kind], until: float, seed: int, counts: Counter[str]) -> None:
    """Asks, at random, until the time is over; what came of it is counted."""
    draw = random.Random(seed)  # noqa: S311 - which request is next
    connection = Connection(at.host, at.port)
    while time.perf_counter() < until:
        name, request, right, _ = draw.choices(kinds, [often for *_, often in kinds])[0]
        try:
            if not right:
                await connection.send_and_leave(request)
                counts["left"] += 1
                continue
            status = await connection.ask(request)
            counts[f"{status}"] += 1
            if status not in right:
                counts[f"WRONG {name}: {status}"] += 1
            if status == 429:
                await asyncio.sleep(1)
        except (OSError, EOFError) as error:
            counts[f"LOST {name}: {type(error).__name__}"] += 1
            await connection.close()
    await connection.close()


async def run(at: Service, picture: bytes) -> Counter[str]:
    kinds = mixture(picture)
    counts: Counter[str] = Counter()
    began = time.perf_counter()
    until = began + SECONDS
    clients = [asyncio.create_task(client(at, kinds, until, seed, counts)) for seed in range(CLIENTS)]
    killed = "--kill" not in sys.argv
    while time.perf_counter() < until:
        await asyncio.sleep(min(SECONDS / 10, max(0.1, until - time.perf_counter())))
        passed = time.perf_counter() - began
        used = memory([at.process.pid, *at.workers()])
        print(
            f"  {passed:4.0f} s: {used:.0f} MB, {sum(counts.values()):,} requests, load {os.getloadavg()[0]:.0f}",
            flush=True,
        )
        if not killed and passed > SECONDS / 2:
            killed = True
            os.kill(at.workers()[0], signal.SIGKILL)
            print("  a worker was killed", flush=True)
    await asyncio.gather(*clients)
    return counts


def main() -> None:
    model, picture = Path(sys.argv[1]), Path(sys.argv[2]).read_bytes()
    with service(model, "--workers", WORKERS) as at:
        counts = asyncio.run(run(at, picture))
        for name, count in sorted(counts.items()):
            print(f"{count:8,}  {name}")
        wrong = sum(count for name, count in counts.items() if name.startswith(("WRONG", "LOST")))
        print(
            f"{wrong:8,}  errors other than the asked ones, of {sum(counts.values()):,} requests of {CLIENTS} clients"
        )


if __name__ == "__main__":
    main()
