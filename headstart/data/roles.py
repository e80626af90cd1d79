"""What the user says about the columns of a table."""

from __future__ import annotations

from dataclasses import dataclass

from headstart.tasks.modality import Modality, modality_named

__all__ = ["ROLES", "Roles"]

ROLES = ("target", "split", "group", "domain", "weight")


@dataclass(frozen=True, kw_only=True)
class Roles:
    """What the user says about the data; None for what is to be inferred.

    input      one column name, or several
    weight     the column that says how much a row counts in the fit
    classes    the names of the places of multi-hot targets (rows of 0 and 1), in their order
    modality   "image", "text", "table", "array", "audio" or another `Modality`: what the inputs are, where their looks
               could mislead
    sample_rate   samples a second (Hz) of waves that are given as arrays
    """

    input: str | tuple[str, ...] | None = None
    target: str | None = None
    split: str | None = None
    group: str | None = None
    domain: str | None = None
    weight: str | None = None
    classes: tuple[str, ...] = ()
    modality: Modality | None = None
    sample_rate: int | None = None

    def __post_init__(self) -> None:
        if self.modality is not None:
            object.__setattr__(self, "modality", modality_named(self.modality))

    @property
    def inputs(self) -> tuple[str, ...]:
        return (self.input,) if isinstance(self.input, str) else tuple(self.input or ())

    @property
    def named(self) -> dict[str, str]:
        """Role -> the column named for it, inputs left aside."""
        return {role: name for role in ROLES if (name := getattr(self, role))}
