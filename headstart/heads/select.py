"""Which head: every candidate answers for the same held-out rows, and the best answers win."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from dataclasses import replace
from typing import NamedTuple

import numpy as np

from headstart.data.task import Array, Kind
from headstart.heads.blas import one_thread
from headstart.heads.boosting import Boosting
from headstart.heads.head import ClassWeight, Form, HeadFit, shaped
from headstart.heads.kernel import Kernel
from headstart.heads.logistic import Logistic
from headstart.heads.neural import Neural
from headstart.heads.pose import Posed, Proposal, pose
from headstart.heads.problem import Problem
from headstart.heads.prototypes import Prototypes
from headstart.heads.ridge import Ridge
from headstart.heads.standardize import Scale

__all__ = ["HEADS", "fit_probe"]

HEADS: dict[str, type[Posed]] = {
    "prototypes": Prototypes,
    "ridge": Ridge,
    "logistic": Logistic,
    "neural": Neural,
    "kernel": Kernel,
    "boosting": Boosting,
}
"""Name -> fitter, the simplest first."""

FEW = 10
MOST_FOLDS = 10
SMALL = 16 << 20


def fit_probe(
    features: Array,
    targets: Array,
    *,
    kind: Kind,
    classes: int,
    folds: Array,
    class_weight: ClassWeight = None,
    seed: int = 0,
    heads: Sequence[str] | None = None,
    forms: Sequence[Form] = ("plain",),
    scale: Scale = "each",
    weights: Array | None = None,
) -> HeadFit:
    """Fit each candidate, keep the one with the lowest held-out loss, and set its temperature.

    heads   names in `HEADS`; of several, those that cannot answer such a task are left out. None: ridge and logistic,
            and prototypes too where the median class has fewer than 10 rows. Other arguments as in `Fitter`
    forms   of the features, see `heads.head.shaped`; of several, the one on which ridge does best is taken
    scale   "each" where every feature has a unit of its own, "shared" where all have one, see `heads.standardize`
    weights (N,) how much each row counts, not negative, beside what `class_weight` says; None: all alike

    The loss is the log loss of the out-of-fold logits at their best temperature, or the RMSE for regression; a tie
    goes to the simpler head. Several candidates are held out on the same folds: at most 10, more are merged. The
    head's config holds what its fitter tells, the loss of every candidate as "candidates", and the rule.
    """
    names = _candidates(heads, kind, np.asarray(targets))
    with one_thread():

        def posed(form: Form) -> Problem:
            x = shaped(np.asarray(features), form)
            found = pose(
                x,
                targets,
                kind=kind,
                classes=classes,
                folds=folds,
                class_weight=class_weight,
                seed=seed,
                scale=scale,
                weights=weights,
            )
            return found.merged(MOST_FOLDS) if len(names) > 1 else found

        form, problem, proposals = _formed(posed, forms, np.asarray(features).nbytes)
        proposals |= {name: HEADS[name]().propose(problem) for name in names if name not in proposals}
        scores = {name: problem.score(proposals[name].out_of_fold) for name in names}
        best = min(names, key=lambda name: scores[name].loss)
        head, out_of_fold = proposals[best].finish(), problem.restored(proposals[best].out_of_fold)
    rule = "lowest RMSE" if kind == "regression" else "lowest log loss at the best temperature"
    config = {
        **head.config,
        "candidates": {name: score.loss for name, score in scores.items()},
        "rule": f"{rule}, out of fold; a tie goes to the simpler head",
    }
    return HeadFit(replace(head, temperature=scores[best].temperature, form=form, config=config), out_of_fold)


def _formed(posed: Callable[[Form], Problem], forms: Sequence[Form], size: int) -> _Formed:
    """The form to take, the problem posed in it, and ridge's proposal where that was what decided.

    A posed problem is as large as the features. Small ones are held together and screened at once, one thread each;
    of large ones only one is held at a time, and a form that wins over a later one is posed again.
    """
    if not forms:
        raise ValueError("forms must name at least one of 'plain' and 'root', got none")
    if len(forms) == 1:
        return _Formed(forms[0], posed(forms[0]), {})
    if size <= SMALL:
        with ThreadPoolExecutor(len(forms)) as pool:
            # Each thread goes by the caller's settings of floating-point warnings.
            waiting = [pool.submit(copy_context().run, _screened, posed, form) for form in forms]
            found = {form: one.result() for form, one in zip(forms, waiting, strict=True)}
        best = min(forms, key=lambda form: found[form].loss)
        return _Formed(best, found[best].problem, {"ridge": found[best].proposal})
    *earlier, last = forms
    losses = {form: _screened(posed, form).loss for form in earlier}
    screened = _screened(posed, last)
    losses[last] = screened.loss
    best = min(forms, key=lambda form: losses[form])
    if best == last:
        return _Formed(last, screened.problem, {"ridge": screened.proposal})
    del screened
    return _Formed(best, posed(best), {})


class _Formed(NamedTuple):
    form: Form
    problem: Problem
    proposals: dict[str, Proposal]


class _Screen(NamedTuple):
    loss: float
    problem: Problem
    proposal: Proposal


def _screened(posed: Callable[[Form], Problem], form: Form) -> _Screen:
    """The out-of-fold loss of ridge on this form, its problem and its proposal."""
    problem = posed(form)
    proposal = HEADS["ridge"]().propose(problem)
    return _Screen(problem.score(proposal.out_of_fold).loss, problem, proposal)


def _candidates(heads: Sequence[str] | None, kind: Kind, targets: Array) -> list[str]:
    """Names of heads, the simplest first."""
    if heads is None:
        few = kind == "classification" and np.median(np.unique(targets, return_counts=True)[1]) < FEW
        heads = ["prototypes", "ridge", "logistic"] if few else ["ridge", "logistic"]
    if not heads or not set(heads) <= set(HEADS):
        raise ValueError(f"heads must be among {', '.join(HEADS)}, got {list(heads)!r}")
    asked = [name for name in HEADS if name in heads]
    return [name for name in asked if kind in HEADS[name].kinds] or asked[:1]
