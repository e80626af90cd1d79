"""Rows that move weights: from a task and a backbone to a head on a backbone that has moved."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from typing import Any, ClassVar, NamedTuple, Self, cast

import torch

from headstart.adaptation.choice import ChosenStrategy
from headstart.adaptation.strategy import Strategy
from headstart.backbones.backbone import Backbone
from headstart.errors import TrainingError
from headstart.features.extract import Extraction
from headstart.features.feature_set import FeatureSet
from headstart.finetuning.stage import Tune
from headstart.heads.facts import TrainingFacts
from headstart.heads.head import ClassWeight, Head
from headstart.heads.module import HeadModule
from headstart.losses.supervised import Supervised
from headstart.methods.journals import journals, place_of
from headstart.methods.method import (
    AdaptationFacts,
    Data,
    Fitted,
    HeldAnswers,
    Option,
    Source,
    options_of,
    refuse_unknown,
    require_backbone,
    typed,
)
from headstart.methods.moved import moved_backbone
from headstart.methods.plan import Plan
from headstart.methods.probe import counted
from headstart.methods.teaching import Teaching
from headstart.tasks.goal import Aim
from headstart.tasks.task import Array, Kind
from headstart.training.batches import PLAIN
from headstart.training.device import settle
from headstart.training.holdout import FEWEST, Holdout, divided, divided_target
from headstart.training.job import Job, Rows, Start
from headstart.training.loop import Trained, train
from headstart.training.optimizers import named
from headstart.training.options import Training
from headstart.training.recipe import Tuning
from headstart.training.telling import SILENT, Telling

__all__ = ["FineTune", "Tuned", "tune"]

_EPOCHS = {"probe": 6, "zero": 15}
"""Of each stage, by how the head begins; a schedule that begins where the probe ends has less to do."""

_SETTLED = frozenset({"scratch", "soup", "seed"})
"""Fields that are no options: they make a row what it is, or are an option of every method."""

_NO_BETTER = "validation shows training to make it worse: the probe's head and the source's weights stay"

_BY_TARGET = {
    False: "each stage ends with its last weights, unless labelled target rows show earlier ones to be better",
    True: "each stage is trained on all rows for as many epochs as labelled target rows found best before",
}


class Tuned(NamedTuple):
    """The moved backbone, the head that belongs to it, what happened in words, and what the first training says of the
    rows that it held out, None where it held out none."""

    backbone: Backbone
    head: Head
    notes: tuple[str, ...]
    held_out: HeldAnswers | None = None


class _Pass(NamedTuple):
    """One training: what it began with, whose network is trained now, and what it told."""

    start: Start
    done: Trained


@dataclass(frozen=True)
class FineTune:
    """Weights move: which and when (`tune`), by which loss, trained how.

    training   None until the row is configured
    """

    about: str
    tune: Tune
    loss: Supervised = field(default_factory=Supervised)
    training: Training | None = None
    moves_weights: ClassVar[bool] = True
    reuses: ClassVar[bool] = True

    @property
    def needs_source(self) -> bool:
        """Whether the loss compares a source with a target."""
        return self.loss.needs == "target"

    @property
    def needs_tasks(self) -> bool:
        """Whether the loss weighs several tasks."""
        return self.loss.needs == "tasks"

    @property
    def needs_teacher(self) -> bool:
        """Whether the loss learns from a teacher."""
        return self.loss.needs == "teacher"

    @property
    def tuning(self) -> Tuning:
        """What the training takes. ValueError where the row is not configured."""
        if self.training is None:
            raise ValueError("a row that moves weights is trained only once it is configured")
        return Tuning(self.tune, self.loss, self.training)

    def options(self) -> dict[str, Option]:
        """The fields of the tune, of the loss and of `Training`."""
        every = options_of(self.tune, self.loss, Training(epochs=_EPOCHS[self.tune.start]))
        return {name: option for name, option in every.items() if name not in _SETTLED}

    def configured(self, name: str, options: Mapping[str, Any], seed: int) -> Self:
        """The row with these options, as `Method.configured`; ValueError also for some that do not go together."""
        declared = self.options()
        for option in options:
            refuse_unknown(name, option, declared)
        values = {option: typed(declared[option], value) for option, value in options.items()}
        training = Training(seed=seed, epochs=_EPOCHS[self.tune.start])
        training, loss, tune = (_take(part, values) for part in (training, self.loss, self.tune))
        if training.hidden and self.tune.start == "probe":
            raise ValueError(
                f"hidden = {training.hidden}: method {name!r} starts from the probe's head, which has no layers"
            )
        if training.mixup and self.needs_source:
            raise ValueError(
                f"mixup = {training.mixup}: method {name!r} compares two tasks, and mixed rows are of both"
            )
        if training.mixup and self.needs_teacher:
            raise ValueError(
                f"mixup = {training.mixup}: method {name!r} learns from a teacher, which is not asked of mixed rows"
            )
        return replace(self, tune=tune, loss=loss, training=named(training))

    def fit(self, plan: Plan, data: Data, source: Source | None = None) -> Fitted:
        """A head on a moved backbone, learnt from the data, and from a source or a teacher where the loss needs one."""
        extraction, listener = data.how
        backbone = require_backbone(self, plan.method, data.backbone, data.rows.task.modality)
        rows = counted(data.rows) if source is None else source.rows
        moved = tune(
            rows,
            backbone,
            plan.method,
            self.tuning,
            target=None if source is None else data.rows if source.labels else _unlabelled(data.rows),
            teaching=data.teaching,
            steps=data.steps,
            class_weight=plan.weights(rows.task.classes),
            aim=plan.aim(rows.task.kind, rows.task.classes) if rows.task.kind.exclusive else None,
            extraction=extraction,
            telling=Telling.to(listener, plan.method),
        )
        facts = None
        if source is not None:
            facts = AdaptationFacts(ChosenStrategy(plan.method, Strategy()), source.pair, moved=True)
        held_out = moved.held_out if source is None else None
        return Fitted(moved.head, moved.backbone, None, moved.notes, facts, held_out=held_out)


def _take(part: Any, options: dict[str, Any]) -> Any:
    """The part with those of the options that are fields of it, which are taken out."""
    names = {item.name for item in fields(part)} & options.keys()
    return replace(part, **{name: options.pop(name) for name in names})


def _unlabelled(rows: FeatureSet) -> FeatureSet:
    """The same rows without their answers."""
    return replace(rows, task=replace(rows.task, targets=None))


def tune(
    feature_set: FeatureSet,
    backbone: Backbone,
    name: str,
    tuning: Tuning,
    *,
    target: FeatureSet | None = None,
    teaching: Teaching | None = None,
    steps: int | None = None,
    class_weight: ClassWeight = None,
    aim: Aim | None = None,
    extraction: Extraction = PLAIN,
    telling: Telling = SILENT,
) -> Tuned:
    """Train on rows of `feature_set`, whose targets must be known, but for a share that says when to stop and sets the
    temperature. Duplicates and groups are on one side. The given backbone stays as it is.

    Up to `refit` rows, the training is then done again on all of them, for as many epochs as were best before.

    target       the rows of another task of the same kind and classes, for a loss that adapts to one. Their targets are
                 codes, -1 where not known, or numbers, NaN where not known, or None; those that are known are learnt
                 from too, and where there are enough a share of them says when to stop, see `divided_target`
    teaching     for a loss that learns from a teacher; its rows without a label are learnt from too, and never held out
    steps        train once, for so many, on all rows: the temperature is then 1
    aim          what answers are decided for; None: the likeliest class
    extraction   where to calculate, and in whose cache a killed run left its journal
    """
    began = time.perf_counter()
    _suits(name, tuning, feature_set.task.kind, target, teaching)
    device, training, notes = settle(tuning.training, extraction, backbone, len(feature_set))
    backbone, tuning = _begun(backbone, tuning._replace(training=training))
    part = divided(feature_set, training) if target is None else divided_target(feature_set, target, training)
    rows = Rows.of(feature_set, target if teaching is None else teaching.bare, class_weight)
    taught = None
    if teaching is not None:
        tuning = tuning._replace(loss=teaching.loss(tuning.loss))
        part, taught = part._replace(bare=rows.behind), teaching.of_job(rows, tuning, extraction)
    if steps is not None:
        part = rows.all(taught is not None)
    job = Job(rows, backbone, class_weight, device, extraction, taught)
    place = place_of(extraction.cache, rows, backbone, name, tuning, taught, device, steps)
    run_journals = journals(place, training)
    start, failed = job.start(tuning, part), []
    first = last = _Pass(start, train(start.network, start.data, *tuning, run_journals[0], telling, steps=steps))
    if len(part.held) and len(rows.targets) - len(part.bare) <= training.refit:
        again = tuning._replace(tune=first.done.tune)
        try:
            start, lengths = job.start(again, rows.all(taught is not None)), first.done.lengths
            last = _Pass(start, train(start.network, start.data, *again, run_journals[1], telling, lengths=lengths))
        except TrainingError as error:
            if error.__cause__ is not None:  # it is the device that failed, not the weights: nothing can go on
                raise
            failed = [f"not trained again on all rows: {error}"]
    outputs = job.outputs(first.start.network, part.held)
    held_out = None if outputs is None else HeldAnswers(part.held, first.start.scale.restored(outputs))
    network = last.start.network.cpu().to(memory_format=torch.contiguous_format)
    facts = _facts(part, first, last, target, time.perf_counter() - began)
    head = last.start.scale.undo(cast(HeadModule, network.head))
    temperature, utility = job.answering(outputs, part.held, aim)
    exported = head.exported(feature_set.task.kind, temperature=temperature, facts=facts).decided_by(utility)
    for journal in run_journals:
        journal.close()
    if tuning.tune.start == "probe" and not any(first.done.lengths):
        notes = (*notes, _NO_BETTER)
    notes = (*notes, *failed, *first.done.notes, *last.done.notes, *(run_journals[0].notes or run_journals[1].notes))
    return Tuned(moved_backbone(network, backbone, name), exported, tuple(dict.fromkeys(notes)), held_out)


def _suits(name: str, tuning: Tuning, kind: Kind, target: FeatureSet | None, teaching: Teaching | None) -> None:
    adapts, learns = tuning.loss.needs == "target", tuning.loss.needs == "teacher"
    if learns and teaching is None:
        raise ValueError(f"method {name!r} learns from a teacher: give a fitted model as teacher, or use 'lp-ft'")
    if teaching is not None and not learns:
        raise ValueError(f"method {name!r} has no use for a teacher: leave it out, or use {name}+distil")
    if adapts and not (target is not None and len(target)):
        raise ValueError(f"method {name!r} adapts to a target task: give rows of one, without labels if there are none")
    if target is not None and not adapts:
        raise ValueError(f"method {name!r} has no use for a target task: leave it out, or use {name}+dann")
    if kind not in tuning.loss.kinds:
        raise ValueError(f"method {name!r} is for {' and '.join(tuning.loss.kinds)}, and this task is a {kind}")


def _facts(part: Holdout, first: _Pass, last: _Pass, target: FeatureSet | None, seconds: float) -> TrainingFacts:
    """What there is to say of the training."""
    held_out, done = part.held, first.done
    return TrainingFacts(
        epochs=len(done.curves),
        parameters=done.parameters,
        rows=(len(part.rows), len(held_out)),
        rule=_rule(held_out, last is not first, target is not None),
        curves=tuple(tuple(row) if len(held_out) else tuple(row[:3]) for row in done.curves),
        target_rows=None if target is None else len(part.target),
        seconds=seconds,
        account=done.account if not len(part.bare) else {**done.account, "rows_without_label": len(part.bare)},
        steps=done.steps,
    )


def _begun(backbone: Backbone, tuning: Tuning) -> tuple[Backbone, Tuning]:
    """What the training begins from: the backbone as it came, or its twin of random weights."""
    if not tuning.tune.scratch:
        return backbone, tuning
    if backbone.random is None:
        raise ValueError(f"{backbone.name} has no weights that could be random")
    training = replace(tuning.training, statistics="batch")  # random weights have no statistics to keep
    return backbone.random(training.seed), tuning._replace(training=training)


def _rule(held_out: Array, again: bool, adapts: bool) -> str:
    if not len(held_out):
        why = f": fewer than {FEWEST} labelled target rows cannot say when the target is learnt" if adapts else ""
        return f"each stage lasts all its epochs{why}"
    if adapts:
        return _BY_TARGET[again]
    if not again:
        return "each stage ends with its last weights, unless validation shows earlier ones to be better"
    return "each stage is trained on all rows for as many epochs as validation found best before"
