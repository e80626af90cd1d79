"""A source task and a target task in one study: every way on the same held-out target rows, and the guard."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from functools import cached_property
from typing import Any, NamedTuple, cast

import numpy as np

from headstart.adapting import Learnt, learn
from headstart.align.way import Way
from headstart.artefact import Model
from headstart.backbones.backbone import Backbone
from headstart.chosen import Chosen
from headstart.data.task import Array, Columns
from headstart.errors import DataError
from headstart.evidence.evidence import Evidence, of_answers
from headstart.evidence.held import Held
from headstart.evidence.plain import plain
from headstart.evidence.verdict import signed, spread, verdict
from headstart.fitting import Plan, stored
from headstart.ground import Ground, Origin
from headstart.guard import choose
from headstart.heads.head import Head
from headstart.listener import Listener
from headstart.methods import method, wayfaring
from headstart.seen import Seen
from headstart.stopwatch import Stopwatch
from headstart.trials import Trials, plan_trials

__all__ = ["Bridge", "Tasks"]

_FEWEST = 2
_PLAIN = ("source-only", "target-only", "pooled")
_SAID = {
    True: {"helps": "adaptation helps", "hurts": "adaptation hurts", "cannot tell": "cannot tell whether it helps"},
    False: {"helps": "better", "hurts": "worse", "cannot tell": "cannot tell which is better"},
}
_UNTESTED = (
    "No target row has a label, so that nothing could be tested on the target: the scores are those of source rows "
    "that were held out, and say how well the source is learnt. How well the target is answered is not known."
)


class Tasks(NamedTuple):
    """What the backbone has seen of both.

    target   its rows whose answers are known, among them all that are tested
    bare     its other rows, which only steps between the two learn from; None where there are none
    notes    in words, what was left out to bring the two together
    """

    source: Seen
    target: Seen
    bare: Seen | None = None
    notes: tuple[str, ...] = ()


class _Fitted(NamedTuple):
    """A head for features as the backbone gives them, the ground it was learnt on, and which way it came."""

    head: Head
    on: Ground
    learnt: Learnt
    chosen: Chosen

    def answers(self, seen: Seen) -> Array:
        encoder = self.on.encoder
        return self.head.predict(
            np.asarray(seen.values) if encoder is None else encoder.transform(cast(Any, seen.task.inputs))
        )


class Bridge:
    """Two tasks and the trials on target rows.

    labels   whether answers of target rows that are learnt from may be used; those of tested rows never are
    """

    def __init__(self, tasks: Tasks, backbone: Backbone | None, plan: Plan, *, labels: bool, watch: Stopwatch) -> None:
        shared = {*tasks.target.keys, *(tasks.bare.keys if tasks.bare is not None else ())}
        source = tasks.source
        self.source = source.take(np.array([row for row, key in enumerate(source.keys) if key not in shared], np.int64))
        self.copies = len(source) - len(self.source)
        if len(self.source) < _FEWEST:
            raise DataError(
                f"{self.copies} of {len(source)} source rows are in the target too: nothing else to draw on"
            )
        self.target, self.bare, self.notes = tasks.target, tasks.bare, tasks.notes
        self.backbone, self.plan, self.labels, self.watch = backbone, plan, labels, watch
        self.origin = Origin(self.source, plan.seed, plan.weights(self.source.task.classes))

    @cached_property
    def trials(self) -> Trials:
        return plan_trials(self.target, self.plan.seed, repeats=1, taught=True)

    def run(self, listener: Listener) -> tuple[Model, Evidence]:
        """The model of the plan's way, tested beside those that do not adapt."""
        if not len(self.target):
            return self._untested(listener)
        listener.say(f"fitting: {self.plan.method}, tested by {self.trials.words}")
        made: list[_Fitted] = []
        ways: list[Chosen] = []
        rivals = [
            name
            for name in _PLAIN
            if name != self.plan.method and (self.labels or not cast(Way, method(name).way).target)
        ]

        def contenders(train: Array, test: Array) -> Array:
            on, tested = self._ground(train), self.target.take(test)
            with self.watch("head"):
                made[:] = [self._fitted(self.plan.method, on)]  # one at a time: each holds features of both tasks
                ways.append(made[0].chosen)
                answers = [made[0].answers(tested)]
            with self.watch("baselines"):
                answers += [self._fitted(name, on).answers(tested) for name in rivals]
            return np.stack(answers, axis=1)

        said = self.trials.answers(contenders)
        kept = made.pop()
        if not self.trials.held_out:
            with self.watch("head"):
                kept = self._fitted(self.plan.method, self._ground(np.arange(len(self.target))))
        with self.watch("evidence"):
            others = {name: said[:, :, place] for place, name in enumerate(rivals, start=1)}
            evidence = self._evidence(kept, said[:, :, 0], others)
        notes = (*self._notes(kept, evidence, ways), *evidence.notes)
        return self._model(kept), replace(evidence, notes=notes, seconds=self.watch.seconds())

    def _untested(self, listener: Listener) -> tuple[Model, Evidence]:
        """Where no target row has a label: what source rows say that were held out."""
        listener.say(f"fitting: {self.plan.method}; no target row has a label, so that none can be tested")
        with self.watch("head"):
            kept = self._fitted(self.plan.method, self._ground(np.arange(0)))
            source = kept.learnt.source
            if source is None:
                raise DataError(
                    f"method {self.plan.method!r} and no labelled target row: nothing can be tested; label some"
                )
        with self.watch("evidence"):
            held = Held.of(self.source.task)._replace(group=self.source.blocks)
            evidence = replace(
                of_answers(held, source[None], {}, seed=self.plan.seed),
                n_train=len(self.source),
                protocol="cross-validation on source rows; no target row was tested",
                about=self._about(kept),
            )
        notes = (_UNTESTED, *self._notes(kept, evidence, [kept.chosen]))
        return self._model(kept), replace(evidence, notes=notes, seconds=self.watch.seconds())

    def _ground(self, rows: Array) -> Ground:
        """With the target rows of these numbers, and all bare ones."""
        seen = self.target.take(rows)
        with self.watch("head"):
            return self.origin.ground(seen, seen.task.targets if self.labels else None, self.bare)

    def _fitted(self, name: str, on: Ground) -> _Fitted:
        """The way of this name on this ground."""
        way = cast(Way, wayfaring(name, dict(self.plan.options) if name == self.plan.method else {}))
        chosen = choose(on) if way.guarded else Chosen(name, way)
        learnt = learn(on, chosen.way, chosen.base)
        return _Fitted(replace(learnt.head, form=on.form), on, learnt, chosen)

    def _evidence(self, kept: _Fitted, predictions: Array, rivals: dict[str, Array]) -> Evidence:
        tested = self.target.take(self.trials.tested)
        held = Held.of(tested.task)._replace(group=tested.blocks)
        return replace(
            of_answers(held, predictions, rivals, seed=self.plan.seed),
            n_train=round(np.mean([len(trial.train) for trial in self.trials.trials])),
            protocol=self.trials.words,
            about=self._about(kept),
        )

    def _about(self, kept: _Fitted) -> dict[str, Any]:
        aside = self.target.task.set_aside
        return {
            "backbone": None if self.backbone is None else self.backbone.name,
            "method": kept.chosen.name,
            "base": kept.chosen.base,
            "asked": self.plan.method,
            "source_rows": len(self.source),
            "source_set_aside": [item._asdict() for item in self.source.task.set_aside],
            "target_labels": "all" if self.labels else "none",
            "target_rows_without_label": 0 if self.bare is None else len(self.bare),
            "guard": kept.chosen.why,
            "step": plain(kept.learnt.moved.facts),
            "head": {"name": kept.head.name, "temperature": kept.head.temperature} | kept.head.config,
            "engine": self.target.engine,
            "n_set_aside": len(aside),
            "set_aside": [item._asdict() for item in aside],
        }

    def _notes(self, kept: _Fitted, evidence: Evidence, ways: list[Chosen]) -> Iterator[str]:
        if kept.chosen.why:
            yield f"{kept.chosen.name} ({kept.chosen.base}): {kept.chosen.why}."
        taken = Counter(f"{chosen.name} ({chosen.base})" for chosen in ways)
        if len(taken) > 1:
            yield "In the trials: " + ", ".join(f"{name} {count} times" for name, count in taken.most_common()) + "."
        for over, gain in evidence.assessment.gains.items():
            said = _SAID[kept.chosen.way.align is not None][verdict(gain.interval)]
            yield f"Over {over}: {gain.metric} {signed(gain.value)} {spread(gain.interval)}: {said}."
        used = "are learnt from too" if self.labels else "are not looked at, but for the test"
        if self.copies:
            yield f"{self.copies:,} source rows are in the target too, and were left out of the source."
        if lost := len(self.source.task.set_aside):
            yield f"{lost:,} source rows cannot be used, and were set aside."
        yield f"Learnt from {len(self.source):,} source rows; answers of target rows {used}."
        if self.bare is not None:
            yield f"{len(self.bare):,} target rows have no label: only a step between the two tasks looks at them."
        yield from self.notes
        yield from self.target.task.notes

    def _model(self, kept: _Fitted) -> Model:
        task, encoder = self.target.task, kept.on.encoder
        columns = task.columns if self.source.task.columns is None else self._columns(task.columns)
        return Model(
            modality=task.modality,
            kind=task.kind,
            classes=cast(Any, self.source.task.classes),
            columns=columns,
            backbone=self.backbone,
            encoder=None if encoder is None else encoder.state(),
            head=kept.head,
            method=kept.chosen.name,
            options={
                "class_weight": stored(self.plan.class_weight),
                "seed": self.plan.seed,
                "method": dict(self.plan.options),
            },
            engine=self.target.engine,
        )

    def _columns(self, columns: Columns | None) -> Columns | None:
        """Those of the target; what it does not name, as the source has it."""
        theirs = self.source.task.columns
        if columns is None or theirs is None or columns.target is not None:
            return columns
        return columns._replace(target=theirs.target)
