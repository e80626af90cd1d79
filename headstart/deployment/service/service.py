"""A served model with what answers requests to it: one of them in each worker process."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any

import numpy as np

from headstart.deployment.service.batcher import Batcher
from headstart.deployment.service.handover import Handover
from headstart.deployment.service.inputs import key_of
from headstart.deployment.service.limits import Limits
from headstart.deployment.service.metrics import Metrics
from headstart.deployment.service.observer import Observer
from headstart.deployment.service.refusal import too_large
from headstart.deployment.service.served import Answer, Served
from headstart.deployment.service.training_examples import NEAREST_INPUTS
from headstart.deployment.service.work_sharing import WorkSharing

__all__ = ["Service"]


class Service:
    """served     the model
    observer   told the features of each batch
    sharing    with other workers; None: there are none, or it answers alone
    ready      whether requests are to be sent here: not before it was tried, and not while it ends
    """

    def __init__(
        self,
        served: Served,
        limits: Limits,
        metrics: Metrics,
        observer: Observer | None = None,
        sharing: WorkSharing | None = None,
    ) -> None:
        self.served, self.limits, self.metrics = served, limits, metrics
        self._observer = observer
        self.ready = True
        metrics.model.labels(served.fingerprint).set(1)
        key = key_of if served.model.modality.has_columns else None
        self._handover = Handover()
        self._sharing = sharing if key is None else None
        how: dict[str, Any] = {} if self._sharing is None else {"load": self._sharing.load}
        how["single"] = served.allow_single_inputs()
        self._batcher = Batcher(self._calculate, limits, served.together, metrics.batch, key, **how)

    async def ask(self, items: Sequence[Any]) -> list[Answer]:
        """The answers to these inputs, in their order. Raises QueueFull, DataError."""
        future = self._batcher.ask(items)
        if self._sharing is not None:
            self._sharing.offer()
        self.metrics.queue.set(self._batcher.waiting)
        return await self._handover.result(future)

    async def nearest(self, answers: Sequence[Answer], count: int) -> list[Any] | None:
        """Of each answer the training rows that are most like its input, see `Served.nearest`; None where none were
        asked for or none are there. Raises Refusal for too many inputs."""
        if not count or self.served.examples is None:
            return None
        if len(answers) > NEAREST_INPUTS:
            raise too_large(f"{len(answers):,} inputs with nearest rows", str(NEAREST_INPUTS))
        return await asyncio.to_thread(self.served.nearest, answers, count)

    async def share(self) -> None:
        """Begin to answer what waits in other workers, and to let them have what waits here. Raises OSError where that
        cannot be; the service answers alone then."""
        if self._sharing is not None:
            await self._sharing.start(self._batcher)

    async def share_no_more(self) -> None:
        """Answer what was taken from others, and take nothing more."""
        if self._sharing is not None:
            await self._sharing.stop()

    def stop(self) -> None:
        """Answer what waits; then no more."""
        self._batcher.stop()
        if self._observer is not None:
            self._observer.stop()

    def _calculate(self, items: Sequence[Any]) -> list[Answer]:
        answers = self.served.answers(items)
        self._count(answers)
        if self._observer is not None:
            told = [(answer.features, answer.values) for answer in answers if answer.features is not None]
            if told:
                try:
                    self._observer(*(np.stack(part) for part in zip(*told, strict=True)))
                except Exception:  # what watches the service does not stop it
                    self.metrics.observer_errors.inc()
        self.metrics.queue.set(self._batcher.waiting)
        return answers

    def _count(self, answers: Sequence[Answer]) -> None:
        outcomes = {
            "answered": sum(answer.values is not None for answer in answers),
            "unreadable": sum(answer.values is None for answer in answers),
            "outlier": sum(bool(answer.outlier) for answer in answers),
        }
        for outcome, count in outcomes.items():
            if count:
                self.metrics.inputs_of(outcome).inc(count)
