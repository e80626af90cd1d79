"""From two tasks that a backbone has seen to a fitted model of the target, by one way at a time."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, NamedTuple, cast

import numpy as np

from headstart.adapting import Learnt, learn
from headstart.align.way import Way
from headstart.backbones.backbone import Backbone
from headstart.chosen import Chosen
from headstart.data.task import Array
from headstart.deep import adapt, answers, needs_weights, unlabelled
from headstart.errors import DataError
from headstart.features.extract import Extraction
from headstart.fitting import Plan
from headstart.ground import Ground, Origin
from headstart.guard import choose
from headstart.heads.head import Head
from headstart.listener import Listener
from headstart.methods import adapts, wayfaring
from headstart.seen import Seen
from headstart.tuned import Tuned

__all__ = ["Crossed", "Crossing", "Tasks"]

_FEWEST = 2


class Tasks(NamedTuple):
    """What the backbone has seen of both.

    target     the first `labelled` of its rows have answers that are known, and all that are tested are among them;
               the others (-1 or NaN) are only there for what two tasks show of each other
    notes      in words, what was left out to bring the two together
    """

    source: Seen
    target: Seen
    labelled: int
    notes: tuple[str, ...] = ()

    @property
    def bare(self) -> Array:
        """Target rows without an answer, by number."""
        return np.arange(self.labelled, len(self.target))


class Crossed(NamedTuple):
    """A model of the target and which way it came: a head on features that stay, or one on a backbone that moved."""

    chosen: Chosen
    head: Head
    on: Ground
    learnt: Learnt | None = None
    moved: Tuned | None = None

    @property
    def adapted(self) -> bool:
        """Whether more was done than to learn from some of the rows."""
        return self.moved is not None or self.chosen.way.align is not None


class Crossing:
    """How one way after another is fitted.

    copies   source rows that are in the target too, which are left out of the source
    labels   whether answers of target rows may be learnt from
    """

    def __init__(
        self, tasks: Tasks, backbone: Backbone | None, plan: Plan, how: tuple[Extraction, Listener], *, labels: bool
    ) -> None:
        needs_weights(plan.method, backbone, tasks.target.task.modality)
        shared, source = set(tasks.target.keys), tasks.source
        kept = np.array([row for row, key in enumerate(source.keys) if key not in shared], np.int64)
        self.copies = len(source) - len(kept)
        if len(kept) < _FEWEST:
            raise DataError(
                f"{self.copies} of {len(source)} source rows are in the target too: nothing else to draw on"
            )
        self.source, self.target, self.bare = source.take(kept), tasks.target, tasks.bare
        self.backbone, self.plan, self.how, self.labels = backbone, plan, how, labels
        self.origin = Origin(self.source, plan.seed, plan.weights(self.source.task.classes))

    def seen(self, rows: Array) -> Seen:
        """Target rows of these numbers, and all those without an answer."""
        return self.target.take(np.concatenate([rows, self.bare]))

    def ground(self, seen: Seen) -> Ground:
        """The common ground of the source and these target rows."""
        return self.origin.ground(seen, seen.task.targets if self.labels else None)

    def fitted(self, name: str, seen: Seen, on: Ground) -> Crossed:
        """The way of this name, with these target rows and their ground."""
        if adapts(name) and self.backbone is not None:
            moved = adapt(self.source, seen if self.labels else unlabelled(seen), self.backbone, self.plan, self.how)
            return Crossed(Chosen(name, Way()), moved.head, on, moved=moved)
        way = cast(Way, wayfaring(name, dict(self.plan.options) if name == self.plan.method else {}))
        chosen = choose(on) if way.guarded else Chosen(name, way)
        learnt = learn(on, chosen.way, chosen.base)
        return Crossed(chosen, replace(learnt.head, form=on.form), on, learnt)

    def answers(self, made: Crossed, rows: Array) -> Array:
        """Of a model for target rows of these numbers."""
        seen = self.target.take(rows)
        if made.moved is not None and self.backbone is not None:
            return answers(made.moved, seen, self.backbone, self.how[0])
        encoder = made.on.encoder
        return made.head.predict(
            np.asarray(seen.values) if encoder is None else encoder.transform(cast(Any, seen.task.inputs))
        )
