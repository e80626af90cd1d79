"""Which criterion chooses well without target labels: three shifts in the plane, twelve models, every criterion.

    python bench/choose.py [--seeds 5] [--from 0]

Data: skada's make_shifted_datasets(20, 20, noise=.3). Models: source only, CORAL, KMM, RuLSIF, MLLS and TCA, each under
logistic regression and an RBF SVC. Printed: mean target accuracy of each model, of the best one of each draw (oracle),
of what each criterion chooses among all models, and of what the rule of `choose_by_shift` chooses. Target labels serve
for those accuracies alone. The rule was made on seeds 100 to 109: judge it by others.
"""

from __future__ import annotations

import argparse
import sys
import warnings
from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import StratifiedKFold, cross_val_predict
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import PolynomialFeatures, StandardScaler
from sklearn.svm import SVC

from headstart.adaptation.alignment.coral import Coral
from headstart.adaptation.alignment.step import Align, Aligned, Domains, unmoved
from headstart.adaptation.alignment.tca import TCA
from headstart.adaptation.reweighting.kmm import KMM
from headstart.adaptation.reweighting.mlls import MLLS, label_shares
from headstart.adaptation.reweighting.rulsif import RuLSIF
from headstart.adaptation.scorers.by_shift import choose_by_shift
from headstart.adaptation.scorers.criteria import CRITERIA, Said, choose
from headstart.adaptation.scorers.reverse_validation import Fit
from headstart.adaptation.shift.diagnose import Shift, diagnose
from headstart.tasks.task import Array

SHIFTS = ("covariate_shift", "target_shift", "conditional_shift")
STEPS: dict[str, Align | None] = {
    "source": None, "coral": Coral(), "kmm": KMM(), "rulsif": RuLSIF(), "mlls": MLLS(draws=20), "tca": TCA()
}  # fmt: skip
BASES: dict[str, Callable[[], LogisticRegression | SVC]] = {
    "logistic": lambda: LogisticRegression(max_iter=1000),
    "svc": SVC,
}


MOVING = frozenset(f"{step} {base}" for step in ("coral", "tca") for base in BASES)


class Run(NamedTuple):
    """One draw of one shift: what each model says, how often it is right on the target, and the diagnosis."""

    models: dict[str, Said]
    accuracy: dict[str, float]
    shift: Shift


def pair(shift: str, seed: int) -> tuple[Domains, Array]:
    """The two tasks, and the classes of the target rows."""
    try:
        from skada.datasets import make_shifted_datasets
    except ImportError:
        raise SystemExit("this bench needs skada for its data: pip install skada==0.6.0") from None
    X, y, domain = make_shifted_datasets(20, 20, shift=shift, noise=0.3, random_state=seed)
    ours = domain > 0
    return Domains(X[ours], y[ours], X[~ours], None, 2), y[~ours]


def run(shift: str, seed: int) -> Run:
    domains, truth = pair(shift, seed)
    shares = label_shares(domains, MLLS(draws=20)).target
    models = {f"{step} {base}": said(domains, step, base, shares) for step in STEPS for base in BASES}
    accuracy = {name: float(np.mean(one.p_target.argmax(axis=1) == truth)) for name, one in models.items()}
    found = diagnose(domains.source, domains.targets, domains.target, kind="classification", seed=seed)
    return Run(models, accuracy, found)


def said(domains: Domains, step: str, base: str, shares: Array) -> Said:
    """What a model says of both tasks; probabilities of the SVC by Platt's sigmoid of decisions on rows not seen."""
    one, z = aligned(domains, step), domains.target
    given = {} if one.weights is None else {"sample_weight": one.weights}
    unseen = unseen_by(one, base)
    of_target = decisions(base, one.source, one.targets, one.weights)(one.move(z))
    if base == "svc":
        sigmoid = LogisticRegression(C=1e6).fit(unseen[:, None], one.targets, **given)
        unseen, of_target = (sigmoid.decision_function(values[:, None]) for values in (unseen, of_target))
    p_source, p_target = (1 / (1 + np.exp(-np.stack([-values, values], axis=1))) for values in (unseen, of_target))
    logits = np.stack([-of_target, of_target], axis=1) / 2
    weights = ratios(one.source, one.move(z))
    back = going_back(domains, step, base)
    return Said(domains.source, domains.targets, z, p_target, p_source, logits, weights, shares, back)


