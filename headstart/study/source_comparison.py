"""A source task and a target task in one study: every way on the same held-out target rows, and the evidence."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from typing import Any, cast

import numpy as np

from headstart.adaptation.choice import ChosenStrategy
from headstart.adaptation.domain_pair import DomainPair
from headstart.adaptation.guard import best_plain
from headstart.artefact import Model
from headstart.data.pair import named
from headstart.errors import DataError
from headstart.evidence.adaptation import adaptation_of
from headstart.evidence.assess import Adaptation
from headstart.evidence.evidence import Evidence, of_answers
from headstart.evidence.held_out import HeldOut
from headstart.evidence.plain import plain
from headstart.evidence.verdict import signed, spread, verdict
from headstart.features.feature_set import FeatureSet
from headstart.methods.adaptation import AdaptedModel, StrategyFitter, TaskPair
from headstart.methods.plan import stored
from headstart.study.resampling import Trials, plan_trials
from headstart.study.source_contenders import controls_of, untold
from headstart.study.stopwatch import Stopwatch
from headstart.tasks.task import Array

__all__ = ["SourceComparison"]

_FEWEST = 2
_PLAIN = ("source-only", "target-only", "pooled")
_SAID = {
    True: {"helps": "adaptation helps", "hurts": "adaptation hurts", "cannot tell": "cannot tell whether it helps"},
    False: {"helps": "better", "hurts": "worse", "cannot tell": "cannot tell which is better"},
}
_UNTESTED = (
    "{} target row has a label, so that nothing could be tested on the target: the scores are those of source rows "
    "that were held out, and say how well the source is learnt. How well the target is answered is not known."
)


class SourceComparison:
    """Two tasks, how ways between them are fitted, and what that took."""

    def __init__(self, tasks: TaskPair, fitter: StrategyFitter, watch: Stopwatch) -> None:
        self.tasks, self.fitter, self.watch = tasks, fitter, watch
        self.plan, self.seed = fitter.plan, fitter.plan.seed
        self.labelled = tasks.target.take(np.arange(tasks.labelled))

    def run(self) -> tuple[Model, Evidence]:
        """The model of the plan's way, tested beside those that do not adapt."""
        if self.labelled.task.split is None and len(np.unique(self.labelled.blocks)) < _FEWEST:
            return self._untested()
        trials = plan_trials(self.labelled, self.seed, repeats=1, taught=True)
        self.fitter.how[1].say(f"fitting: {self.plan.method}, tested by {trials.words}")
        made: list[AdaptedModel] = []
        strategies: list[ChosenStrategy] = []
        rivals = self._rivals(trials)
        best: list[ChosenStrategy | None] = []
        with self.watch("baselines"):
            controls = dict(controls_of(self.tasks, self.fitter, trials, lambda: made[0]))

        def contenders(train: Array, test: Array) -> Array:
            with self.watch("head"):
                made[:] = [self._made(train)]  # one at a time: each holds features of both tasks
                strategies.append(made[0].chosen)
                own = self.fitter.answers(made[0], test)
            with self.watch("baselines"):
                others = [self.fitter.fitted(name, self.fitter.seen(train), made[0].on) for name in rivals]
                said = [self.fitter.answers(other, test) for other in others]
                best.append(self._best_plain(made[0], rivals))
                there = dict(zip(rivals, said, strict=True))
                taken = own if best[-1] is None else self._plain(best[-1], made[0].on, test, there)
                beside = [control(train, test) for control in controls.values()]
            return np.stack([own, taken, *beside, *said], axis=1)

        said = trials.answers(contenders)
        kept = made.pop()
        if not trials.held_out:
            with self.watch("head"):
                kept = self._made(np.arange(self.tasks.labelled))
        with self.watch("evidence"):
            held, own = _held(self.labelled.take(trials.tested)), said[:, :, 0]
            others = {name: said[:, :, place] for place, name in enumerate([*controls, *rivals], start=2)}
            evidence = of_answers(held, own, others, seed=self.seed)
            evidence = replace(
                evidence,
                n_train=self._rows(trials),
                protocol=trials.words,
                adaptation=self._unadapted(kept)
                or adaptation_of(
                    held,
                    own,
                    said[:, :, 1],
                    [None if one is None else one.words for one in best],
                    {name: evidence.assessment.gains[name] for name in rivals},
                    seed=self.seed,
                ),
            )
        return self._model(kept), self._whole(evidence, kept, strategies, untold(self.tasks, self.fitter, trials))

    def _rows(self, trials: Trials) -> int:
        """Of which the answers were learnt from: target rows of a trial, or where there are none, source rows."""
        target = np.mean([len(trial.train) for trial in trials.trials]) if self.fitter.labels else 0
        return round(float(target)) or len(self.fitter.source)

    def _untested(self) -> tuple[Model, Evidence]:
        """Where no target row has a label, or one of its own: what source rows say that were held out."""
        name, count = self.plan.method, "Only one" if self.tasks.labelled else "No"
        why = f"{count.lower()} target row has a label, so that nothing was tested on the target"
        self.fitter.how[1].say(f"fitting: {name}; {count.lower()} target row has a label, so that none can be tested")
        with self.watch("head"):
            kept = self._made(np.arange(self.tasks.labelled))
        source = None if kept.learnt is None else kept.learnt.source
        if source is None:
            raise DataError(
                f"method {name!r} cannot be tested on source rows: label some target rows, or give test data"
            )
        with self.watch("evidence"):
            evidence = replace(
                of_answers(_held(self.fitter.source), source[None], {}, seed=self.seed),
                n_train=len(self.fitter.source),
                protocol="cross-validation on source rows; no target row was tested",
                notes=(_UNTESTED.format(count),),
                adaptation=self._unadapted(kept) or Adaptation(None, None, why),
            )
        return self._model(kept), self._whole(evidence, kept, [kept.chosen], why)

    def _rivals(self, trials: Trials) -> list[str]:
        """Ways that do not adapt, may be gone, and can be gone in every trial."""
        answers, blocks = self.labelled.task.targets, self.labelled.blocks
        rows = [trial.train for trial in trials.trials] if self.fitter.labels else []
        able = {"source-only"}
        if rows and answers is not None and all(len(train) for train in rows):
            able.add("pooled")
            if all(min(len(np.unique(answers[train])), len(np.unique(blocks[train]))) > 1 for train in rows):
                able.add("target-only")
        return [name for name in _PLAIN if name in able and name != self.plan.method]

    def _best_plain(self, made: AdaptedModel, rivals: list[str]) -> ChosenStrategy | None:
        """The best way that does not adapt, as the rows of the trial say, where that will be asked."""
        return None if self.plan.method in _PLAIN else best_plain(made.on, rivals, made.chosen.base)

    def _plain(self, chosen: ChosenStrategy, on: DomainPair, test: Array, said: dict[str, Array]) -> Array:
        """The answers of a way that does not adapt; those under a linear head are there."""
        if chosen.base == "linear":
            return said[chosen.name]
        return self.fitter.answers(self.fitter.gone(chosen, on), test)

    def _unadapted(self, kept: AdaptedModel) -> Adaptation | None:
        """Why there is nothing to judge; None where there is."""
        if kept.adapted:
            return None
        words, asked = kept.chosen.words, self.plan.method
        why = f"{words} does not adapt" if asked == kept.chosen.name else f"{asked} took {words}, which does not adapt"
        return Adaptation(None, None, why)

    def _made(self, rows: Array) -> AdaptedModel:
        seen = self.fitter.seen(rows)
        return self.fitter.fitted(self.plan.method, seen, self.fitter.ground(seen))

    def _whole(self, evidence: Evidence, kept: AdaptedModel, strategies: list[ChosenStrategy], untold: str) -> Evidence:
        notes = (*evidence.notes, *self._notes(kept, evidence, strategies))
        about = self._about(kept) | ({"transfer_untold": untold} if untold else {})
        return replace(evidence, about=about, notes=notes, seconds=self.watch.seconds())

    def _about(self, kept: AdaptedModel) -> dict[str, Any]:
        backbone, target, source = self.fitter.backbone, self.tasks.target, self.tasks.source
        return {
            "backbone": None if backbone is None else backbone.name,
            "method": kept.chosen.name,
            "base": kept.chosen.base,
            "asked": self.plan.method,
            "source_rows": len(self.fitter.source),
            "of_source": kept.of_source,
            "source_set_aside": [item._asdict() for item in source.task.set_aside],
            "target_labels": "all" if self.fitter.labels else "none",
            "target_rows_without_label": len(self.tasks.bare),
            "guard": kept.chosen.why,
            "step": {} if kept.learnt is None else plain(kept.learnt.moved.facts),
            "head": {"name": kept.head.name, "temperature": kept.head.temperature} | kept.head.config,
            "engine": target.engine,
            "n_set_aside": len(target.task.set_aside),
            "set_aside": [item._asdict() for item in target.task.set_aside],
        }

    def _notes(self, kept: AdaptedModel, evidence: Evidence, strategies: list[ChosenStrategy]) -> Iterator[str]:
        if kept.chosen.why:
            yield f"{kept.chosen.words}: {kept.chosen.why}."
        taken = Counter(chosen.words for chosen in strategies)
        if len(taken) > 1:
            often = ", ".join(f"{words} {count}" for words, count in taken.most_common())
            yield f"Taken in {len(strategies)} trials: {often}."
        for over in (name for name in _PLAIN if name in evidence.assessment.gains):
            gain = evidence.assessment.gains[over]
            said = _SAID[kept.adapted][verdict(gain.interval)]
            yield f"Over {over}: {gain.metric} {signed(gain.value)} {spread(gain.interval)}: {said}."
        if evidence.adaptation is not None and evidence.adaptation.gain is not None:
            yield f"Adaptation is judged over {evidence.adaptation.gain.over}: {evidence.adaptation.why}."
        if copies := self.fitter.copies:
            yield f"{copies:,} source rows are in the target too, and were left out of the source."
        if lost := len(self.tasks.source.task.set_aside):
            yield f"{lost:,} source rows cannot be used, and were set aside."
        if kin := self.fitter.kin:
            yield f"{kin:,} source rows are of groups that the target has too, and were left out of the source."
        yield f"{self._learnt(kept)}."
        if bare := len(self.tasks.bare):
            yield f"{bare:,} target rows have no label: the encoding, the diagnosis and steps look at their features."
        yield from self.tasks.notes
        yield from self.tasks.target.task.notes
        if kept.moved is not None:
            yield from kept.moved.notes

    def _learnt(self, kept: AdaptedModel) -> str:
        """From which answers, in words."""
        source = f"{len(self.fitter.source):,}" if kept.of_source else "no"
        learnt = f"Learnt from {source} source rows"
        if not self.fitter.labels:
            return f"{learnt}; answers of target rows are not looked at, but for the test"
        if not self.tasks.labelled:
            return learnt
        if kept.of_target:
            return f"{learnt}; answers of target rows are learnt from too"
        guard = "to choose the way and " if kept.chosen.why else ""
        return f"{learnt}; answers of target rows are looked at {guard}for the test, and not learnt from"

    def _model(self, kept: AdaptedModel) -> Model:
        task, source = self.tasks.target.task, self.tasks.source.task
        encoder = kept.on.encoder
        return Model(
            modality=task.modality,
            kind=task.kind,
            classes=cast(Any, source.classes),
            columns=named(task.columns, source.columns),
            backbone=self.fitter.backbone if kept.moved is None else kept.moved.backbone,
            encoder=None if encoder is None else encoder.state(),
            head=kept.head,
            method=kept.chosen.name,
            options={
                "class_weight": stored(self.plan.class_weight),
                "seed": self.seed,
                "method": dict(self.plan.options),
            },
            engine=self.tasks.target.engine,
        )


def _held(seen: FeatureSet) -> HeldOut:
    return HeldOut.of(seen.task)._replace(group=seen.blocks)
