"""The model against what it must beat on the same rows: the majority, no transfer, the same backbone untrained."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from time import perf_counter
from typing import Any

import numpy as np

from headstart.artefact import Model
from headstart.backbones.backbone import Backbone
from headstart.evidence.evidence import Evidence, of_answers
from headstart.evidence.held_out import HeldOut
from headstart.evidence.steps import Cost, steps
from headstart.features.extract import Extraction
from headstart.features.feature_set import FeatureSet, look_again
from headstart.listener import Listener
from headstart.methods.plan import Plan, answer, fit_model, learnt_by
from headstart.study.contenders import contenders_of
from headstart.study.resampling import Contender, Trials
from headstart.study.stopwatch import Stopwatch
from headstart.tasks.task import Array

__all__ = ["Comparison"]


class Comparison:
    """One task that a backbone has seen, the trials to run on it, and how to fit."""

    def __init__(
        self, seen: FeatureSet, backbone: Backbone | None, plan: Plan, trials: Trials, watch: Stopwatch
    ) -> None:
        self.seen = seen
        self.backbone = backbone
        self.plan = plan
        self.trials = trials
        self.watch = watch
        self.costs: dict[str, Cost] = {}

    def run(self, extraction: Extraction, listener: Listener) -> tuple[Model, Evidence]:
        """Fit and test the model and its rivals; the model is the one that was tested, if there was a single split."""
        tuned = self.plan.tuning is not None
        listener.say(f"fitting: {self.plan.method}, tested by {self.trials.words}")
        with self.watch("tuning" if tuned else "head"):
            kept, predictions = self._tested(self.plan, extraction, listener)
        with self.watch("baselines"):
            met = contenders_of(self.seen, self.backbone, self.plan, extraction, listener)
            rivals = {name: self._timed(name, rival) for name, rival in met}
        if tuned:
            with self.watch("baselines"):
                rivals |= self._control(extraction, listener)
            with self.watch("head"):
                probe, rivals["probe"] = self._tested(self.plan.probe, extraction, listener)
        with self.watch("evidence"):
            evidence = self._evidence(kept, predictions, rivals)
            steps = self._steps({self.plan.method: predictions, **rivals}) if tuned else {}
            if tuned and not self.plan.keep_tuned and not evidence.assessment.gains["probe"].low > 0:
                rivals[self.plan.method], predictions = predictions, rivals.pop("probe")
                kept, evidence = probe, self._evidence(probe, predictions, rivals)
                evidence = replace(evidence, notes=(*evidence.notes, self._probe_kept()))
        return kept, replace(evidence, seconds=self.watch.seconds(), about=evidence.about | steps)

    def _tested(self, plan: Plan, extraction: Extraction, listener: Listener) -> tuple[Model, Array]:
        """The model of this plan, and the answers to all tested rows."""
        models: list[Model] = []
        predictions = self._answers(plan, extraction, listener, models.append)
        learnt = max(learnt_by(model) for model in models)
        self.costs[plan.method] = self.costs[plan.method]._replace(parameters=learnt)
        return models[0] if self.trials.held_out else self._fitted(self.seen, plan, extraction, listener), predictions

    def _answers(
        self,
        plan: Plan,
        extraction: Extraction,
        listener: Listener,
        made: Callable[[Model], object] = lambda model: None,
    ) -> Array:
        """The answers to all tested rows; `made` is told of each model on the way."""

        def contender(train: Array, test: Array) -> Array:
            model = self._fitted(self.seen.take(train), plan, extraction, listener)
            made(model)
            return answer(model, self._as_seen_by(model, self.seen.take(test), extraction))

        return self._timed(plan.method, contender)

    def _timed(self, name: str, contender: Contender) -> Array:
        """The answers of a contender to all tested rows; what one of its fits took is noted."""
        began = perf_counter()
        found = self.trials.answers(contender)
        self.costs[name] = Cost((perf_counter() - began) / len(self.trials.trials))
        return found

    def _fitted(self, seen: FeatureSet, plan: Plan, extraction: Extraction, listener: Listener) -> Model:
        return fit_model(seen, self.backbone, plan, extraction=extraction, listener=listener)

    def _control(self, extraction: Extraction, listener: Listener) -> dict[str, Array]:
        """The answers of the same network trained alike from random weights, if it is not that already."""
        if self.plan.method == "scratch" or self.backbone is None or self.backbone.random is None:
            return {}
        learnt: list[int] = []
        found = self._answers(self.plan.scratch, extraction, listener, lambda model: learnt.append(learnt_by(model)))
        self.costs["random-weights"] = self.costs.pop("scratch")._replace(parameters=max(learnt))
        return {"random-weights": found}

    def _steps(self, said: dict[str, Array]) -> dict[str, Any]:
        """What each dearer step bought, for `about`."""
        order = [name for name in ("no-transfer", "direct", "probe", self.plan.method) if name in said]
        pairs = [*zip(order, ["", *order[:-1]], strict=True), ("random-weights", self.plan.method)]
        return {"steps": steps(self._held(), said, self.costs, pairs, self.plan.seed)}

    def _held(self) -> HeldOut:
        tested = self.seen.take(self.trials.tested)
        return HeldOut.of(tested.task)._replace(group=tested.blocks)

    def _as_seen_by(self, model: Model, seen: FeatureSet, extraction: Extraction) -> FeatureSet:
        """The same rows through the backbone of this model, where it has moved."""
        if self.backbone is None or model.backbone is None or model.backbone.fingerprint == self.backbone.fingerprint:
            return seen
        return look_again(seen, model.backbone, extraction)

    def _probe_kept(self) -> str:
        return (
            f"The held-out rows do not show {self.plan.method} to be better than the probe, so the probe is kept "
            "(--keep-tuned keeps the other). They were looked at once more for this choice."
        )

    def _evidence(self, model: Model, predictions: Array, rivals: dict[str, Array]) -> Evidence:
        found = of_answers(self._held(), predictions, rivals, seed=self.plan.seed)
        return replace(
            found,
            n_train=round(np.mean([len(trial.train) for trial in self.trials.trials])),
            protocol=self.trials.words,
            about=found.about | self._about(model),
            notes=(*found.notes, *self._notes(model)),
        )

    def _about(self, model: Model) -> dict[str, Any]:
        return {
            "backbone": None if self.backbone is None else self.backbone.name,
            "method": model.method,
            "head": {"name": model.head.name, "temperature": model.head.temperature} | model.head.config,
            "engine": model.engine,
            "n_set_aside": len(self.seen.task.set_aside),
            "set_aside": [item._asdict() for item in self.seen.task.set_aside],
        }

    def _notes(self, model: Model) -> Iterator[str]:
        if not self.trials.held_out:
            yield (
                "Too few rows for a test split: each figure speaks of models fitted on most of the rows and tested on "
                "the rest; the saved model is fitted on all of them. Its spread between training sets is not shown."
            )
        if self.backbone is None:
            yield "No pretrained backbone was used: the features are the columns; there are no weights to make random."
        yield from self.seen.task.notes
        yield from model.notes
