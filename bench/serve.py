"""The service against a bare batched forward pass: throughput at saturation, and latency under half of that load.

    OMP_NUM_THREADS=1 python bench/serve.py [--model FOLDER] [--workers N] [--rounds 3] [--requests 400] [--clients 64]

Pictures, one a request. Bare is the model's own engine in one process, on as many threads as there are workers, without
HTTP, head, or anything else of a service: from the bytes of the files, as many at a time as the service answers
together, each thread decoding and running its own, which is the work that a request brings; and, stricter, on pixels
that were prepared before. Rounds of all of them follow each other, so that a busy machine slows all. Saturation needs
more clients than the workers answer together (16 each), for else a worker waits for its clients between batches.

Ratios: of throughput by the clock, where the clients want the same cores as the service; and of processor seconds an
input, of the workers and of the bare loop, where the clients, whose seconds are printed, do not count, and which other
programs disturb less. Each is held against the goal. And the 99th percentile of an open loop (Poisson arrivals at half
of the throughput) over the time of a single request with the bound on waiting.
"""

from __future__ import annotations

import asyncio
import gc
import os
import random
import statistics
import time
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from tempfile import TemporaryDirectory
from threading import Event
from typing import Any

import numpy as np
from material import jpegs
from serve_client import Connection, Service, memory, post, service
from timing import bare, load_average, option

from headstart.deployment.service.served import load_served
from headstart.features.engines import processor
from headstart.features.engines.engine import Choice, Engine
from headstart.features.engines.select import build
from headstart.features.lanes import run_lanes
from headstart.preprocessing.decode import decode
from headstart.preprocessing.prepare import prepare
from headstart.transfer import Transfer

ROUNDS, REQUESTS = int(option("--rounds", "3")), int(option("--requests", "400"))
CLIENTS, WAIT = int(option("--clients", "64")), 0.005
WORKERS = int(option("--workers", str(processor.cores())))
GOAL = 0.85


def model_of(folder: Path, files: list[Path]) -> Path:
    """EfficientNet-Lite0 and a head of two classes; how well it answers is of no account here."""
    labels = ["even" if row % 2 else "odd" for row in range(40)]
    fitted = Transfer("bundled:efficientnet-lite0", engine=option("--engine", "auto"))  # type: ignore[arg-type]
    return fitted.fit([str(file) for file in files[:40]], labels).save(folder / "model")


def round_of(work: Callable[[], object], inputs: int) -> tuple[float, float]:
    """Inputs a second, and processor seconds an input."""
    wall, cpu = time.perf_counter(), time.process_time()
    work()
    return inputs / (time.perf_counter() - wall), (time.process_time() - cpu) / inputs


def prepared(bodies: list[bytes], form: object) -> np.ndarray:
    """The pixels of files, by as many threads as there are workers."""
    with ThreadPoolExecutor(WORKERS) as pool:
        return np.stack(list(pool.map(lambda body: prepare(decode(body, draft=True), form), bodies)))  # type: ignore[arg-type]


def from_bytes(engine: Engine, bodies: list[bytes], form: Any, together: int) -> None:
    """Files decoded, prepared and run, `together` at a time in each of as many threads as there are workers."""
    starts = range(0, len(bodies), together)

    def lane(numbers: Iterator[int], _: Event) -> None:
        run = engine.lane()
        for number in numbers:
            some = [prepare(decode(body, draft=True), form) for body in bodies[starts[number] :][:together]]
            some += [np.zeros_like(some[0])] * (-len(some) % engine.batch)
            for at in range(0, len(some), engine.batch):
                run(np.stack(some[at : at + engine.batch]))

    run_lanes(lane, len(starts), WORKERS, lambda: None)


async def closed(at: Service, requests: list[bytes], clients: int) -> list[float]:
    """Each client asks again when it is answered; the seconds of each request."""
    left, took = iter(requests), []

    async def client() -> None:
        connection = Connection(at.host, at.port)
        for request in left:
            began = time.perf_counter()
            if (status := await connection.ask(request)) != 200:
                raise SystemExit(f"status {status}")
            took.append(time.perf_counter() - began)
        await connection.close()

    await asyncio.gather(*[client() for _ in range(clients)])
    return took


