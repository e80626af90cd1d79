"""What Prometheus is told of drift: the last window of the worker that was asked last."""

from __future__ import annotations

import os

from prometheus_client import CollectorRegistry, Gauge

from headstart.deployment.monitoring.drift import WINDOW, Question, WindowDrift
from headstart.deployment.monitoring.drift_log import DriftLog
from headstart.deployment.monitoring.drift_observer import DriftObserver
from headstart.deployment.service.metrics import Metrics
from headstart.errors import DataError
from headstart.transfer import Transfer

__all__ = ["DriftGauges", "watching"]


class DriftGauges:
    """Gauges in a registry; called with what a window says. NaN where a question has no answer."""

    def __init__(self, registry: CollectorRegistry) -> None:
        def gauge(name: str, words: str) -> Gauge:
            return Gauge(f"headstart_drift_{name}", words, registry=registry, multiprocess_mode="livemostrecent")

        self._rows = gauge("rows", "Rows in the window that is compared with the training rows")
        self._p = gauge("p", "Least probability of the questions times their number")
        self._questions = [
            (
                gauge(name, words),
                gauge(f"{name}_p", f"Probability of as much from rows like the training: {words}"),
            )
            for name, words in (
                ("mmd", "Unbiased MMD^2 of served features and those of training rows"),
                ("out_of_distribution", "Share of served rows far from all training rows"),
                ("class_shares", "Distance of the shares of answered classes from those of held-out rows"),
            )
        ]

    def __call__(self, window: WindowDrift) -> None:
        self._rows.set(window.rows)
        self._p.set(window.p)
        for (value, p), question in zip(self._questions, (window.mmd, window.strange, window.shares), strict=True):
            told = Question(float("nan"), float("nan")) if question is None else question
            value.set(told.value)
            p.set(told.p)


def watching(
    fitted: Transfer, metrics: Metrics, *, log: str | os.PathLike[str] | None = None, window: int = WINDOW
) -> DriftObserver | None:
    """Who compares what a worker serves, tells the metrics, and logs; None where the model stores nothing for that."""
    try:
        return DriftObserver(
            fitted.model_,
            window=window,
            log=None if log is None else DriftLog(log),
            tell=DriftGauges(metrics.registry),
        )
    except DataError:
        if log is None:
            return None
        raise
