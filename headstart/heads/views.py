"""How features are taken before heads are fitted: their form and their scale, of several the ones on which ridge does
best out of fold."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

from headstart.heads.fitter import Proposal
from headstart.heads.head import Form
from headstart.heads.problem import Problem
from headstart.heads.ridge import Ridge
from headstart.heads.standardize import Scale
from headstart.linalg.blas import at_once

__all__ = ["View", "Viewed", "viewed"]

SMALL = 16 << 20


def viewed(posed: Callable[[View], Problem], views: Sequence[View], size: int) -> Viewed:
    """The view to take, the problem posed in it, and ridge's proposal where that was what decided.

    A posed problem is as large as the features. Small ones are held together and screened at once, one thread each;
    of large ones only one is held at a time, and a view that wins over a later one is posed again.
    """
    if not views:
        raise ValueError("forms must name at least one of 'plain' and 'root', got none")
    if len(views) == 1:
        return Viewed(views[0], posed(views[0]), {})
    if size <= SMALL:
        screens = dict(zip(views, at_once(lambda view: _screened(posed, view), views), strict=True))
        best = min(views, key=lambda view: screens[view].loss)
        return Viewed(best, screens[best].problem, {"ridge": screens[best].proposal})
    *earlier, last = views
    losses = {view: _screened(posed, view).loss for view in earlier}
    screened = _screened(posed, last)
    losses[last] = screened.loss
    best = min(views, key=lambda view: losses[view])
    if best == last:
        return Viewed(last, screened.problem, {"ridge": screened.proposal})
    del screened
    return Viewed(best, posed(best), {})


class View(NamedTuple):
    """How features are taken."""

    form: Form
    scale: Scale


class Viewed(NamedTuple):
    view: View
    problem: Problem
    proposals: dict[str, Proposal]


class _Screen(NamedTuple):
    loss: float
    problem: Problem
    proposal: Proposal


def _screened(posed: Callable[[View], Problem], view: View) -> _Screen:
    """The out-of-fold loss of ridge on this view, its problem and its proposal."""
    problem = posed(view)
    proposal = Ridge().propose(problem)
    return _Screen(problem.score(proposal.out_of_fold).loss, problem, proposal)
