"""Weights of a backbone that learn in rounds: which these are, how they begin, and how a client trains them.

    lora   thin matrices beside the layers (Hu et al., 2021), and the head      `finetuning/lora.py`
    top    the last stages, and the head                                       `finetuning/top.py`

A client trains by headstart's own loop (`training/loop.py`) from where the server stands, with an optimiser that begins
anew in each round (McMahan et al., 2017, algorithm 1). In FedProx (Li et al., 2020) the proximal term is part of the
loss. In FedBN (Li et al., 2021) all of BatchNorm in the stages that learn, weights and statistics, stays at the client.
Everything random follows from the seed, the client's name and the number of the round. What does not learn is the
standardisation of the head's features and of values (`Base`).
"""

from __future__ import annotations

import math
import threading
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from typing import Any, ClassVar, NamedTuple, Self, cast

import numpy as np
import torch
from torch import Tensor, nn

from headstart.backbones.backbone import Backbone
from headstart.distributed.clients import Rounds
from headstart.errors import TrainingError
from headstart.finetuning.lora import LoRA
from headstart.finetuning.stage import Moves, Progress, Stage, Start, Tune
from headstart.finetuning.top import Top
from headstart.heads.facts import FitterFacts
from headstart.heads.head import Form, Head
from headstart.heads.module import HeadModule
from headstart.losses.proximal import Proximal
from headstart.losses.supervised import Supervised
from headstart.network import Network
from headstart.tasks.kind import kind_named
from headstart.tasks.task import Array, Kind
from headstart.training.batches import InputBatches
from headstart.training.checkpoint import Journal
from headstart.training.feed import NOBODY, Data
from headstart.training.initial import Scale
from headstart.training.loop import train
from headstart.training.options import Training

__all__ = [
    "Base",
    "Layout",
    "Rows",
    "Weights",
    "assembled",
    "first_weights",
    "head_of",
    "trained_weights",
    "training_of",
    "tune_of",
]

Arrays = dict[str, Array]

_STATISTICS = ("running_mean", "running_var")
LARGEST = 256.0
"""What a weight may be, where none was larger before."""
_ONE = threading.Lock()
"""One training at a time: clients of a simulation share torch's generator of random numbers."""


class Base(NamedTuple):
    """What is fixed: mean and scale (D,) of features and how many outputs the head has; the scale of values; the form
    of the features."""

    mean: Array
    scale: Array
    outputs: int
    values: Scale = Scale(0.0, 1.0)
    form: Form = "plain"

    def head(self) -> HeadModule:
        """One that answers 0 until its weights are put in."""
        return HeadModule.fresh(self.mean, self.scale, self.outputs, form=self.form)

    def arrays(self) -> Arrays:
        """As they travel."""
        sizes = np.array([self.outputs, *self.values], dtype=np.float64)
        return {"base/mean": self.mean, "base/scale": self.scale, "base/sizes": sizes}

    @classmethod
    def of(cls, arrays: Mapping[str, Array]) -> Self:
        """The inverse of `arrays`."""
        outputs, center, spread = arrays["base/sizes"].tolist()
        return cls(arrays["base/mean"], arrays["base/scale"], int(outputs), Scale(center, spread))


class Layout(NamedTuple):
    """Names and shapes of tensors, in the order in which they make one vector (K,)."""

    names: tuple[str, ...]
    shapes: tuple[tuple[int, ...], ...]

    @classmethod
    def of(cls, arrays: Mapping[str, Array]) -> Self:
        names = tuple(sorted(arrays))
        return cls(names, tuple(arrays[name].shape for name in names))

    @property
    def size(self) -> int:
        """K."""
        return sum(math.prod(shape) for shape in self.shapes)

    def vector(self, arrays: Mapping[str, Array]) -> Array:
        """(K,) float64."""
        return np.concatenate([np.zeros(0), *(np.asarray(arrays[name], np.float64).ravel() for name in self.names)])

    def refuse_other(self, other: Layout) -> None:
        """ValueError, in words, where names or shapes are others."""
        if other != self:
            name, shape = sorted(set(zip(*other, strict=True)) ^ set(zip(*self, strict=True)))[0]
            raise ValueError(f"its network has other weights to learn than were sent, such as {name} {shape}")

    def arrays(self, vector: Array) -> Arrays:
        """Named float32 arrays of a vector (K,)."""
        sizes = [math.prod(shape) for shape in self.shapes]
        parts = np.split(np.asarray(vector, np.float32), np.cumsum(sizes)[:-1])
        return {name: part.reshape(shape) for name, part, shape in zip(self.names, parts, self.shapes, strict=True)}


class Weights(NamedTuple):
    """float32 arrays by their names in the network: what all learn together, and what is a client's own."""

    shared: Arrays
    own: Arrays


class Rows(NamedTuple):
    """A client's rows: all inputs, their targets (N,) or (N, C), and the numbers of those to learn from."""

    inputs: InputBatches
    targets: Array
    kind: Kind
    learn: Array


def tune_of(rounds: Rounds) -> Tune:
    """Which weights learn."""
    return LoRA(stages=rounds.stages) if rounds.train == "lora" else Top(stages=rounds.stages or 1)


def training_of(rounds: Rounds, rows: int, seed: int = 0) -> Training:
    """How a client with so many rows trains: on all of them, not varied, for all epochs, at one learning rate."""
    return Training(
        epochs=rounds.epochs,
        batch=rounds.batch or rows,
        lr=rounds.lr,
        schedule="constant",
        validation=0.0,
        augment=False,
        statistics="batch" if rounds.strategy == "fedbn" else "source",
        seed=seed,
    )


