"""`mlflow:URI` or `tensorboard:DIR`: the words that say where a fit is written down."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from headstart.messages import without_password
from headstart.tracking.run import Run

__all__ = ["Destination", "destination_of"]


def _mlflow(where: str) -> Run:
    from headstart.tracking.mlflow_run import MlflowRun

    return MlflowRun.begin(where)


def _tensorboard(where: str) -> Run:
    from headstart.tracking.tensorboard_run import TensorboardRun

    return TensorboardRun.begin(where)


SERVICES: dict[str, Callable[[str], Run]] = {"mlflow": _mlflow, "tensorboard": _tensorboard}


class Destination(NamedTuple):
    """A service of `SERVICES`, and the URI or the folder in which it keeps its runs. As a text without a password."""

    service: str
    where: str

    def __str__(self) -> str:
        return f"{self.service}:{without_password(self.where)}"

    @property
    def remote(self) -> bool:
        """Whether it lies on another machine, or at least behind a server."""
        return "://" in self.where and not self.where.startswith(("file:", "sqlite:"))

    def begin(self) -> Run:
        """A run that is open. ImportError names the extra; OSError and ValueError where it cannot be begun."""
        return SERVICES[self.service](self.where)


def destination_of(words: str) -> Destination:
    """What `--track` says. Raises ValueError for another service, or where nothing stands behind the colon."""
    service, _, where = words.partition(":")
    if service not in SERVICES or not where:
        raise ValueError(
            f"{words!r} says no place to track to: expected mlflow:URI, such as mlflow:sqlite:///runs.db or "
            "mlflow:http://HOST:5000, or tensorboard:DIR"
        )
    return Destination(service, where)
