"""THE TABLE: a method's name -> what it does. Nothing else.

So far nothing below the head moves: a row names the heads that cross-validation chooses among, None for those that
suit the task (`heads.select`). The methods that move weights (tune, loss) or features (align) add their columns here.
"""

from __future__ import annotations

from typing import NamedTuple

__all__ = ["METHODS", "Method", "method"]


class Method(NamedTuple):
    """A row of the table: which heads are tried on the frozen features, and what the row is for."""

    heads: tuple[str, ...] | None
    about: str


METHODS: dict[str, Method] = {
    "probe": Method(None, "frozen features, the head chosen by cross-validation"),
    "ridge": Method(("ridge",), "frozen features, ridge with exact leave-one-out over its strength"),
    "logistic": Method(("logistic",), "frozen features, logistic regression, strength by cross-validation"),
    "prototypes": Method(("prototypes",), "frozen features, nearest class mean: for a few examples a class"),
    "neural": Method(("neural",), "frozen features, Dense 256 ReLU, dropout and softmax with early stopping"),
}


def method(name: str) -> Method:
    """The row of this name. Raises ValueError naming the rows there are."""
    if name not in METHODS:
        raise ValueError(f"method {name!r} is unknown; expected one of: {', '.join(METHODS)}")
    return METHODS[name]
