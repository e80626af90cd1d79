"""A method that draws on a source: compared on held-out target rows, or where none can be tested, on source rows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from headstart.artefact import Model
from headstart.backbones.backbone import Backbone
from headstart.errors import DataError
from headstart.evidence.assess import NO_TRANSFER, Adaptation
from headstart.evidence.evidence import Evidence, of_answers
from headstart.evidence.facts import EvidenceFacts
from headstart.methods.method import facts_of
from headstart.methods.table import method
from headstart.methods.task_pair import StrategyFitter, TaskPair
from headstart.study.candidates import SourceCandidate, unadapted
from headstart.study.comparison import Comparison, Told, held_out_of
from headstart.study.contenders import answer_cache
from headstart.study.notes import model_of_pair, notes_of_pair
from headstart.study.pretrained import BEFORE
from headstart.study.resampling import plan_trials
from headstart.study.source_contenders import seen_by, source_contenders, unadapted_names
from headstart.study.stopwatch import Stopwatch
from headstart.study.untransferred import Untransferred
from headstart.study.without_transfer import without_transfer

__all__ = ["Untested", "source_comparison"]

_FEWEST = 2
_UNTESTED = (
    "{} target row has a label, so that nothing could be tested on the target: the scores are those of source rows "
    "that were held out, and say how well the source is learnt. How well the target is answered is not known."
)


def source_comparison(
    tasks: TaskPair, fitter: StrategyFitter, watch: Stopwatch, before: Backbone | None = None
) -> Comparison | Untested:
    """The plan's method, to be tested beside those that do not adapt, and those that do not transfer.

    before   what the backbone began from, where the user pretrained it: the method on that one is a contender too
    """
    candidate = SourceCandidate(fitter.plan.method, tasks, fitter)
    if candidate.rows.task.split is None and len(np.unique(candidate.rows.blocks)) < _FEWEST:
        return Untested(candidate, watch)
    trials = plan_trials(candidate.rows, fitter.plan.seed, repeats=1, taught=True)
    fitter.how[1].say(f"fitting: {candidate.name}, tested by {trials.words}")
    names = unadapted_names(candidate.rows, fitter, trials)
    others = {name: SourceCandidate(name, tasks, fitter) for name in names}
    with watch("baselines"):
        contenders = dict(source_contenders(tasks, fitter, trials))
        if before is not None:
            twin = seen_by(before, tasks, fitter, "before pretraining")
            earlier = SourceCandidate(candidate.name, TaskPair(twin.source, twin.target, tasks.labelled), twin)
            contenders[BEFORE] = lambda _, train, test: earlier.answer(earlier.fit(train), test)
    if fitter.how[0].pixels is not None:
        fitter.how[0].pixels.clear()
    contenders |= {name: other.contend for name, other in others.items()}
    fallbacks = others if method(candidate.name).moves_weights and not fitter.plan.keep_tuned else {}
    plain = None
    if NO_TRANSFER in contenders and fitter.backbone is not None:
        untransferred = Untransferred(fitter.plan, answer_cache(*fitter.how))
        plain = without_transfer(candidate.rows, fitter.plan, fitter.how, untransferred)
    return Comparison(candidate, contenders, trials, watch, fallbacks, plain)


@dataclass(frozen=True)
class Untested:
    """A candidate where no target row has a label, or one of its own."""

    candidate: SourceCandidate
    watch: Stopwatch

    def tried(self) -> tuple[list[Told], Any]:
        """Nothing is, see `Comparison`."""
        return [], None

    def concluded(self, tried: Sequence[Told], fitted: Any) -> tuple[Model, Evidence]:
        """The same as `run`."""
        return self.run()

    def run(self) -> tuple[Model, Evidence]:
        """The model, and what source rows say of it that were held out."""
        candidate = self.candidate
        fitter, tasks, name = candidate.fitter, candidate.tasks, candidate.name
        count = "Only one" if tasks.labelled else "No"
        why = f"{count.lower()} target row has a label, so that nothing was tested on the target"
        fitter.how[1].say(f"fitting: {name}; {count.lower()} target row has a label, so that none can be tested")
        with self.watch("head"):
            fitted = candidate.fit(np.arange(tasks.labelled))
        learnt = facts_of(fitted).learnt
        source = None if learnt is None else learnt.source
        if source is None:
            raise DataError(
                f"method {name!r} cannot be tested on source rows: label some target rows, or give test data"
            )
        with self.watch("evidence"):
            evidence = replace(
                of_answers(held_out_of(fitter.source, candidate.goal), source[None], {}, seed=candidate.seed),
                n_train=len(fitter.source),
                protocol="cross-validation on source rows; no target row was tested",
                notes=(_UNTESTED.format(count),),
                adaptation=unadapted(fitted, name) or Adaptation(None, None, why),
            )
        evidence = replace(
            evidence,
            facts=EvidenceFacts(model=model_of_pair(tasks, fitter, fitted), transfer_untold=why),
            notes=(*evidence.notes, *notes_of_pair(tasks, fitter, fitted, evidence, [facts_of(fitted).chosen])),
            seconds=self.watch.seconds(),
        )
        return candidate.model(fitted), evidence
