"""What the outputs of an exported network are called."""

from __future__ import annotations

from headstart.artefact import Model

__all__ = ["class_names", "utf8"]


def class_names(model: Model) -> tuple[str, ...]:
    """A name for each output: the labels as text, or of a regression the target's.

    ValueError where two labels are the same text, such as 1 and "1": then an output could not be told by its name.
    """
    if not model.kind.has_classes:
        return ((model.columns.target if model.columns is not None else None) or "value",)
    names = tuple(map(str, model.classes))
    if len(set(names)) < len(names):
        twice = next(name for name in names if names.count(name) > 1)
        raise ValueError(f"two classes are written {twice!r} (as text and as a number): give them names that differ")
    return names


def utf8(text: str) -> str:
    """The same text; half a character (a lone surrogate, of a folder whose name is no UTF-8) becomes its escape, as
    JSON and Python write it: no file or network format of UTF-8 holds it otherwise."""
    return text.encode("utf-8", "backslashreplace").decode()