def unseen_by(one: Aligned, base: str) -> Array:
    """(n,) decisions for source rows, each by a model of five that did not see it."""
    found = np.empty(len(one.source))
    for seen, left in StratifiedKFold(5, shuffle=True, random_state=0).split(one.source, one.targets):
        weights = None if one.weights is None else one.weights[seen]
        found[left] = decisions(base, one.source[seen], one.targets[seen], weights)(one.source[left])
    return found


def decisions(base: str, rows: Array, targets: Array, weights: Array | None) -> Callable[[Array], Array]:
    """What the base decides; where weights leave one class of the two, that one everywhere."""
    counted = np.unique(targets if weights is None else targets[weights > 0])
    if len(counted) == 1:
        return lambda asked: np.full(len(asked), 2.0 * counted[0] - 1)
    given = {} if weights is None else {"sample_weight": weights}
    found: Callable[[Array], Array] = BASES[base]().fit(rows, targets, **given).decision_function
    return found


def aligned(domains: Domains, step: str) -> Aligned:
    align = STEPS[step]
    return Aligned(domains.source, domains.targets, None, unmoved, {}) if align is None else align(domains)


def ratios(source: Array, target: Array) -> Array:
    """(n,) q / p of the source rows by a logistic regression on squares and products that did not see the row."""
    rows, own = np.concatenate([source, target]), np.arange(len(source) + len(target)) >= len(source)
    model = make_pipeline(StandardScaler(), PolynomialFeatures(2), LogisticRegression(max_iter=2000))
    folds = StratifiedKFold(5, shuffle=True, random_state=0)
    odds = cross_val_predict(model, rows, own, cv=folds, method="decision_function")[: len(source)]
    return np.exp(odds) * len(source) / len(target)


def going_back(domains: Domains, step: str, base: str) -> Fit:
    """The same step and base with the tasks exchanged; without the step where it refuses the answers."""

    def fit(z: Array, answers: Array) -> Callable[[Array], Array]:
        turned = Domains(z, answers, domains.source, None, 2)
        try:
            one = aligned(turned, step)
        except ValueError:
            one = aligned(turned, "source")
        given = {} if one.weights is None else {"sample_weight": one.weights}
        model = BASES[base]().fit(one.source, one.targets, **given)
        return lambda rows: model.predict(one.move(rows))

    return fit


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--from", type=int, default=0, dest="first")
    asked = parser.parse_args()
    seeds = range(asked.first, asked.first + asked.seeds)
    warnings.simplefilter("ignore")
    runs = {shift: [run(shift, seed) for seed in seeds] for shift in SHIFTS}
    sys.stdout.write("\n".join(table(runs)) + "\n")


def table(runs: dict[str, list[Run]]) -> list[str]:
    """Mean target accuracy by shift: of each model, then of what each criterion chooses."""
    lines = [f"{'':<22}" + "".join(f"{shift:>20}" for shift in runs)]
    names = list(runs[SHIFTS[0]][0].models)
    picks: dict[str, Callable[[Run], str]] = {name: lambda one, name=name: name for name in names}  # type: ignore[misc]
    picks["oracle"] = lambda one: max(one.accuracy, key=one.accuracy.__getitem__)
    picks |= {f"by {name}": lambda one, name=name: choose(name, one.models).name for name in CRITERIA}  # type: ignore[misc]
    picks["by shift (the rule)"] = lambda one: choose_by_shift(one.models, MOVING, one.shift).name
    for name, pick in picks.items():
        means = [np.mean([one.accuracy[pick(one)] for one in some]) for some in runs.values()]
        lines.append(f"{name:<22}" + "".join(f"{mean:20.3f}" for mean in means))
    for shift, some in runs.items():
        lines.append(f"{shift}: diagnosed as {', '.join(one.shift.kind for one in some)}")
    return lines


if __name__ == "__main__":
    main()
