"""A meta-learner on a task: who is on which side, the meta-training, and test episodes beside its contenders."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, replace
from functools import cached_property, partial
from pathlib import Path
from typing import Any, NamedTuple, cast

import numpy as np
import torch
from blake3 import blake3
from torch import Tensor

from headstart.backbones.backbone import Backbone
from headstart.backbones.fingerprint import fingerprint
from headstart.backbones.randomness import seeded
from headstart.features.cache.cache import RUNS
from headstart.features.extract import Extraction
from headstart.features.feature_set import FeatureSet, look_again
from headstart.listener import Listener
from headstart.meta_learning.contenders import JOINT, RANDOM, SCRATCH, SIMPLE, contenders, is_random
from headstart.meta_learning.episodes import TEST_STREAM, Episode, Sampler, Shape
from headstart.meta_learning.evidence import FewShotEvidence, ShotScores
from headstart.meta_learning.joint import Joint
from headstart.meta_learning.judge import by_features, by_inputs
from headstart.meta_learning.learner import FeatureLearner, Learner, Origin, Standing
from headstart.meta_learning.maml import MAML
from headstart.meta_learning.material import Material
from headstart.meta_learning.options import MetaTraining
from headstart.meta_learning.outer import MetaTrained, meta_train, opened
from headstart.meta_learning.simple_shot import SimpleShot
from headstart.meta_learning.source import Draw, TaskSource
from headstart.network import Network
from headstart.tasks.task import Array
from headstart.training.batches import InputBatches, batches
from headstart.training.checkpoint import Journal
from headstart.training.device import below, settle
from headstart.training.feed import Data, open_feed
from headstart.training.telling import Telling

__all__ = ["MetaComparison", "Plan", "Trained"]

Scorer = Callable[[list[Episode]], list[float]]
"""From episodes to what somebody scores in each."""


@dataclass(frozen=True)
class Plan:
    """What was asked for: the learner by name and with its options, its training, and the shape of episodes."""

    name: str
    learner: Learner
    training: MetaTraining
    way: int
    shots: tuple[int, ...]
    query: int
    episodes: int
    seed: int

    def record(self) -> dict[str, Any]:
        """As JSON, for the folder of the backbone."""
        options = asdict(cast(Any, self.learner)) | (asdict(self.training) if self.learner.trains else {})
        return options | {"way": self.way, "shots": list(self.shots), "query": self.query, "seed": self.seed}

    @property
    def shapes(self) -> list[Shape]:
        return [Shape(self.way, shot, self.query) for shot in self.shots]


class Trained(NamedTuple):
    """The network that was meta-trained, its backbone, and what there is to tell; None where nothing was trained."""

    network: Network
    backbone: Backbone
    history: MetaTrained | None


class MetaComparison:
    """Rows in an order of their content, which the backbone that meta-training begins with has seen."""

    def __init__(
        self, feature_set: FeatureSet, start: Backbone, plan: Plan, extraction: Extraction, listener: Listener
    ) -> None:
        self.seen, self.start, self.plan = feature_set, start, plan
        self.extraction, self.listener = extraction, listener
        self.material = Material(
            feature_set, way=plan.way, shot=max(plan.shots), trains=plan.learner.trains, seed=plan.seed
        )
        lr = plan.training.lr or (1e-3 if is_random(start) else 1e-4)
        stages = 0 if is_random(start) else plan.training.stages
        self.training = replace(plan.training, lr=lr, stages=stages)
        self.device, _, _ = settle(self.training.training, extraction)
        for note in self.material.notes:
            listener.say(f"  {note}")

    def trained(self) -> Trained:
        """The backbone after meta-training, or as it came where the learner trains nothing."""
        return self._trained(self.plan.learner)

    def _trained(self, learner: Learner) -> Trained:
        sides, network = self.material.sides, self._network(learner)
        if not learner.trains:
            return Trained(network, self.start, None)
        pool = np.concatenate([sides.train, sides.validation])
        rows = self.seen.take(pool)
        train, validation = np.arange(len(sides.train)), np.arange(len(sides.train), len(pool))
        inputs = self._inputs(rows)
        stage = opened(network, learner, self.training)
        network.open(stage.train)
        network.eval()
        kind = rows.task.kind
        data = Data(inputs, torch.zeros(len(pool)), torch.ones(len(pool)), kind, train, validation)
        tell = Telling.to(self.listener, self.plan.name)
        journal = Journal(self._place(learner), every=self.training.journal)
        sampler = partial(Sampler, targets=self.material.targets[pool], block=rows.blocks, tasks=self._tasks(pool))
        codes = torch.from_numpy(self.material.codes[pool])
        with open_feed(
            network, data, self.training.training, self.training.epochs, tell.say, whole=learner.moves
        ) as feed:
            drawn = Draw(
                sampler(rows=train, kind=kind),
                sampler(rows=validation, kind=kind) if len(validation) else None,
                validation,
                self.plan.shapes,
                codes,
                kind,
            )
            history = meta_train(network, TaskSource(feed, drawn, self.training), learner, self.training, journal, tell)
        journal.close()
        return Trained(network, self._moved(network), history)

    def evidence(self, trained: Trained) -> FewShotEvidence:
        """What test episodes say; the learner first, then its contenders, on the same episodes."""
        episodes = self._episodes()
        learner, kind = self.plan.learner, self.seen.task.kind
        scores = {shot: {self.plan.name: self._own(trained, learner, some)} for shot, some in episodes.items()}
        notes = list(self.material.notes)
        others = self._without_classes() if not kind.has_classes else self._with_classes(notes)
        for name, score in others:
            for shot, some in episodes.items():
                scores[shot][name] = score(some)
        unit = self.material.unit**2
        shots = tuple(
            ShotScores.of(shot, {name: [score * unit for score in some] for name, some in by_name.items()}, kind)
            for shot, by_name in scores.items()
        )
        return FewShotEvidence(
            learner=self.plan.name,
            backbone=self.start.name,
            trained=trained.history is not None,
            over=next(name for name in (SIMPLE, JOINT, RANDOM, SCRATCH) if name in shots[0].gains),
            kind=kind,
            way=self.plan.way if kind.has_classes else 0,
            query=self.plan.query,
            episodes=self.plan.episodes,
            noun=self.material.noun,
            units=self.material.names,
            shots=shots,
            training=_record(trained.history),
            notes=(*notes, *self._notes(trained)),
        )

    def _with_classes(self, notes: list[str]) -> Iterator[tuple[str, Scorer]]:
        """SimpleShot on features that this meta-training did not make."""
        for contender in contenders(self.seen, self.start, self.extraction, self.plan.seed):
            if contender.name != self.plan.name:
                head = Standing(Origin.of(_tensor(contender.values[self._learnt]), 0, 0))
                values, kind = _tensor(contender.values), self.seen.task.kind
                yield contender.name, partial(by_features, SimpleShot(), head, values, kind=kind)
                notes += [contender.note] if contender.note else []

    def _without_classes(self) -> Iterator[tuple[str, Scorer]]:
        """The same network taught all tasks at once, and taught none, each tuned by steps in an episode."""
        steps = self.plan.learner if isinstance(self.plan.learner, MAML) else MAML()
        joint = Joint(inner_lr=steps.inner_lr, test_steps=steps.test_steps)
        yield JOINT, partial(self._own, self._trained(joint), joint)
        yield SCRATCH, partial(self._own, Trained(self._network(joint), self.start, None), joint)

    @cached_property
    def _learnt(self) -> Array:
        """The rows whose features may be looked at before any episode."""
        sides = self.material.sides
        return sides.train if len(sides.train) else np.concatenate([sides.validation, sides.test])

    def _network(self, learner: Learner) -> Network:
        """The start with what the learner puts on it."""
        sides = self.material.sides
        classes = 1 + int(self.material.codes[sides.train].max(initial=0))
        outputs = self.plan.way if self.seen.task.kind.has_classes else 1
        origin = Origin.of(_tensor(np.asarray(self.seen.values)[self._learnt]), classes, outputs)
        with seeded(self.plan.seed):
            network = Network(self.start, learner.head(origin))
        network.to(self.device).to(memory_format=torch.channels_last)
        return network

    def _inputs(self, rows: FeatureSet) -> InputBatches:
        engine = below(rows.engine, self.extraction)
        return batches(cast("list[Any]", rows.task.inputs), self.start, self.device, engine)

    def _tasks(self, rows: Array) -> Array | None:
        return None if self.material.tasks is None else self.material.tasks[rows]

    def _episodes(self) -> dict[int, list[Episode]]:
        """By shot; row numbers are those of all rows."""
        task, plan = self.seen.task, self.plan
        sampler = Sampler(
            self.material.sides.test, self.material.targets, self.seen.blocks, self.material.tasks, task.kind
        )
        return {
            shape.shot: list(sampler.several(shape, plan.episodes, seed=plan.seed, stream=TEST_STREAM))
            for shape in plan.shapes
        }

    def _own(self, trained: Trained, learner: Learner, episodes: list[Episode]) -> list[float]:
        """What a learner scores with a network that it meta-trained."""
        network, kind = trained.network, self.seen.task.kind
        if isinstance(learner, FeatureLearner):
            return by_features(learner, network.head.cpu(), _tensor(self._values(trained)), episodes, kind)
        network.open(opened(network, learner, self.training).train)
        network.eval()
        return by_inputs(learner, network, network.backbone, self._all_inputs, episodes, kind)

    def _values(self, trained: Trained) -> Array:
        """The features of all rows; of other than test rows, which no episode asks, as they were."""
        if trained.backbone.fingerprint == self.start.fingerprint:
            return np.asarray(self.seen.values)
        rows = self.material.sides.test
        values = np.zeros_like(np.asarray(self.seen.values))
        values[rows] = look_again(self.seen.take(rows), trained.backbone, self.extraction).values
        return values

    @cached_property
    def _all_inputs(self) -> InputBatches:
        return self._inputs(self.seen)

    def _moved(self, network: Network) -> Backbone:
        """The backbone with a fingerprint of its own; the same where nothing moved."""
        module = network.cpu().to(memory_format=torch.contiguous_format).backbone
        mark = fingerprint(module, self.start.preprocess, self.start.spec)
        if mark == self.start.fingerprint:
            return self.start
        label = f"{self.start.name.partition('?')[0].partition('+')[0]}+{self.plan.name}"
        return replace(self.start, name=label, module=module, fingerprint=mark, classifier=None)

    def _notes(self, trained: Trained) -> list[str]:
        history = trained.history
        if history is None:
            return ["Nothing was trained: the backbone that is saved is the one that it began with."]
        notes = list(history.notes)
        if history.best < 0:
            notes.append("No epoch was better in validation than the start: the weights are those it began with.")
        if not len(self.material.sides.validation):
            notes.append(f"Too few {self.material.noun} for a validation: the last weights are kept.")
        return notes

    def _place(self, learner: Learner) -> Path | None:
        """The folder of the journal of this very meta-training."""
        if self.extraction.cache is None:
            return None
        about = [type(learner).__name__, asdict(cast(Any, learner)), self.plan.way, self.plan.shots, self.plan.query]
        about += [asdict(self.training), self.start.fingerprint, *self.seen.calculated_by]
        key = blake3(json.dumps([*about, torch.__version__, torch.get_num_threads()], sort_keys=True).encode())
        key.update(b"".join(self.seen.keys))
        for array in (self.material.targets, self.material.codes, self.seen.blocks, *self.material.sides[:3]):
            key.update(np.ascontiguousarray(array).tobytes())
        return self.extraction.cache.folder / RUNS / key.hexdigest(length=16)


def _tensor(values: Array) -> Tensor:
    return torch.from_numpy(np.asarray(values, np.float32))


def _record(history: MetaTrained | None) -> dict[str, Any]:
    if history is None:
        return {}
    curves = [[epoch, *(None if np.isnan(value) else value for value in rest)] for epoch, *rest in history.curves]
    return {"best": history.best, "parameters": history.parameters, "curves": curves}
