"""How a target task differs from a source task, from features: whether, in which way, where, and what follows.

Both are tested for any difference (kernel and classifier tests), then for what would explain it (`stories`), with some
target labels for whether answers go with features as before (`conditional`). `shift_kind` says what it makes of that.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from headstart.adaptation.shift.columns import ColumnShift, column_shifts
from headstart.adaptation.shift.conditional import Conditional, conditional
from headstart.adaptation.shift.hypotheses import LEVEL, Hypothesis, covariate, label, label_shares, moved
from headstart.adaptation.shift.kind import RECOMMENDED, Judged, ShiftKind, judge
from headstart.adaptation.shift.support import Support, support
from headstart.adaptation.shift.two_sample import Classified, Mmd, classifier_test, mmd
from headstart.evidence.intervals import Interval
from headstart.evidence.plain import plain
from headstart.tasks import CLASSIFICATION, REGRESSION, Kind, kind_named
from headstart.tasks.task import Array

__all__ = ["Shift", "diagnose", "differ"]

_MOST = 5000
_FIFTHS = (0.2, 0.4, 0.6, 0.8)


class Shift(NamedTuple):
    """What was found. None, or empty, where it could not be asked or need not be.

    kind, sure      which shift; whether known labels (at the 1 % level), support or identity decided it, or else it is
                    a suspicion: what explains the features, which without target labels is all there is
    why             in words
    recommendation  what to try, in words
    shares          of each class in the target if only shares changed; in regression of the fifths of the answers
    columns         every column, the most changed first
    rows            of the target that look least like the source, by number
    names, classes  of those rows, and what the `shares` are of; () where they have no names
    """

    kind: ShiftKind
    sure: bool
    why: str
    recommendation: str
    kernel: Mmd | None = None
    classifier: Classified | None = None
    support: Support | None = None
    shares: tuple[Interval, ...] = ()
    stories: tuple[Hypothesis, ...] = ()
    conditional: Conditional | None = None
    columns: tuple[ColumnShift, ...] = ()
    rows: tuple[int, ...] = ()
    notes: tuple[str, ...] = ()
    names: tuple[str, ...] = ()
    classes: tuple[str, ...] = ()

    @property
    def shifted(self) -> bool:
        """Whether the tasks were told apart at the 5 % level by either test (corrected for two)."""
        return _told(self.kernel, self.classifier)

    def to_json(self) -> dict[str, Any]:
        """Plain facts; a figure that is not known is null. Of the rows' scores and distances only the outcome."""
        record = self._asdict() | {"shifted": self.shifted}
        record["classifier"] = self.classifier and {**self.classifier._asdict(), "scores": None}
        record["support"] = self.support and {**self.support._asdict(), "distances": None}
        return {name: plain(value) for name, value in record.items()}

    def __str__(self) -> str:
        from headstart.adaptation.shift.shift import lines

        return "\n".join(lines(self))


def diagnose(
    source: Array,
    targets: Array,
    target: Array,
    known: Array | None = None,
    *,
    kind: str,
    names: Sequence[str] | None = None,
    seed: int = 0,
) -> Shift:
    """The shift from source (n, d), answered by targets (n,), to target (m, d), of which some answers are `known` (m,).

    targets  class codes 0..C-1, or values; known: the same, -1 or NaN where it is not known. names: of the d columns

    Of more than 5,000 rows of a task a sample is taken. Raises ValueError in words for other shapes, NaN, fewer than
    two source rows, another kind.
    """
    source, target = _rows("source", source), _rows("target", target)
    question = _check(source, targets, target, known, kind)
    if _identical(source, np.asarray(targets), target, known, question):
        return Shift("none", True, "the source and the target hold the same rows",
                     "identical: nothing to do", columns=column_shifts(source, target, names=names))  # fmt: skip
    some = _sampled(source, np.asarray(targets), target, known, seed)
    notes = _foreign(np.asarray(targets), some.known) if question.exclusive else ()
    shift = _found(some.source, some.targets, some.target, some.known, question, seed)
    return shift._replace(
        columns=column_shifts(some.source, some.target, names=names),
        rows=tuple(int(some.theirs[row]) for row in shift.rows),
        notes=notes,
    )


def differ(source: Array, targets: Array, target: Array, known: Array | None, *, kind: str, seed: int = 0) -> bool:
    """Whether `diagnose` finds a shift of any kind; the same answer, without asking which."""
    source, target = _rows("source", source), _rows("target", target)
    question = _check(source, targets, target, known, kind)
    if _identical(source, np.asarray(targets), target, known, question):
        return False
    some = _sampled(source, np.asarray(targets), target, known, seed)
    if len(some.target) < 2:
        return True
    if _below_level(classifier_test(some.source, some.target, seed=seed).p):
        return True
    if _below_level(mmd(some.source, some.target, seed=seed).p):
        return True
    return _answers_moved(_labels(some.source, some.targets, some.target, some.known, question, seed))


class _Sample(NamedTuple):
    """At most so many rows of both tasks; `theirs` are the numbers of those of the target."""

    source: Array
    targets: Array
    target: Array
    known: Array | None
    theirs: Array


def _sampled(source: Array, targets: Array, target: Array, known: Array | None, seed: int) -> _Sample:
    random = np.random.default_rng(seed)
    ours, theirs = (np.sort(random.permutation(len(rows))[:_MOST]) for rows in (source, target))
    answers = None if known is None else np.asarray(known)[theirs]
    return _Sample(source[ours], targets[ours], target[theirs], answers, theirs)


