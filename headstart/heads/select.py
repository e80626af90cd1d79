"""Which head: every candidate answers for the same held-out rows, and what it says of them decides."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from headstart.heads.boosting import Boosting
from headstart.heads.choice import WEIGHTED, choose
from headstart.heads.discriminant import Discriminant
from headstart.heads.facts import ProbeFacts
from headstart.heads.fitter import Posed, Proposal, pose
from headstart.heads.head import ClassWeight, Form, HeadFit, shaped
from headstart.heads.incontext import InContext
from headstart.heads.kernel import Kernel
from headstart.heads.logistic import Logistic
from headstart.heads.neural import Neural
from headstart.heads.problem import Problem
from headstart.heads.prototypes import Prototypes
from headstart.heads.ridge import Ridge
from headstart.heads.row_embeddings import LINEAR, RowEmbeddings
from headstart.heads.score import score
from headstart.heads.standardize import Scale
from headstart.heads.trees import Trees
from headstart.heads.views import View, viewed
from headstart.linalg.blas import one_thread
from headstart.tasks.goal import Aim
from headstart.tasks.task import Array, Kind

__all__ = ["HEADS", "fit_probe"]

HEADS: dict[str, type[Posed]] = {
    "prototypes": Prototypes,
    "lda": Discriminant,
    "ridge": Ridge,
    "logistic": Logistic,
    "neural": Neural,
    "kernel": Kernel,
    "boosting": Boosting,
    "trees": Trees,
    "incontext": InContext,
}
"""Name -> fitter, the simplest first."""

MOST_FOLDS = 10
FEW = 50
"""Rows below which neither a kernel nor trees are tried."""
MANY = 20_000
"""Rows above which no kernel is tried."""
_ORDER = "linear before class weights before kernel before trees"
_RULES_OUT = {
    "accuracy": "accuracy",
    "balanced_accuracy": "balanced accuracy",
    "cost": "cost",
    "f1": "log loss of the one class",
}
"""Aims of which no head may lose more than so much, see `choice.py`."""
UNEVEN = 2.0
"""How many times as much as the rarest class the largest must weigh for class weights to be tried."""


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
    scale: Scale | Sequence[Scale] = "each",
    weights: Array | None = None,
    blocks: Array | None = None,
    aim: Aim | None = None,
    network: str | None = None,
) -> HeadFit:
    """Fit each candidate, keep the best by what it says of rows held out, and settle its probabilities and answers.

    heads   names in `HEADS`; of several, those that cannot answer such a task are left out, and the lowest loss wins, a
            tie going to the first. None: all that are cheap. Prototypes, discriminant analysis, ridge and logistic;
            ridge and logistic with class weights too where classes are uneven and `class_weight` says nothing; from 50
            rows the kernel, up to 20,000, and, where features have units of their own, trees. Which of these is kept:
            `choice.py`. Other arguments as in `Fitter`
    forms   of the features, see `heads.head.shaped`; of several, the one on which ridge does best is taken
    scale   "each" where every feature has a unit of its own, "shared" where all have one, see `heads.standardize`; of
            several, the one on which ridge does best is taken
    weights (N,) how much each row counts, not negative, beside what `class_weight` says; None: all alike
    blocks  (N,) rows of one number were drawn together, for the standard error; None: each on its own
    aim     what the head is to be good at: by that it is chosen, its answers are decided (`decision.py`), and in a
            classification it is settled how much the classes' shares count (`prior.py`). None: the likeliest class at
            the best temperature
    network a folder with the weights that answer in context, "" for those of the package: answers in context are then
            tried too where `heads` is None, and ridge and logistic that are named stand on row embeddings. None: those
            of the package, for answers in context that are named only

    The loss is the log loss of the out-of-fold logits at their best temperature, or the RMSE for regression. Several
    candidates are held out on the same folds: at most 10, more are merged. The head's facts are `ProbeFacts`.
    """
    names = _candidates(heads, kind)
    scales = (scale,) if isinstance(scale, str) else tuple(scale)
    with one_thread():

        def posed(view: View) -> Problem:
            x = shaped(np.asarray(features), view.form)
            problem = pose(
                x,
                targets,
                kind=kind,
                classes=classes,
                folds=folds,
                class_weight=class_weight,
                seed=seed,
                scale=view.scale,
                weights=weights,
            )
            return problem.merged(MOST_FOLDS) if len(names) > 1 else problem

        views = [View(form, each) for form in forms for each in scales]
        view, problem, proposals = viewed(posed, views, np.asarray(features).nbytes)
        proposals |= {
            name: _fitter(name, network, named=heads is not None).propose(problem)
            for name in names
            if name not in proposals
        }
        proposals = {name: proposals[name] for name in names}
        if heads is None:
            weighted = kind.exclusive and class_weight is None
            others = [posed(other) for other in views if other.form == view.form and other.scale != view.scale]
            own_units = "each" in scales
            proposals |= _further(
                problem, proposals, weighted=weighted, own_units=own_units, network=network, others=others
            )
        scores = {name: score(problem, proposal.out_of_fold, aim=aim) for name, proposal in proposals.items()}
        choice = choose(scores, None if blocks is None else np.asarray(blocks)[problem.order])
        best = choice.name if heads is None else min(scores, key=lambda name: scores[name].loss)
        head, answers = proposals[best].finish(), scores[best].settled
        out_of_fold = problem.restored(answers.moved(proposals[best].out_of_fold))
    settled = kind.exclusive and aim is not None
    facts = ProbeFacts(
        account=head.facts.account,
        candidates={name: score.loss for name, score in scores.items()},
        standard_errors=choice.standard_errors,
        rule=_rule(kind, aim=aim, simplest=heads is None),
        share_exponent=answers.exponent if settled else None,
    )
    head = replace(head.moved(answers.temperature * answers.offsets), temperature=answers.temperature)
    return HeadFit(replace(head, form=view.form, facts=facts).decided_by(scores[best].utility), out_of_fold)


def _fitter(name: str, network: str | None, *, named: bool) -> Posed:
    """That of a name; with a network, a head that was named stands on what it makes of the rows."""
    if name == "incontext":
        return InContext(weights=network or "")
    if network is None or not named:
        return HEADS[name]()
    if name not in LINEAR:
        raise ValueError(
            f"the {name} head does not stand on what the table network makes of rows: use probe, incontext, "
            f"{' or '.join(LINEAR)}, or leave its backbone out"
        )
    return RowEmbeddings(linear=name, reading=InContext(weights=network))


def _further(
    problem: Problem,
    linear: dict[str, Proposal],
    *,
    weighted: bool,
    own_units: bool,
    network: str | None,
    others: Sequence[Problem] = (),
) -> dict[str, Proposal]:
    """Candidates that are tried where the task suits them, or the linear ones do not stand above them at once.

    others   the same problem with its features scaled otherwise: distances may want another scale than lines
    """
    rows = len(problem.order)
    ridge = linear["ridge"].out_of_fold
    further: dict[str, Proposal | None] = {}
    uneven = weighted and _unevenness(problem) >= UNEVEN
    alike = problem.balanced() if uneven else problem
    if uneven:
        further["logistic" + WEIGHTED] = HEADS["logistic"]().propose(alike)
        further["ridge" + WEIGHTED] = HEADS["ridge"]().propose(alike.on_own_axes())
    if FEW <= rows <= MANY:
        scaled, further["kernel"] = _kernel([problem, *others], ridge)
        if uneven and further["kernel"] is not None:
            further["kernel" + WEIGHTED] = Kernel().propose(scaled.balanced())
    if rows >= FEW and own_units and problem.kind in Trees.kinds:
        best = min(linear.values(), key=lambda proposal: problem.score(proposal.out_of_fold).loss)
        further["trees"] = Trees().propose_against(problem, best.out_of_fold)
    if network is not None and (answers := InContext(weights=network)).suits(problem):
        further["incontext"] = answers.propose(problem)
    return {name: proposal for name, proposal in further.items() if proposal is not None}


def _kernel(problems: Sequence[Problem], rival: Array) -> tuple[Problem, Proposal | None]:
    """The problem on which a kernel answers best, and its proposal; None where it is not better than the rival's."""
    proposals = [Kernel().propose_against(problem, rival) for problem in problems]
    losses = [
        np.inf if proposal is None else problem.score(proposal.out_of_fold).loss
        for problem, proposal in zip(problems, proposals, strict=True)
    ]
    best = int(np.argmin(losses))
    return problems[best], proposals[best]


