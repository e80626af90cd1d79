"""A method on one task, compared on held-out rows."""

from __future__ import annotations

from dataclasses import replace

from headstart.backbones.backbone import Backbone
from headstart.features.extract import Extraction
from headstart.features.feature_set import FeatureSet, look
from headstart.listener import Listener
from headstart.methods.plan import Plan
from headstart.methods.table import method
from headstart.study.candidates import ScratchControl, TaskCandidate
from headstart.study.comparison import Comparison
from headstart.study.contenders import answer_cache, contenders_of
from headstart.study.pretrained import BEFORE, RANDOM
from headstart.study.resampling import REPEATS, plan_trials
from headstart.study.stopwatch import Stopwatch
from headstart.study.untransferred import Untransferred
from headstart.study.without_transfer import without_transfer

__all__ = ["task_comparison"]


def task_comparison(
    rows: FeatureSet,
    backbone: Backbone | None,
    plan: Plan,
    how: tuple[Extraction, Listener],
    watch: Stopwatch,
    before: Backbone | None = None,
) -> Comparison:
    """The plan's method, to be tested beside those that do not transfer; where weights move, beside the probe
    and the same network from random weights too.

    before   what the backbone began from, where the user pretrained it: the method on that one is a contender too
    """
    tuned = method(plan.method).moves_weights
    trials = plan_trials(rows, plan.seed, repeats=1 if tuned else REPEATS)
    how[1].say(f"fitting: {plan.method}, tested by {trials.words}")
    candidate = TaskCandidate(rows, backbone, plan, how)
    untransferred = Untransferred(plan, answer_cache(*how))
    with watch("baselines"):
        contenders = dict(contenders_of(rows, backbone, plan, *how, untransferred))
    if tuned:
        if plan.control and plan.method != "scratch" and backbone is not None and backbone.random is not None:
            candidate.beside[RANDOM] = ScratchControl(rows, backbone, plan.scratch, how)
        candidate.beside["probe"] = TaskCandidate(rows, backbone, plan.probe, how)
    if before is not None:
        with watch("baselines"):
            same = replace(look(rows.task, before, *how, "before pretraining"), blocks=rows.blocks)
        contenders[BEFORE] = TaskCandidate(same, before, plan, how).contend
    plain = without_transfer(rows, plan, how, untransferred) if backbone is not None else None
    if plain is not None and plain.name not in contenders:
        contenders[plain.name] = plain.candidate.contend
    contenders |= {name: other.contend for name, other in candidate.beside.items()}
    fallbacks = {"probe": candidate.beside["probe"]} if tuned and not plan.keep_tuned else {}
    ledgers = {name: other.results for name, other in candidate.beside.items()}
    return Comparison(candidate, contenders, trials, watch, fallbacks, plain, ledgers)