def _identical(source: Array, targets: Array, target: Array, known: Array | None, kind: Kind) -> bool:
    """Whether both hold the same rows, and no target row an answer that the source does not give it."""
    if len(source) != len(target) or not np.array_equal(_sorted(source), _sorted(target)):
        return False
    if known is None:
        return True
    answers = np.asarray(known, np.float64)
    labelled = kind.known(answers)
    ours = {row.tobytes() for row in np.column_stack([source, targets]).astype(np.float64) + 0.0}
    return all(row.tobytes() in ours for row in np.column_stack([target, answers])[labelled] + 0.0)


def _found(source: Array, y: Array, target: Array, known: Array | None, kind: Kind, seed: int) -> Shift:
    reach = support(source, target, seed=seed)
    if len(target) < 2:
        return Shift("unclear", False, "one target row says nothing of a distribution", RECOMMENDED["unclear"],
                     support=reach)  # fmt: skip
    kernel, classifier = mmd(source, target, seed=seed), classifier_test(source, target, seed=seed)
    labels = _labels(source, y, target, known, kind, seed)
    codes = y.astype(np.int64) if kind.exclusive else _fifths(y)
    shares = label_shares(source, codes, target, seed=seed) if len(np.unique(codes)) > 1 else ()
    stories: tuple[Hypothesis, ...] = ()
    if _told(kernel, classifier):
        other = (
            label(source, codes, target, shares, seed=seed) if shares else Hypothesis("label", math.nan, len(source))
        )
        stories = (other, covariate(source, target, seed=seed), moved(source, target, seed=seed))
        judged = judge(stories, reach, labels)
    elif _answers_moved(labels):
        judged = Judged("conditional", True, "the features look alike, but answers go with them otherwise")
    else:
        judged = Judged("none", False, f"{len(source):,} and {len(target):,} rows were not told apart")
    rows = classifier.most_like_target()
    return Shift(*judged, RECOMMENDED[judged.kind], kernel, classifier, reach, shares, stories, labels, rows=rows)


def _labels(source: Array, y: Array, target: Array, known: Array | None, kind: Kind, seed: int) -> Conditional | None:
    """The test with known labels of classes that the source has; None where none is known."""
    if known is None:
        return None
    if not kind.has_classes:
        labelled = kind.known(known)
        return (
            conditional(source, y[:, None], target[labelled], known[labelled, None], seed=seed)
            if labelled.any()
            else None
        )
    codes, labelled = np.unique(y), np.isin(known, y)
    if not labelled.any() or len(codes) < 2:
        return None
    ours, theirs = ((answers[:, None] == codes).astype(np.float64) for answers in (y, known[labelled]))
    return conditional(source, ours, target[labelled], theirs, seed=seed)


def _told(kernel: Mmd | None, classifier: Classified | None) -> bool:
    return kernel is not None and classifier is not None and _below_level(min(kernel.p, classifier.p))


def _below_level(p: float) -> bool:
    """Whether one of two tests tells the tasks apart, corrected for two."""
    return 2 * p < LEVEL


def _answers_moved(labels: Conditional | None) -> bool:
    """Whether known labels show that answers go with features otherwise than in the source."""
    return labels is not None and labels.answers < 0.01


def _fifths(y: Array) -> Array:
    codes = np.searchsorted(np.quantile(y, _FIFTHS), y)
    return np.asarray(np.unique(codes, return_inverse=True)[1])


def _foreign(targets: Array, known: Array | None) -> tuple[str, ...]:
    """Classes that only the target has."""
    new = [] if known is None else [int(code) for code in np.setdiff1d(known[known >= 0], targets)]
    return (
        (f"classes that only the target has: {new}; the source cannot teach them: label more of them",) if new else ()
    )


def _rows(name: str, rows: Array) -> Array:
    rows = np.asarray(rows, dtype=np.float64)
    if rows.ndim != 2 or not rows.size:
        raise ValueError(f"{name} has shape {rows.shape}: expected (rows, columns), one of each at least")
    if not np.isfinite(rows).all():
        raise ValueError(f"{name} holds NaN or infinite numbers: fill them in or leave their rows out before")
    return rows


def _check(source: Array, targets: Array, target: Array, known: Array | None, name: str) -> Kind:
    if name not in (CLASSIFICATION, REGRESSION):
        raise ValueError(f"kind is {name!r}: expected 'classification' or 'regression' (ask label by label)")
    kind = kind_named(name)
    if source.shape[1] != target.shape[1]:
        raise ValueError(
            f"source has {source.shape[1]} columns and target {target.shape[1]}: expected the same columns"
        )
    if len(source) < 2:
        raise ValueError("source has one row: expected two or more to compare the target with")
    for what, values, rows in (("targets", targets, source), ("known", known, target)):
        if values is not None and np.shape(values) != (len(rows),):
            raise ValueError(f"{what} has shape {np.shape(values)}: expected ({len(rows)},), one a row")
    codes = np.asarray(targets)
    if not np.isfinite(codes).all() or (kind.exclusive and (codes.min() < 0 or (codes % 1).any())):
        raise ValueError("targets: expected class codes 0, 1, ... in classification, finite values in regression")
    return kind


def _sorted(rows: Array) -> Array:
    return rows[np.lexsort(rows.T)]
