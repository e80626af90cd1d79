"""What whoever loads an export elsewhere should know of the model, in words."""

from __future__ import annotations

from headstart.artefact import Model
from headstart.heads.arrays import UTILITY

__all__ = ["notes_of"]


def notes_of(model: Model) -> tuple[str, ...]:
    """That the model decides otherwise than by the likeliest class, reads deep pictures by a window, or that its head
    was fitted on features of another precision."""
    notes = []
    if UTILITY in model.head.arrays:
        notes.append(
            "note: headstart answers the class of the highest expected utility, which is not always the likeliest; "
            "the export gives the same probabilities and leaves the decision to its user"
        )
    if getattr(model.backbone and model.backbone.preprocess, "window", None) is not None:
        notes.append(
            "note: pictures of more than 8 bits must be scaled to the model's window before the export sees them"
        )
    if model.engine.get("precision", "float32") != "float32":
        notes.append(
            f"note: the head was fitted on features in {model.engine['precision']}; the export computes in float32"
        )
    return tuple(notes)
