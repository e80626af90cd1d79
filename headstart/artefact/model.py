"""A fitted model as plain data: what the artefact stores and gives back."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, NamedTuple

from headstart.backbones.backbone import Backbone
from headstart.heads.head import Head
from headstart.tasks.modality import Modality, modality_named
from headstart.tasks.task import Array, Columns, Kind
from headstart.uncertainty.stored import Uncertainty

__all__ = ["Label", "Member", "Model"]

Label = str | int | float | bool


@dataclass(frozen=True, kw_only=True, eq=False)
class Model:
    """Everything a fitted model needs to predict, and what is known about it.

    classes    the labels in the order of the head's outputs; empty for regression. Their types survive the file
    columns    which column of the user's table played which role; None where there was no table
    backbone   None for tables and arrays, whose features are the columns themselves, and where nothing was transferred
    encoder    (config, arrays): the state of what makes features without a network, see `preprocessing.encoders`; None
               where there is none
    engine     JSON: who computed the features the head was fitted on ("name", "precision", ...)
    options    JSON: the options of the method
    evidence   JSON as in evidence.json; None where nothing was held out
    beside     models whose answers are averaged with its own, which weighs what they leave of 1; answers are decided
               by the head of this one
    uncertainty   of sets, intervals and flags; None in a model of an earlier version
    """

    modality: Modality
    kind: Kind
    classes: tuple[Label, ...]
    columns: Columns | None
    backbone: Backbone | None
    encoder: tuple[dict[str, Any], dict[str, Array]] | None
    head: Head
    method: str
    options: dict[str, Any]
    engine: dict[str, Any]
    evidence: dict[str, Any] | None = None
    notes: tuple[str, ...] = ()
    beside: tuple[Member, ...] = ()
    uncertainty: Uncertainty | None = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "modality", modality_named(self.modality))

    @property
    def members(self) -> tuple[Member, ...]:
        """Itself, without those beside it, and these."""
        alone = self if not self.beside else replace(self, beside=())
        return (Member(1 - sum(member.weight for member in self.beside), alone), *self.beside)


class Member(NamedTuple):
    """A model that is averaged with others: its share, above 0, of a sum of 1."""

    weight: float
    model: Model
