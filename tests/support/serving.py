"""Saved models of each modality, small and fitted once; and services in processes of their own."""

from __future__ import annotations

import asyncio
import io
import os
import re
import select
import signal
import subprocess
import sys
import wave
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import NamedTuple

import httpx
import numpy as np
import pandas as pd
from PIL import Image
from small import RESNET, bright
from tones import tone

from headstart.deployment.service.app import app_of
from headstart.deployment.service.limits import Limits
from headstart.deployment.service.metrics import Metrics
from headstart.deployment.service.served import Served, load_served
from headstart.deployment.service.service import Service
from headstart.transfer import Transfer

__all__ = ["Running", "asking", "loaded", "models", "png", "running", "wav"]

LIMIT = 120.0
"""Seconds after which a service that says nothing is taken for dead."""


def png(row: int, size: int = 40) -> bytes:
    """A picture of the class row % 3, as a file."""
    file = io.BytesIO()
    bright(row, size).save(file, "PNG")
    return file.getvalue()


def jpeg(row: int, size: int = 48) -> bytes:
    """The same as a JPEG file."""
    file = io.BytesIO()
    bright(row, size).save(file, "JPEG")
    return file.getvalue()


def wav(pitch: float, seed: int = 0) -> bytes:
    """A tone of half a second as a file."""
    file = io.BytesIO()
    with wave.open(file, "wb") as recording:
        recording.setnchannels(1)
        recording.setsampwidth(2)
        recording.setframerate(16_000)
        recording.writeframes((32_000 * tone(pitch, 0.5, seed=seed)).astype("<i2").tobytes())
    return file.getvalue()


def pictures(folder: Path, *, seed: int = 0, classes: str = "rgb") -> Path:
    """A model of three classes of bright channels, saved."""
    inputs = [Image.open(io.BytesIO(png(row))) for row in range(60)]
    labels = [classes[row % 3] for row in range(60)]
    return Transfer(RESNET, engine="torch", cache=False, seed=seed).fit(inputs, labels).save(folder)


def texts(folder: Path) -> Path:
    """Good and bad words, by real token vectors."""
    words = {"good": "great fine lovely excellent superb nice", "bad": "awful poor terrible broken nasty useless"}
    rows = [(f"it was {word} and {other}", label) for label, some in words.items() for word in some.split() for other in
            some.split() if word != other]  # fmt: skip
    inputs, labels = zip(*rows, strict=True)
    return Transfer("bundled:wordllama", cache=False).fit(list(inputs), list(labels)).save(folder)


def sounds(folder: Path) -> Path:
    """Low and high tones, by a network of random weights."""
    waves = [tone(200.0 * (1 + row % 2), 0.5, seed=row) for row in range(40)]
    model = Transfer("cbhg:16", sample_rate=16_000, engine="torch", cache=False)
    return model.fit(waves, ["low", "high"] * 20).save(folder)


def table(folder: Path) -> Path:
    """Two columns of numbers and one of words."""
    rng = np.random.default_rng(0)
    frame = pd.DataFrame({"age": rng.normal(40, 9, 90), "height": rng.normal(size=90), "city": ["Rome", "Oslo"] * 45})
    labels = np.where(frame["age"] + 5 * (frame["city"] == "Oslo") > 42, "old", "young")
    return Transfer(cache=False).fit(frame, labels).save(folder)


def numbers(folder: Path) -> Path:
    """A regression on three columns without names."""
    x = np.random.default_rng(0).normal(size=(80, 3))
    return Transfer(kind="regression", cache=False).fit(x, x @ [1.0, -2.0, 0.5]).save(folder)


def models(folder: Path) -> dict[str, Path]:
    """One of each, by modality."""
    made = {"image": pictures, "text": texts, "table": table, "array": numbers}
    return {name: make(folder / name) for name, make in made.items()}


@cache
def loaded(folder: Path) -> Served:
    """The model in a folder that no test changes, read once."""
    return load_served(folder, device="cpu")


@contextmanager
def asking(served: Served | Path, limits: Limits | None = None, **options: object) -> Iterator[httpx.AsyncClient]:
    """A client of the application in this process."""
    own = loaded(served) if isinstance(served, Path) else served
    service = Service(own, limits or Limits(), Metrics())
    app = app_of(service, **options)
    try:
        yield httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://served")
    finally:
        service.stop()


class Running(NamedTuple):
    """A service: its process, its address, and the workers it has."""

    process: subprocess.Popen[str]
    address: str

    def workers(self) -> list[int]:
        """The process ids of the workers that live."""
        children = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text().split()
        return [int(child) for child in children]

    def says(self, words: str) -> str:
        """Wait for a line on standard error that matches; an AssertionError where the service ends before."""
        assert self.process.stderr is not None
        lines = []
        while True:
            ready, _, _ = select.select([self.process.stderr], [], [], LIMIT)
            line = self.process.stderr.readline() if ready else ""
            assert line, f"the service said {lines} and nothing of {words!r}"
            lines.append(line)
            if re.search(words, line):
                return line


def command(*words: object) -> subprocess.Popen[str]:
    """`headstart serve` with these words, unbuffered on standard error."""
    return subprocess.Popen(
        [sys.executable, "-m", "headstart", "serve", *map(str, words)],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        bufsize=1,
        env=os.environ | {"OMP_NUM_THREADS": "1"},
    )


@contextmanager
def running(model: Path, *words: object) -> Iterator[Running]:
    """A service on a free port; ended with the block, however that ends."""
    process = command(model, "--port", 0, *words)
    try:
        line = Running(process, "").says(r" at http://")
        yield Running(process, re.search(r"http://\S+:\d+", line)[0])
    finally:
        if process.poll() is None:
            process.send_signal(signal.SIGTERM)
        try:
            process.wait(LIMIT)
        finally:
            process.kill()
            process.wait()
            assert process.stderr is not None
            process.stderr.close()


def labels(reply: httpx.Response) -> Sequence[object]:
    """The labels of an answer."""
    return [row["label"] for row in reply.json()["predictions"]]


def ask(model, *requests, limits=None, **options):
    """The replies to some POST /predict, all at once, each given by the options of httpx."""

    async def everything(client):
        async with client:
            return await asyncio.gather(
                *[client.request(**{"method": "POST", "url": "/predict"} | r) for r in requests]
            )

    with asking(model, limits, **options) as client:
        return asyncio.run(everything(client))


def get(model, *paths, **options):
    return ask(model, *[{"method": "GET", "url": path} for path in paths], **options)


def probabilities(reply):
    assert reply.status_code == 200, reply.text
    return np.array([list(row["probabilities"].values()) for row in reply.json()["predictions"]])
