"""Agreement of engines: a few made-up inputs on which engines are compared with torch float32, and timed."""

from __future__ import annotations

import time

import numpy as np

from headstart.backbones.backbone import Backbone
from headstart.features.engines.engine import Agreement, Engine, Precision, Rows, Runner
from headstart.linalg.torch_threads import one_torch_thread
from headstart.tasks.task import Array

__all__ = ["LIMITS", "agrees", "compare", "probe", "run", "seconds"]

_LONG = 0.2

LIMITS = {
    "float32": Agreement(cosine=0.99999, centred=0.999, error=1e-3),
    "bfloat16": Agreement(cosine=0.99, centred=0.9, error=0.1),
}
"""How well an engine must agree with torch float32, by its precision."""


def probe(backbone: Backbone) -> tuple[Array, ...]:
    """What a runner takes: a few made-up inputs, see `spec`."""
    if backbone.preprocess is None:
        raise ValueError(f"{backbone.name} has no network to probe: its features are the columns themselves")
    return backbone.preprocess.probe()


def run(engine: Engine, runner: Runner, inputs: tuple[Array, ...]) -> Rows:
    """All rows of a batch that may be smaller or larger than the engine's own. Pictures are padded with black where it
    takes whole batches only."""
    if not engine.fixed or engine.flight:
        return runner(*inputs)
    (pixels,) = inputs
    count = len(pixels)
    padded = np.zeros((-(-count // engine.batch) * engine.batch, *pixels.shape[1:]), pixels.dtype)
    padded[:count] = pixels
    parts = [runner(padded[at : at + engine.batch]) for at in range(0, len(padded), engine.batch)]
    return np.concatenate(parts)[:count]


def compare(reference: Rows, other: Rows) -> Agreement:
    """Both (N, D). NaN anywhere gives NaN, which agrees with nothing."""
    mean = reference.mean(0)
    return Agreement(
        cosine=_least_cosine(reference, other),
        centred=_least_cosine(reference - mean, other - mean),
        error=float(np.abs(other - reference).max() / max(float(np.abs(reference).max()), 1e-30)),
    )


def agrees(agreement: Agreement, precision: Precision) -> bool:
    """Whether it is within `LIMITS`."""
    limit = LIMITS[precision]
    return agreement.cosine >= limit.cosine and agreement.centred >= limit.centred and agreement.error <= limit.error


def seconds(engine: Engine, inputs: tuple[Array, ...]) -> float:
    """For one row of the probe on one thread, as in a lane: the least of three, or one where that takes long."""
    with one_torch_thread():
        return _seconds(engine, inputs)


def _seconds(engine: Engine, inputs: tuple[Array, ...]) -> float:
    runner = engine.lane()
    count = engine.batch if engine.fixed else len(inputs[0])
    full_batch = tuple(np.resize(array, (count, *array.shape[1:])) for array in inputs)
    runner(*full_batch)
    best = float("inf")
    for _ in range(3):
        start = time.perf_counter()
        runner(*full_batch)
        best = min(best, time.perf_counter() - start)
        if best > _LONG:
            break
    return best / count


def _least_cosine(first: Rows, second: Rows) -> float:
    length = np.linalg.norm(first, axis=1) * np.linalg.norm(second, axis=1)
    return float(np.min((first * second).sum(1) / np.maximum(length, 1e-30)))
