"""A row of the table of pretraining: an objective with its options, and how it is trained."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from typing import Any, ClassVar, Self

from headstart.checks import at_least
from headstart.pretraining.objective import Objective
from headstart.pretraining.variation import Variation
from headstart.tasks import Modality
from headstart.training.declared import Option, options_of, refuse_unknown, typed
from headstart.training.optimizers import named
from headstart.training.options import Training

__all__ = ["FROM_SCRATCH", "GOING_ON", "Size", "Unlabelled"]

GOING_ON, FROM_SCRATCH = 1e-4, 1e-3
"""Learning rates where none is given: of weights that were learnt, and of random ones."""

SHARED = ("epochs", "batch", "lr", "optimizer", "schedule", "weight_decay", "clip", "micro", "statistics")
SHARED += ("precision", "journal")
"""What of `Training` an objective without labels has a use for."""


@dataclass(frozen=True, kw_only=True)
class Size:
    """size   of pictures in pixels, at which the backbone learns and is kept; 0: its own"""

    size: int = 0

    def __post_init__(self) -> None:
        at_least("size", self.size, 0)


@dataclass(frozen=True, kw_only=True)
class Unlabelled:
    """Learns from rows without labels.

    size, variation   of pictures
    """

    about: str
    objective: Objective
    training: Training
    size: Size = field(default_factory=Size)
    variation: Variation = field(default_factory=Variation)
    labelled: ClassVar[bool] = False

    @property
    def modality(self) -> Modality:
        """Of the inputs that it is for."""
        return self.objective.modality

    def options(self) -> dict[str, Option]:
        """What can be set, by name."""
        of_pictures = (self.size, self.variation) if self.modality.has_pixels else ()
        every = options_of(self.training)
        return options_of(self.objective, *of_pictures) | {name: every[name] for name in SHARED}

    def configured(self, name: str, options: Mapping[str, Any], seed: int, *, scratch: bool) -> Self:
        """The row with these options set. Raises ValueError for an option that it does not have, naming the nearest.

        scratch   whether the weights that it begins with are random
        """
        known = self.options()
        for option in options:
            refuse_unknown(name, option, known)
        given = {option: typed(known[option], value) for option, value in options.items()}
        given.setdefault("lr", FROM_SCRATCH if scratch else GOING_ON)
        parts = {part: _take(getattr(self, part), given) for part in ("objective", "size", "variation", "training")}
        training: Any = parts["training"]
        return replace(self, **(parts | {"training": named(replace(training, seed=seed))}))

    @property
    def settings(self) -> dict[str, Any]:
        """Every option with its value."""
        return {name: option.default for name, option in self.options().items()}


def _take(part: Any, options: dict[str, Any]) -> Any:
    """The part with those of the options that are fields of it."""
    own = {own.name for own in fields(part)} & options.keys()
    return replace(part, **{name: options[name] for name in own})