def _unevenness(problem: Problem) -> float:
    """The weight of the largest class over that of the rarest that is there."""
    of_class = np.bincount(problem.targets, problem.weights)
    return float(of_class.max() / of_class[of_class > 0].min())


def _rule(kind: Kind, *, aim: Aim | None, simplest: bool) -> str:
    """What was chosen by, in words."""
    loss = "lowest RMSE" if not kind.has_classes else "lowest log loss at the best temperature"
    if aim is not None and aim.metric == "mae":
        loss = "lowest mean absolute error"
    settled = kind.exclusive and aim is not None
    if settled:
        loss = "lowest log loss at the best temperature and share exponent"
    if not simplest:
        return f"{loss}, out of fold; a tie goes to the simpler head"
    if not settled or aim is None:
        return f"{loss}, out of fold; of the heads within one standard error of it the simplest ({_ORDER})"
    if aim.metric == "balanced_accuracy":
        loss += ", half of it over rows and half over classes"
    if aim.metric not in _RULES_OUT:
        return f"of the heads within half a standard error of the {loss}, out of fold, the simplest ({_ORDER})"
    return (
        f"of the heads whose {_RULES_OUT[aim.metric]} is within two standard errors of the best, out of fold, those "
        f"within half of one of the {loss}; of these the simplest ({_ORDER})"
    )


def _candidates(heads: Sequence[str] | None, kind: Kind) -> list[str]:
    """Names of heads, the simplest first."""
    if heads is None:
        heads = ("prototypes", "lda", "ridge", "logistic")
    if not heads or not set(heads) <= set(HEADS):
        raise ValueError(f"heads must be among {', '.join(HEADS)}, got {list(heads)!r}")
    names = [name for name in HEADS if name in heads]
    suited = [name for name in names if kind in HEADS[name].kinds]
    if not suited:
        HEADS[names[0]]().check(kind)
    return suited
