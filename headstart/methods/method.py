"""What a row of the table of methods is: what it is for, which options it has, and how it is fitted."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple, Protocol, Self

from headstart.adaptation.choice import ChosenStrategy
from headstart.adaptation.domain_pair import DomainPair
from headstart.adaptation.learn import Learnt
from headstart.backbones.backbone import Backbone
from headstart.features.extract import Extraction
from headstart.features.feature_set import FeatureSet
from headstart.heads.head import Head
from headstart.listener import Listener
from headstart.methods.plan import Plan
from headstart.methods.teaching import Teaching
from headstart.preprocessing.encoders import Encoder
from headstart.tasks.task import Array
from headstart.training.declared import Option, options_of, refuse_unknown, typed

__all__ = [
    "AdaptationFacts",
    "Data",
    "Fitted",
    "HeldAnswers",
    "Method",
    "Option",
    "Source",
    "facts_of",
    "options_of",
    "refuse_unknown",
    "require_backbone",
    "typed",
]


class Data(NamedTuple):
    """Rows to learn from, the backbone that computed their features, and how more of them are computed.

    teaching   what a teacher says of them, and of rows without a label; None without one
    steps      of a method that moves weights: train once, on all of the rows, for so many, and hold none of them out
    """

    rows: FeatureSet
    backbone: Backbone | None
    how: tuple[Extraction, Listener]
    teaching: Teaching | None = None
    steps: int | None = None


class Source(NamedTuple):
    """The rows of a source task, and both tasks side by side.

    labels   whether answers of target rows may be learnt from
    """

    rows: FeatureSet
    pair: DomainPair
    labels: bool


class AdaptationFacts(NamedTuple):
    """How a model drew on a source: the strategy, what it learnt, and whether the backbone moved."""

    chosen: ChosenStrategy
    pair: DomainPair
    learnt: Learnt | None = None
    moved: bool = False

    @property
    def adapted(self) -> bool:
        """Whether more was done than to learn from some of the rows."""
        return self.moved or self.chosen.strategy.align is not None

    @property
    def of_source(self) -> bool:
        """Whether answers of source rows were learnt from."""
        return self.moved or self.chosen.strategy.source

    @property
    def of_target(self) -> bool:
        """Whether answers of target rows were, of which some may be used."""
        step = self.learnt is not None and self.learnt.moved.of_target
        return self.moved or self.chosen.strategy.target or step


class HeldAnswers(NamedTuple):
    """What a network said of rows that a training held out to know when to stop.

    rows     (n,) numbers among the rows that count (`probe.counted`)
    outputs  (n, C) logits, or (n, 1) values
    """

    rows: Array
    outputs: Array


class Fitted(NamedTuple):
    """A head and the backbone or encoder whose features it answers.

    notes        what happened, in words
    adaptation   None where no source was drawn on
    out_of_fold  (N, C) logits, or (N, 1) values, that say of each row that counts (`probe.counted`) what a fit without
                 it says; None where nothing was held out so
    held_out     of a training that held some of them out; else None
    """

    head: Head
    backbone: Backbone | None
    encoder: Encoder | None = None
    notes: tuple[str, ...] = ()
    adaptation: AdaptationFacts | None = None
    out_of_fold: Array | None = None
    held_out: HeldAnswers | None = None


def facts_of(fitted: Fitted) -> AdaptationFacts:
    """Of what was fitted with a source. ValueError for what was not."""
    if fitted.adaptation is None:
        raise ValueError("no source was drawn on")
    return fitted.adaptation


class Method(Protocol):
    """A row of the table."""

    @property
    def about(self) -> str:
        """What it is for, in a line."""

    @property
    def needs_source(self) -> bool:
        """Whether it draws on a source task."""

    @property
    def needs_teacher(self) -> bool:
        """Whether it learns from a teacher."""

    @property
    def needs_tasks(self) -> bool:
        """Whether it weighs the losses of several targets."""

    @property
    def reuses(self) -> bool:
        """Whether it stands on what was learnt elsewhere: a backbone, where the inputs have one."""

    @property
    def moves_weights(self) -> bool:
        """Whether weights of the backbone may move, or the head is trained by gradient descent."""

    def options(self) -> dict[str, Option]:
        """What can be set, by name."""

    def configured(self, name: str, options: Mapping[str, Any], seed: int) -> Self:
        """The row with these options set. Raises ValueError for an option that it does not have, naming the nearest."""

    def fit(self, plan: Plan, data: Data, source: Source | None = None) -> Fitted:
        """A head for `data`, whose targets must be known. Raises ValueError where the row and the data do not suit."""


def require_backbone(row: Method, name: str, backbone: Backbone | None, modality: str) -> Backbone:
    """The backbone whose weights a method moves. ValueError, naming what else there is, where the data have none."""
    if backbone is None or backbone.module is None:
        instead = "one that moves features, such as 'coral'" if row.needs_source else "'probe'"
        raise ValueError(f"method {name!r} moves weights, and a {modality} has none: use {instead}")
    if not backbone.stages and row.moves_weights:
        raise ValueError(f"method {name!r} moves weights, and {backbone.name} has none to move: use 'probe'")
    return backbone
