"""What every step refuses in words: too few rows, other columns, answers that it cannot use."""

from __future__ import annotations

import numpy as np

from headstart.adaptation.alignment.step import Aligned, Domains, unmoved
from headstart.adaptation.estimators.sample_domain import have_answers
from headstart.tasks.task import Array

__all__ = ["labelled", "left_alone", "rows_of_both", "same", "same_rows"]


def rows_of_both(domains: Domains, least: int, why: str) -> None:
    """ValueError where the two tasks have different columns, too few rows, or numbers that are not finite."""
    widths = domains.source.shape[1:], domains.target.shape[1:]
    if widths[0] != widths[1] or len(widths[0]) != 1:
        raise ValueError(
            f"source and target have shapes {domains.source.shape} and {domains.target.shape}: expected (n, d) and "
            "(m, d), the same columns: keep those that both have"
        )
    for name, rows in (("source", domains.source), ("target", domains.target)):
        if len(rows) < least:
            raise ValueError(
                f"the {name} has {len(rows)} row{'s' * (len(rows) != 1)}: expected {least} or more, {why}: "
                f"give more {name} rows, or fit the source as it is (align=None)"
            )
        if not np.isfinite(rows).all():
            raise ValueError(f"the {name}'s features hold NaN or infinity: expected finite numbers: fill them in first")


def labelled(domains: Domains) -> tuple[Array, Array]:
    """(m,) which target rows have an answer, and those answers. ValueError where none has."""
    answered = have_answers(domains)
    if domains.known is None or not answered.any():
        raise ValueError(
            f"no answer of the {len(answered)} target rows is known and may be used, and this step learns from some: "
            "label a few and set target_labels=True (in a fit: 'all'), or take a step that needs none, such as CORAL"
        )
    return answered, domains.known[answered].astype(domains.targets.dtype)


def same_rows(domains: Domains) -> bool:
    """Whether both tasks have the same rows in the same order, whatever they weigh."""
    return np.array_equal(domains.source, domains.target)


def same(domains: Domains) -> bool:
    """Whether the source rows are the target rows, and weigh alike."""
    return domains.weights is None and same_rows(domains)


def left_alone(domains: Domains) -> Aligned:
    """What a step makes of a source that is the target: nothing, and it says so."""
    return Aligned(domains.source, domains.targets, domains.weights, unmoved, {"identical": True})
