"""What Prometheus is told, summed over the worker processes: requests, inputs, batches, waiting, and the model."""

from __future__ import annotations

import os
from typing import Any, TypeVar

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.multiprocess import MultiProcessCollector

__all__ = ["FOLDER", "Metrics"]

FOLDER = "PROMETHEUS_MULTIPROC_DIR"
"""The variable of the environment that names the folder in which the workers of one service keep their numbers."""

Parent = TypeVar("Parent", Counter, Histogram)

_SECONDS = (0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 30)
_SIZES = (1, 2, 4, 8, 16, 32, 64, 128)


class Metrics:
    """registry   where other parts of the service add numbers of their own"""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self._children: dict[tuple[object, ...], Any] = {}
        own = self.registry
        self.requests = Counter("headstart_requests", "Requests, by path and status", ["path", "status"], registry=own)
        self.inputs = Counter("headstart_inputs", "Inputs: answered, unreadable, outlier", ["outcome"], registry=own)
        self.observer_errors = Counter("headstart_observer_errors", "Batches that an observer failed on", registry=own)
        self.seconds = Histogram(
            "headstart_request_seconds",
            "From the head of a request to its answer",
            ["path"],
            buckets=_SECONDS,
            registry=own,
        )
        self.batch_size = Histogram("headstart_batch_inputs", "Inputs of a batch", buckets=_SIZES, registry=own)
        self.batch_seconds = Histogram("headstart_batch_seconds", "Time of a batch", buckets=_SECONDS, registry=own)
        self.waited = Histogram(
            "headstart_waiting_seconds", "How long the oldest input of a batch waited", buckets=_SECONDS, registry=own
        )
        self.queue = Gauge("headstart_queue", "Requests that wait", multiprocess_mode="livesum", registry=own)
        self.model = Gauge(
            "headstart_model", "Workers that serve a model", ["fingerprint"], multiprocess_mode="livesum", registry=own
        )

    def inputs_of(self, outcome: str) -> Counter:
        """Inputs of one outcome."""
        return self._child(self.inputs, outcome)

    def request(self, path: str, status: int, took: float) -> None:
        """One request, of a path of the service or "other"; took in seconds."""
        self._child(self.requests, path, str(status)).inc()
        self._child(self.seconds, path).observe(took)

    def _child(self, parent: Parent, *labels: str) -> Parent:
        """`parent.labels(*labels)`, which is looked up once."""
        key = (id(parent), *labels)
        if key not in self._children:
            self._children[key] = parent.labels(*labels)
        child: Parent = self._children[key]
        return child

    def batch(self, size: int, waited: float, took: float) -> None:
        """One batch; times in seconds."""
        self.batch_size.observe(size)
        self.waited.observe(waited)
        self.batch_seconds.observe(took)

    def page(self) -> bytes:
        """All of it as text, of all workers where there are several."""
        if FOLDER not in os.environ:
            return generate_latest(self.registry)
        everything = CollectorRegistry()
        MultiProcessCollector(everything)  # type: ignore[no-untyped-call]
        return generate_latest(everything)
