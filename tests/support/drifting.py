"""Rows of overlapping clouds, shifted or not, and what a model makes of them."""

from __future__ import annotations

import numpy as np
import pandas as pd

from headstart.data.read import read
from headstart.data.roles import Roles
from headstart.deployment.monitoring.drift import Sums
from headstart.deployment.monitoring.drift_log import DriftLog, Logged
from headstart.listener import SILENT
from headstart.methods.answers import answer, features
from headstart.transfer import Transfer

__all__ = ["clouds", "served", "window", "write_windows"]


def clouds(rows: int, seed: int, *, shift: float = 0.0) -> tuple[pd.DataFrame, np.ndarray]:
    """Rows of three classes, and their labels."""
    rng = np.random.default_rng(seed)
    codes = rng.integers(0, 3, rows)
    columns = 1.6 * np.eye(3, 4)[codes] + rng.normal(size=(rows, 4)) + shift
    return pd.DataFrame(columns, columns=list("abcd")), np.array(["oak", "elm", "ash"])[codes]


def served(model: Transfer, rows: pd.DataFrame) -> tuple[np.ndarray, np.ndarray]:
    """The features and the predictions that a service gives to an observer."""
    task = read(rows, roles=Roles(modality="table"), need_target=False, columns=model.model_.columns, to_answer=True)
    looked = model.look(task, listener=SILENT)
    return np.asarray(features(model.model_, looked)), np.asarray(answer(model.model_, looked))


def window(rows: int = 100, *, model: str = "m", ended: str = "2026-01-01T00:00:00+00:00") -> Logged:
    """A window of so many rows."""
    sums = Sums(rows=rows, features=np.linspace(-1, 1, 8), strange=2, decided=np.array([rows - 3, 3]))
    return Logged("2026-01-01T00:00:00+00:00", ended, model, sums)


def write_windows(path: str, rows: int, count: int) -> None:
    """As a worker does."""
    log = DriftLog(path, largest=10_000)
    for _ in range(count):
        log.write(window(rows))
