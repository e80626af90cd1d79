"""Which rows a report will show: found where a model is tested, while features and answers are at hand.

What is kept does not grow with the data: some two dozen rows with their nearest rows to learn from, the worst groups,
and a map of at most `POINTS` rows. It takes some hundredths of a second (`bench/report.py`).
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from scipy import sparse

from headstart.artefact import Model
from headstart.evidence.examples import Example, Examples, GroupScore, Neighbour, RowName
from headstart.evidence.held_out import HeldOut
from headstart.features.feature_set import FeatureSet
from headstart.linalg.blas import one_thread
from headstart.methods.answers import encoder_of, features_of
from headstart.study.groups import group_scores
from headstart.study.resampling import Trials
from headstart.study.row_map import row_map
from headstart.tasks.goal import Answers, Decided
from headstart.tasks.task import Array

__all__ = ["POINTS", "POOL", "SHOWN", "examples_of"]

SHOWN, NEAREST, POINTS, POOL = 12, 3, 2000, 20_000
_BYTES = 8


class Judged(NamedTuple):
    """Of the tested rows (T,): answers as targets are; how sure each was and how probable the given label is (both NaN
    for numbers); how wrong it was, 0 where it was right; and whether it was (numbers are neither)."""

    decisions: Array
    sure: Array
    given: Array
    error: Array
    wrong: Array


def examples_of(rows: FeatureSet, held_out: HeldOut, trials: Trials, answers: Answers, model: Model) -> Examples:
    """The rows to show of a model that was tested on `held_out`; its answers have a layer a repeat."""
    judged = _judged(held_out, answers, model)
    blocks, exclusive = rows.blocks[trials.tested], held_out.kind.exclusive
    mistakes = _first(np.argsort(-judged.error, kind="stable"), blocks, judged.error > 0)
    doubtful = _first(np.argsort(judged.given, kind="stable"), blocks, judged.wrong) if exclusive else []
    place = {at: number for number, at in enumerate(dict.fromkeys([*mistakes, *doubtful]))}
    features, why = _features(rows, model)
    nearest: list[tuple[Neighbour, ...]] = [()] * len(place)
    drawn = None
    if features is not None:
        nearest = _nearest(rows, held_out, trials, features, list(place))
        backbone = "" if model.backbone is None else model.backbone.name
        drawn = row_map(rows, held_out, trials, features, judged.wrong, of=backbone, most=POINTS)
    return Examples(
        rows=tuple(_example(rows, held_out, trials, judged, at, near) for at, near in zip(place, nearest, strict=True)),
        mistakes=tuple(place[at] for at in mistakes),
        doubtful=tuple(place[at] for at in doubtful),
        metric="accuracy" if held_out.kind.has_classes else "mae",
        groups=_scores(rows.task.group, trials, judged, held_out),
        domains=_scores(rows.task.domain, trials, judged, held_out),
        map=drawn,
        no_map=why,
    )


def _first(order: Array, blocks: Array, among: Array) -> list[int]:
    """The first rows in this order among some, (T,) bool; of those that are nearly the same only one."""
    order = order[among[order]]
    _, first = np.unique(blocks[order], return_index=True)
    return [int(at) for at in order[np.sort(first)[:SHOWN]]]


def _judged(held_out: HeldOut, answers: Answers, model: Model) -> Judged:
    repeats = held_out.repeats(answers)
    p = np.mean([repeat.predictions for repeat in repeats], axis=0)
    kind, truth = held_out.kind, held_out.targets
    if not kind.has_classes:
        unknown, error = np.full(len(p), np.nan), np.abs(p - truth)
        return Judged(p, unknown, unknown, error, np.zeros(len(p), bool))
    decisions = repeats[0].decisions
    if len(repeats) > 1:
        p_learnt = p[:, : held_out.learnt]
        decisions = model.head.decide(p_learnt) if isinstance(answers, Decided) else kind.decide(p)
    if kind.several:
        decisions = np.pad(decisions, ((0, 0), (0, truth.shape[1] - decisions.shape[1])))
        chance = np.where(truth > 0, p, 1 - p)
        amiss = decisions != truth
        sure = np.where(amiss, 1 - chance, 0).max(axis=1, initial=0)
        return Judged(decisions, sure, chance.min(axis=1), sure, amiss.any(axis=1))
    at = np.arange(len(p))
    sure, wrong = p[at, decisions], decisions != truth
    return Judged(decisions, sure, p[at, truth], np.where(wrong, sure, 0), wrong)


def _scores(labels: Array | None, trials: Trials, judged: Judged, held_out: HeldOut) -> tuple[GroupScore, ...]:
    if labels is None:
        return ()
    values = ~judged.wrong if held_out.kind.has_classes else judged.error
    return group_scores(np.asarray(labels)[trials.tested], values, shares=held_out.kind.has_classes)


def _features(rows: FeatureSet, model: Model) -> tuple[Array | None, str]:
    """(N, D) by which rows are near each other, else why there are none."""
    values = rows.values
    if values is None and rows.task.modality.has_columns and model.encoder is not None:
        made = features_of(rows, encoder_of(model))
        if sparse.issparse(made):
            return None, "sparse"
        values = np.asarray(made)
    if values is None:
        return None, "none"
    values = np.asarray(values)
    return (values, "") if values.size and len(values) > 2 else (None, "few")


def _nearest(
    rows: FeatureSet, held_out: HeldOut, trials: Trials, features: Array, shown: list[int]
) -> list[tuple[Neighbour, ...]]:
    """Of each tested row that is shown, the rows to learn from of the largest cosine similarity, those that are kept
    together with it left out."""
    learnt = trials.trials[0].train if trials.held_out else np.arange(len(rows))
    if len(learnt) > POOL:
        learnt = np.sort(np.random.default_rng(0).choice(learnt, POOL, replace=False))
    if not len(learnt) or not shown:
        return [()] * len(shown)
    tested = trials.tested[shown]
    with one_thread():
        pool = np.nan_to_num(np.asarray(features[learnt], np.float32))
        centre = pool.mean(axis=0)
        pool -= centre
        asked = np.nan_to_num(np.asarray(features[tested], np.float32)) - centre
        sizes = np.outer(np.linalg.norm(asked, axis=1), np.linalg.norm(pool, axis=1))
        likeness = (asked @ pool.T) / np.where(sizes > 0, sizes, 1)
    likeness[rows.blocks[tested][:, None] == rows.blocks[learnt]] = -np.inf
    order = np.argsort(-likeness, axis=1, kind="stable")[:, :NEAREST]
    task = rows.task
    return [
        tuple(
            Neighbour(_name(rows, row), task.kind.in_words(task.targets[row], task.classes), round(float(how), 3))  # type: ignore[index]
            for row, how in zip(learnt[near].tolist(), likeness[number, near].tolist(), strict=True)
            if np.isfinite(how)
        )
        for number, near in enumerate(order)
    ]


def _example(
    rows: FeatureSet, held_out: HeldOut, trials: Trials, judged: Judged, at: int, nearest: tuple[Neighbour, ...]
) -> Example:
    kind = held_out.kind
    truth, answer = (kind.in_words(values[at], held_out.classes) for values in (held_out.targets, judged.decisions))
    sure, given = (
        None if np.isnan(values[at]) else round(float(values[at]), 4) for values in (judged.sure, judged.given)
    )
    return Example(_name(rows, int(trials.tested[at])), truth, answer, sure, given, nearest)


def _name(rows: FeatureSet, row: int) -> RowName:
    task = rows.task
    name = str(task.names[row]) if len(task.names) else ""
    return RowName(name, int(task.positions[row]), rows.keys[row][:_BYTES].hex())