def first_weights(backbone: Backbone, head: HeadModule, rounds: Rounds, seed: int) -> Weights:
    """What all begin with: the backbone's weights and the head's; of LoRA the thin matrices that the seed draws."""
    with _ONE, torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        network = Network(backbone, head)
        stage = next(iter(tune_of(rounds)(network, _Assembly())))
        return _taken(network, stage, rounds)


def assembled(backbone: Backbone, base: Base, rounds: Rounds, weights: Weights) -> Network:
    """The network with these weights, as plain layers, in eval mode."""
    with _ONE, torch.random.fork_rng(devices=[]):
        network = Network(backbone, base.head())
        list(_From(tune_of(rounds), rounds, weights)(network, _Assembly()))  # to its end, where LoRA is merged
    network.requires_grad_(False).eval()
    return network


def trained_weights(
    backbone: Backbone,
    base: Base,
    rounds: Rounds,
    given: Weights,
    rows: Rows,
    training: Training,
    device: torch.device,
) -> Weights:
    """The weights after the epochs of a round. ValueError, in words, where they grow without bound."""
    kind, begin = rows.kind, {name: torch.from_numpy(array) for name, array in given.shared.items()}
    loss = Proximal(mu=rounds.mu, begin=begin) if rounds.strategy == "fedprox" else Supervised()
    tune = _From(tune_of(rounds), rounds, given)
    with _ONE:
        network = Network(backbone, base.head())
        network.to(device).to(memory_format=torch.channels_last)
        data = Data(
            inputs=rows.inputs,
            targets=torch.from_numpy(base.values.seen(rows.targets, kind)),
            weights=torch.ones(len(rows.targets)),
            kind=kind,
            train=rows.learn,
            val=NOBODY,
        )
        try:
            train(network, data, tune, loss, training, Journal(None))
        except TrainingError as error:
            if error.__cause__ is not None:  # it is the device that failed
                raise
            raise ValueError(_unbounded(rounds)) from error
    learnt = tune.learnt
    if not _largest(learnt) <= max(LARGEST, 2 * _largest(given)):  # never so where one is NaN
        raise ValueError(_unbounded(rounds))
    return learnt


def _largest(weights: Weights) -> float:
    """The largest absolute value of what all learn together."""
    return max(float(np.abs(array).max(initial=0.0)) for array in weights.shared.values())


def _unbounded(rounds: Rounds) -> str:
    return f"its weights grow without bound at lr = {rounds.lr:g}: name a smaller one in [rounds]"


def head_of(network: Network, base: Base, kind: str, rounds: Rounds) -> Head:
    """The head of a network that was put together, in the units of the targets, at temperature 1."""
    head = base.values.undo(cast(HeadModule, network.head))
    facts = FitterFacts(account={"rounds": asdict(rounds)})
    return head.exported(kind_named(kind), temperature=1.0, facts=facts)


@dataclass
class _From:
    """A tune that begins with given weights, and remembers what they were at the end of its one stage."""

    tune: Tune
    rounds: Rounds
    learnt: Weights

    start: ClassVar[Start] = "probe"
    scratch: ClassVar[bool] = False

    @property
    def moves(self) -> Moves:
        return self.tune.moves

    def movable(self, network: Network) -> frozenset[str]:
        return self.tune.movable(network)

    def __call__(self, network: Network, progress: Progress) -> Iterator[Stage]:
        for stage in self.tune(network, progress):
            _put(network, stage, self.rounds, self.learnt)
            yield stage
            self.learnt = _taken(network, stage, self.rounds)


class _Assembly:
    """The `Progress` of a network that is put together and not trained."""

    validates = False

    def validation(self) -> float:
        raise ValueError("a network that is put together is not validated")

    def settle(self, tune: Tune, account: Mapping[str, Any]) -> None:
        """Nothing is decided."""


def _tensors(network: Network, stage: Stage, rounds: Rounds) -> tuple[dict[str, Tensor], dict[str, Tensor]]:
    """What learns, by name: what all learn together, and, in FedBN, all of BatchNorm."""
    network.open(stage.train, stage.only)
    shared: dict[str, Tensor] = {name: value for name, value in network.named_parameters() if value.requires_grad}
    own: dict[str, Tensor] = {}
    if rounds.strategy == "fedbn":
        for place, module in network.named_modules():
            if isinstance(module, nn.modules.batchnorm._BatchNorm) and module.training:
                own |= {f"{place}.{name}": value for name, value in module.named_parameters(recurse=False)}
                own |= {f"{place}.{name}": value for name, value in module.named_buffers() if name in _STATISTICS}
    return {name: value for name, value in shared.items() if name not in own}, own


def _taken(network: Network, stage: Stage, rounds: Rounds) -> Weights:
    return Weights(
        *(
            {name: value.detach().float().cpu().contiguous().numpy().copy() for name, value in part.items()}
            for part in _tensors(network, stage, rounds)
        )
    )


def _put(network: Network, stage: Stage, rounds: Rounds, weights: Weights) -> None:
    """ValueError, in words, where names or shapes are not those of the network."""
    with torch.no_grad():
        for part, given in zip(_tensors(network, stage, rounds), weights, strict=True):
            names = tuple(sorted(part))
            Layout.of(given).refuse_other(Layout(names, tuple(tuple(part[name].shape) for name in names)))
            for name, value in part.items():
                value.copy_(torch.from_numpy(np.ascontiguousarray(given[name])))