async def opened(at: Service, requests: list[bytes], rate: float) -> list[float]:
    """Requests come at random moments, `rate` a second, whether or not others are answered, from as many clients as at
    saturation, each of which asks seldom: the next is of the one that has not asked for longest."""
    draw, took, tasks = random.Random(0), [], []  # noqa: S311 - when the next comes
    idle = deque(Connection(at.host, at.port) for _ in range(CLIENTS))

    async def one(request: bytes) -> None:
        began = time.perf_counter()
        connection = idle.popleft() if idle else Connection(at.host, at.port)
        await connection.ask(request)
        took.append(time.perf_counter() - began)
        idle.append(connection)

    moment = time.perf_counter()
    for request in requests:
        moment += draw.expovariate(rate)
        await asyncio.sleep(max(0.0, moment - time.perf_counter()))
        tasks.append(asyncio.create_task(one(request)))
    await asyncio.gather(*tasks)
    return took


def main() -> None:
    with TemporaryDirectory() as place:
        folder = Path(place)
        files = sorted(jpegs(folder / "pictures", 64).rglob("*.jpg"))
        model = Path(option("--model", "")) if option("--model", "") else model_of(folder, files)
        served = load_served(model, device="cpu")
        backbone, used = served.model.backbone, served.model.engine
        assert backbone is not None
        assert backbone.preprocess is not None
        engine = build(Choice(used["name"], used["precision"], "cpu", ""), backbone, WORKERS)
        bodies = [file.read_bytes() for file in files]
        asked = [bodies[row % len(bodies)] for row in range(REQUESTS)]
        pixels = prepared(asked, backbone.preprocess)
        requests = [post("/predict", body, "image/jpeg") for body in asked]
        together = served.together or engine.batch
        print(f"{used['name']} {used['precision']}, batches of {engine.batch}, {together} requests answered together")
        load_average()
        gc.freeze()  # a collection here, .15 s of a client that asks nothing, is none of the service
        with service(model, "--workers", WORKERS) as at:
            rates = saturated(
                at,
                requests,
                {
                    "bare from the bytes of the files": lambda: from_bytes(
                        engine, asked, backbone.preprocess, together
                    ),
                    "bare forward of prepared pixels": lambda: bare(engine, pixels),
                },
            )
            half_load(at, requests, 0.5 * statistics.median(rates))


def saturated(at: Service, requests: list[bytes], works: dict[str, Callable[[], object]]) -> list[float]:
    """Requests a second of each round; prints what share that is of each of the works."""
    asyncio.run(closed(at, requests[: 64 * WORKERS], CLIENTS))
    rates: list[float] = []
    ratios: dict[str, list[tuple[float, float]]] = {name: [] for name in works}
    for _ in range(ROUNDS):
        alone = {name: round_of(work, len(requests)) for name, work in works.items()}
        cpu, wall, clients = at.seconds(), time.perf_counter(), time.process_time()
        asyncio.run(closed(at, requests, CLIENTS))
        served_rate = len(requests) / (time.perf_counter() - wall)
        served_own = (at.seconds() - cpu) / len(requests)
        client_own = (time.process_time() - clients) / len(requests)
        rates.append(served_rate)
        for name, (rate, own) in alone.items():
            ratios[name].append((served_rate / rate, own / served_own))
            print(f"  {name} {rate:.1f} a second, {1000 * own:.1f} ms of a processor")
        own = f"{1000 * served_own:.1f} ms of the workers, {1000 * client_own:.1f} ms of the clients"
        print(f"  served {served_rate:.1f} a second, {own}; load {os.getloadavg()[0]:.0f}", flush=True)
    for name, pairs in ratios.items():
        wall, processor_ = (statistics.median(column) for column in zip(*pairs, strict=True))
        for ratio, how in ((wall, "by the clock"), (processor_, "by processor seconds")):
            verdict = "reaches" if ratio >= GOAL else "does not reach"
            print(f"throughput at saturation / {name}, {how}: {ratio:.2f}, {verdict} {GOAL}")
    return rates


def half_load(at: Service, requests: list[bytes], rate: float) -> None:
    single = statistics.median(asyncio.run(closed(at, requests[:60], 1)))
    took = sorted(asyncio.run(opened(at, requests, rate)))
    p50, p99 = (took[int(share * (len(took) - 1))] for share in (0.5, 0.99))
    print(f"a single request {1000 * single:.1f} ms; at half load p50 {1000 * p50:.1f} ms, p99 {1000 * p99:.1f} ms")
    print(
        f"p99 / time of a single request: {p99 / single:.2f}; / (that + bound on waiting): {p99 / (single + WAIT):.2f}"
    )
    each = [memory([pid]) for pid in at.workers()]
    print(f"memory: supervisor {memory([at.process.pid]):.0f} MB, workers {', '.join(f'{m:.0f}' for m in each)} MB")


if __name__ == "__main__":
    main()
