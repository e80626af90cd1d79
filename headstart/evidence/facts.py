"""The facts beside the scores: what was fitted, what was set aside, what each dearer step bought."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from headstart.evidence.intervals import Interval
from headstart.evidence.race import RaceFacts
from headstart.tasks.task import SetAside

__all__ = ["EvidenceFacts", "Instead", "ModelFacts", "SourceFacts", "StepFacts", "Unlearnt", "left_out_in_words"]


class Unlearnt(NamedTuple):
    """Rows to test on whose classes the model did not learn.

    rows, of         how many of how many
    labels           rows by class
    scores_without   the scores of the other rows; None where there are none
    """

    rows: int
    of: int
    labels: dict[str, int]
    scores_without: dict[str, float] | None = None


class StepFacts(NamedTuple):
    """What one step bought: its score, its gain over the step before, and what one fit cost.

    over, gain   "" where there is no step before it; None where that one was not tried
    seconds      on this machine, features apart
    parameters   how many figures were learnt; -1: not counted
    """

    step: str
    metric: str
    score: Interval
    over: str
    gain: Interval | None
    seconds: float
    parameters: int


@dataclass(frozen=True, kw_only=True)
class SourceFacts:
    """How a model drew on a source task.

    base        what the way stands on, see `adaptation.learn.BASES`
    asked       the method that was asked for; "auto" takes another
    rows        of the source that could be learnt from, its copies of target rows left out
    of_source   whether their answers were learnt from
    set_aside   inputs of the source that could not be used
    target_labels   "all" or "none": which answers of the target might be looked at
    bare        target rows without a label
    guard       why the way was taken; "" where it was asked for
    step        the step's own account, for the reader
    """

    base: str
    asked: str
    rows: int
    of_source: bool
    set_aside: tuple[SetAside, ...]
    target_labels: str
    bare: int
    guard: str
    step: Mapping[str, Any]


@dataclass(frozen=True, kw_only=True)
class ModelFacts:
    """What was fitted, or tested on new data.

    backbone     its name; None where the features are the columns
    n_set_aside  inputs that could not be used
    set_aside    which, and why; None for new data, as all below
    method       of the table, the one that was taken
    source       None where the model drew on no source
    head, engine   accounts for the reader: the head with what its fitter tells, and who calculated the features
    """

    backbone: str | None
    n_set_aside: int
    set_aside: tuple[SetAside, ...] | None = None
    method: str | None = None
    source: SourceFacts | None = None
    head: Mapping[str, Any] | None = None
    engine: Mapping[str, Any] | None = None


class Instead(NamedTuple):
    """The model with transfer in whose place one without it is kept: its method, and why."""

    method: str
    why: str


@dataclass(frozen=True, kw_only=True)
class EvidenceFacts:
    """All of them.

    unlearnt   None where every class to test on was learnt
    model      None where nothing is said of what was fitted
    steps      empty where no weights move
    transfer_untold   why it is not known whether transfer helps; "" where it is known
    left_out   baselines and controls that were left out as the user asked
    instead    None where the model is the one that was asked for, or of its kind
    race       what was tried before, of a model that a race found
    """

    unlearnt: Unlearnt | None = None
    model: ModelFacts | None = None
    steps: tuple[StepFacts, ...] = ()
    transfer_untold: str = ""
    left_out: tuple[str, ...] = ()
    instead: Instead | None = None
    race: RaceFacts | None = None

    @property
    def carried(self) -> bool:
        """Whether weights or answers of a source were carried over; True where nothing is said of the model."""
        model = self.model
        return model is None or model.backbone is not None or (model.source is not None and model.source.of_source)


def left_out_in_words(names: Sequence[str]) -> str:
    """Such as: left out, as was asked: random-weights; what this model gains over that is not known."""
    return f"left out, as was asked: {', '.join(names)}; what this model gains over that is not known"
