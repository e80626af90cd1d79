"""A source task and a target task in one study: every way on the same held-out target rows, and the guard."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial
from typing import Any, NamedTuple, cast

import numpy as np

from headstart.adapting import fit_way, ground
from headstart.align.way import Way
from headstart.artefact import Model
from headstart.backbones.backbone import Backbone
from headstart.backbones.tables import TableEncoder
from headstart.batches import PLAIN
from headstart.data.task import Array, Columns
from headstart.deep import adapt, answers, needs_weights, unlabelled
from headstart.errors import DataError
from headstart.evidence.evidence import Evidence, of_answers
from headstart.evidence.held import Held
from headstart.evidence.verdict import signed, spread, verdict
from headstart.features.extract import Extraction
from headstart.fitting import Plan
from headstart.guard import Chosen, choose
from headstart.heads.head import Head
from headstart.listener import LOGGED, Listener
from headstart.methods import adapts, method, wayfaring
from headstart.seen import Seen
from headstart.stopwatch import Stopwatch
from headstart.trials import Trials
from headstart.tuned import Tuned

__all__ = ["Bridge"]

_FEWEST = 2
_PLAIN = ("source-only", "target-only", "pooled")
_SAID = {
    True: {"helps": "adaptation helps", "hurts": "adaptation hurts", "cannot tell": "cannot tell whether it helps"},
    False: {"helps": "better", "hurts": "worse", "cannot tell": "cannot tell which is better"},
}


class _Fitted(NamedTuple):
    """A head, which way it came, what turns its columns into features, and the backbone that moved, if one did."""

    head: Head
    chosen: Chosen
    encoder: TableEncoder | None = None
    moved: Tuned | None = None

    @property
    def adapted(self) -> bool:
        return self.moved is not None or self.chosen.way.align is not None


class Bridge:
    """Two tasks that a backbone has seen, and the trials on target rows.

    labels   whether answers of target rows that are learnt from may be used; those of tested rows never are
    """

    def __init__(
        self, source: Seen, target: Seen, backbone: Backbone | None, plan: Plan, trials: Trials, *, labels: bool
    ) -> None:
        shared = set(target.keys)
        self.source = source.take(np.array([row for row, key in enumerate(source.keys) if key not in shared], np.int64))
        self.copies = len(source) - len(self.source)
        if len(self.source) < _FEWEST:
            raise DataError(
                f"{self.copies} of {len(source)} source rows are in the target too: nothing else to draw on"
            )
        self.target, self.backbone = target, backbone
        self.plan, self.trials, self.labels = plan, trials, labels
        self.watch = Stopwatch()
        self.ways = Counter[str]()
        self.how = (PLAIN, cast(Listener, LOGGED))
        needs_weights(plan.method, backbone, target.task.modality)

    def run(self, listener: Listener, extraction: Extraction = PLAIN) -> tuple[Model, Evidence]:
        """The model of the plan's way, tested beside those that do not adapt.

        extraction   how weights that move are trained, and rows looked at again
        """
        name = self.plan.method
        self.how = (extraction, listener)
        listener.say(f"fitting: {name}, tested by {self.trials.words}")
        made: list[_Fitted] = []
        with self.watch("head"):
            predictions = self.trials.answers(partial(self._contender, name, made.append))
        rivals = {}
        with self.watch("baselines"):
            for other in _PLAIN:
                if other != name and (self.labels or not method(other).way.target):  # type: ignore[union-attr]
                    rivals[other] = self.trials.answers(partial(self._contender, other, lambda fitted: None))
            kept = made[0] if self.trials.held_out else self._fitted(name, np.arange(len(self.target)))
        with self.watch("evidence"):
            evidence = self._evidence(kept, predictions, rivals)
        self.ways = Counter(fitted.chosen.name for fitted in made)
        evidence = replace(evidence, notes=(*self._notes(kept, evidence), *evidence.notes))
        return self._model(kept), replace(evidence, seconds=self.watch.seconds())

    def _contender(self, name: str, made: Callable[[_Fitted], object], train: Array, test: Array) -> Array:
        fitted = self._fitted(name, train)
        made(fitted)
        return self._answers(fitted, self.target.take(test))

    def _answers(self, fitted: _Fitted, seen: Seen) -> Array:
        if fitted.moved is not None and self.backbone is not None:
            return answers(fitted.moved, seen, self.backbone, self.how[0])
        encoder = fitted.encoder
        return fitted.head.predict(
            np.asarray(seen.values) if encoder is None else encoder.transform(cast(Any, seen.task.inputs))
        )

    def _fitted(self, name: str, rows: Array) -> _Fitted:
        """The way of this name, with the target rows that it may look at."""
        seen = self.target.take(rows)
        if adapts(name) and self.backbone is not None:
            tuned = adapt(self.source, seen if self.labels else unlabelled(seen), self.backbone, self.plan, self.how)
            return _Fitted(tuned.head, Chosen(name, Way()), moved=tuned)
        known = np.asarray(seen.task.targets) if self.labels else None
        on = ground(self.source, seen, known, seed=self.plan.seed)
        way = cast(Way, wayfaring(name, dict(self.plan.options) if name == self.plan.method else {}))
        chosen = choose(on) if way.guarded else Chosen(name, way)
        return _Fitted(fit_way(on, chosen.way), chosen, on.encoder)

    def _evidence(self, kept: _Fitted, predictions: Array, rivals: dict[str, Array]) -> Evidence:
        tested = self.target.take(self.trials.tested)
        held = Held.of(tested.task)._replace(group=tested.blocks)
        return replace(
            of_answers(held, predictions, rivals, seed=self.plan.seed),
            n_train=round(np.mean([len(trial.train) for trial in self.trials.trials])),
            protocol=self.trials.words,
            about={
                "backbone": None if self.backbone is None else self.backbone.name,
                "method": kept.chosen.name,
                "asked": self.plan.method,
                "source_rows": len(self.source),
                "target_labels": "all" if self.labels else "none",
                "guard": kept.chosen.why,
                "head": {"name": kept.head.name, "temperature": kept.head.temperature} | kept.head.config,
                "engine": self.target.engine,
                "n_set_aside": len(self.target.task.set_aside),
                "set_aside": [item._asdict() for item in self.target.task.set_aside],
            },
        )

    def _notes(self, kept: _Fitted, evidence: Evidence) -> Iterator[str]:
        if kept.chosen.why:
            yield f"{kept.chosen.name}: {kept.chosen.why}."
        if len(self.ways) > 1:
            yield (
                "In the trials: " + ", ".join(f"{name} {count} times" for name, count in self.ways.most_common()) + "."
            )
        for over, gain in evidence.assessment.gains.items():
            said = _SAID[kept.adapted][verdict(gain.interval)]
            yield f"Over {over}: {gain.metric} {signed(gain.value)} {spread(gain.interval)}: {said}."
        used = "are learnt from too" if self.labels else "are not looked at, but for the test"
        if self.copies:
            yield f"{self.copies:,} source rows are in the target too, and were left out of the source."
        yield f"Learnt from {len(self.source):,} source rows; answers of target rows {used}."
        yield from self.target.task.notes
        if kept.moved is not None:
            yield from kept.moved.notes

    def _model(self, kept: _Fitted) -> Model:
        task, encoder = self.target.task, kept.encoder
        columns = task.columns if self.source.task.columns is None else self._columns(task.columns)
        return Model(
            modality=task.modality,
            kind=task.kind,
            classes=cast(Any, self.source.task.classes),
            columns=columns,
            backbone=self.backbone if kept.moved is None else kept.moved.backbone,
            encoder=None if encoder is None else encoder.state(),
            head=kept.head,
            method=kept.chosen.name,
            options={"class_weight": None, "seed": self.plan.seed, "method": dict(self.plan.options)},
            engine=self.target.engine,
        )

    def _columns(self, columns: Columns | None) -> Columns | None:
        """Those of the target; what it does not name, as the source has it."""
        theirs = self.source.task.columns
        if columns is None or theirs is None or columns.target is not None:
            return columns
        return columns._replace(target=theirs.target)
