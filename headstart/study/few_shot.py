"""Learning to learn: meta-train a backbone on episodes of some classes, and test it on classes it has not seen."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any

import numpy as np

from headstart.artefact.backbone_folder import Pretraining, write_backbone
from headstart.backbones.assemble import assemble
from headstart.backbones.backbone import Backbone
from headstart.backbones.load import default, load
from headstart.backbones.small import of_rows
from headstart.checks import at_least
from headstart.data.losses import require_few_lost
from headstart.data.read import read
from headstart.data.roles import Roles
from headstart.data.small_tasks import read_small_tasks, small_tasks_in
from headstart.defaults import with_own_defaults
from headstart.errors import DataError
from headstart.features.cache.cache import Cache
from headstart.features.engines.wish import Device
from headstart.features.extract import Extraction
from headstart.features.feature_set import FeatureSet, look, through_window
from headstart.listener import LOGGED, Listener, Logged
from headstart.meta_learning.comparison import MetaComparison, Plan
from headstart.meta_learning.evidence import FewShotEvidence
from headstart.meta_learning.learner import Learner
from headstart.meta_learning.learners import LEARNERS, learner_named
from headstart.meta_learning.material import Material
from headstart.meta_learning.options import MetaTraining
from headstart.methods.method import options_of, refuse_unknown, typed
from headstart.preprocessing.numbers import NumberPreprocess
from headstart.study.stopwatch import Stopwatch
from headstart.tasks import ARRAY
from headstart.tasks.task import Task
from headstart.transfer import EngineChoice

__all__ = ["FewShot", "few_shot"]

NO_ROLES = Roles()


@dataclass(frozen=True)
class FewShot:
    """A meta-trained backbone and what test episodes said of it.

    rule   the method of `fit` that it was made for
    """

    backbone: Backbone
    learner: str
    options: dict[str, Any]
    rule: str
    evidence: FewShotEvidence

    def save(self, folder: str | Path, *, overwrite: bool = False) -> Path:
        """Write the backbone with its evidence, for `fit --backbone file:FOLDER`; returns the absolute path."""
        facts = self.evidence.to_json()
        made = Pretraining(self.learner, self.options, self.rule, str(self.evidence), facts)
        return write_backbone(self.backbone, made, folder, overwrite=overwrite)


@with_own_defaults
def few_shot(
    data: Any,
    *,
    way: int = 5,
    shot: int | Sequence[int] = (1, 5),
    learner: str = "protonet",
    backbone: str | None = None,
    query: int = 15,
    episodes: int = 600,
    roles: Roles = NO_ROLES,
    kind: str | None = None,
    seed: int = 0,
    engine: EngineChoice = "auto",
    device: Device = "auto",
    cache: bool = True,
    options: Mapping[str, Any] | None = None,
    window: tuple[float, float] | None = None,
    allow_losses: bool = False,
    listener: Listener = LOGGED,
) -> FewShot:
    """Meta-train on some of the classes of a task, and learn from episodes of others whether that helps.

    data      a task with many classes, as `fit` takes it; or many small tasks: a folder of such folders, or a column
              that says which task a row is of (role domain)
    way, shot classes of an episode, and labelled rows of each: one number or several
    learner   a row of `headstart.meta_learning.LEARNERS`
    backbone  where meta-training begins; None: the default of the modality, of tables and arrays (whose columns must be
              numbers) a small network with random weights
    query     rows of each class that a test episode asks, at most
    episodes  test episodes of each shot
    options   of the learner and of its training, by name

    Classes (or small tasks) are divided by content into meta-training, validation and test, none on two sides. Raises
    DataError where there are fewer classes than ways, or fewer rows of them than shots + 1.
    """
    watch = Stopwatch()
    shots = (shot,) if isinstance(shot, int) else tuple(shot)
    for name, value, low in [("way", way, 2), ("query", query, 1), ("episodes", episodes, 2)]:
        at_least(name, value, low)
    for value in shots:
        at_least("shot", value, 1)
    if not shots:
        raise ValueError("shot names no number: expected one or several, such as 1,5")
    chosen, training = _configured(learner, options or {}, seed)
    task = _read(data, roles, kind, listener)
    require_few_lost(task, allow=allow_losses, learnt=True)
    _suits(chosen, learner, task)
    plan = Plan(learner, chosen, training, way, tuple(sorted(set(shots))), query, episodes, seed)
    start = load(backbone or default(task.modality)) if backbone or not task.modality.has_columns else _rows(task, plan)
    settled, task = through_window(start, task, (), window, listener)
    start = settled or start
    extraction = Extraction(engine=engine, device=device, cache=Cache() if cache else None)
    with watch("features"):
        feature_set = look(task, start, extraction, listener)
    require_few_lost(feature_set.task, allow=allow_losses, learnt=True)
    study = MetaComparison(
        _by_content(feature_set), start, plan, replace(extraction, **_same_engine(feature_set)), listener
    )
    with watch("meta-training"):
        trained = study.trained()
    with watch("test episodes"):
        evidence = study.evidence(trained)
    evidence = replace(evidence, seconds=watch.seconds())
    return FewShot(trained.backbone, learner, plan.record(), chosen.rule, evidence)


def _configured(name: str, options: Mapping[str, Any], seed: int) -> tuple[Learner, MetaTraining]:
    """The learner and its training with these options. ValueError for one that neither has, naming the nearest."""
    plain = learner_named(name, {})
    declared = options_of(plain, MetaTraining())
    declared.pop("seed")
    for option in options:
        if option not in declared:
            refuse_unknown(name, option, declared)
    values = {option: typed(declared[option], value) for option, value in options.items()}
    learner_fields = {field.name for field in fields(plain)}
    training = MetaTraining(seed=seed, **{name: value for name, value in values.items() if name not in learner_fields})
    return learner_named(name, {name: value for name, value in values.items() if name in learner_fields}), training


def _read(data: Any, roles: Roles, kind: str | None, listener: Listener) -> Task:
    names = small_tasks_in(str(data)) if isinstance(data, str | Path) else []
    task = read_small_tasks(str(data), names, roles=roles) if names else read(data, roles=roles, kind=kind)
    if task.modality.has_names:  # a network takes numbers
        task = read(data, roles=replace(roles, modality=ARRAY), kind=kind)
    of = f" of {len(task.classes)} classes" if task.classes else ""
    listener.say(f"read {len(task):,} {task.modality.noun}{of}")
    for note in task.notes:
        listener.say(f"  {note}")
    return task


def _rows(task: Task, plan: Plan) -> Backbone:
    """A small network for rows of numbers, with random weights; it measures columns by the rows to meta-train on."""
    feature_set = _by_content(look(task, None, Extraction(), Logged()))
    material = Material(feature_set, way=plan.way, shot=max(plan.shots), trains=plan.learner.trains, seed=plan.seed)
    rows = material.sides.train if len(material.sides.train) else np.arange(len(feature_set))
    return assemble(of_rows(NumberPreprocess.of(np.asarray(feature_set.values)[rows])))


def _suits(learner: Learner, name: str, task: Task) -> None:
    if task.kind not in learner.kinds:
        names = ", ".join(other for other, row in LEARNERS.items() if task.kind in row.kinds) or "none"
        raise ValueError(
            f"learner {name!r} is for {' and '.join(learner.kinds)}, and this task is a {task.kind}; for it: {names}"
        )
    if not task.kind.has_classes and task.domain is None:
        raise DataError(
            "a regression has no classes to make episodes of: name the column that says which small task a row is of "
            "(--task COLUMN)"
        )


def _by_content(feature_set: FeatureSet) -> FeatureSet:
    """The rows in an order that depends on what they hold."""
    return feature_set.take(np.array(sorted(range(len(feature_set)), key=feature_set.keys.__getitem__), np.int64))


def _same_engine(feature_set: FeatureSet) -> dict[str, Any]:
    """By which engine and how precisely the features were computed, for those that are compared with them."""
    engine = feature_set.engine
    return {"engine": engine["name"], "precision": engine["precision"]} if engine else {}
