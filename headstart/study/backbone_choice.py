"""On which backbone a fit stands where none is named: chosen on the rows to learn from, and told in the evidence.

With a single split the choice is made once, on rows to learn from (`SAMPLE` of them, or 8 a class, where there are
more). In cross-validation each trial chooses anew on its own rows, as it chooses a head, so that the figures are of the
whole procedure; the saved model chooses on all rows. Rows that a trial is tested on have no part in its choice.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import NamedTuple, Protocol

import numpy as np

from headstart.artefact import Model
from headstart.backbones.backbone import Backbone
from headstart.backbones.load import load
from headstart.errors import BackboneError
from headstart.evidence.evidence import Evidence
from headstart.features.extraction import Extraction
from headstart.features.feature_set import FeatureSet, look, through_window
from headstart.listener import SILENT, Listener
from headstart.methods.method import Fitted, Method
from headstart.methods.plan import Plan
from headstart.study.candidates import TaskCandidate
from headstart.study.comparison import Comparison, Results
from headstart.study.resampling import Trials, plan_trials
from headstart.study.stopwatch import Stopwatch
from headstart.study.task_comparison import task_comparison
from headstart.tasks.goal import Answers
from headstart.tasks.kind import Kind
from headstart.tasks.modality import Modality
from headstart.tasks.task import Array, Task

__all__ = ["Choice", "Chooser", "Chosen", "View", "candidates_for", "comparison_for", "comparison_of_chosen"]


class Choice(NamedTuple):
    """Of candidates: which is taken, by how much each is better than the first, the standard errors of that, on how
    many rows, and what was measured, in words."""

    taken: int
    gains: tuple[float, ...]
    errors: tuple[float, ...]
    rows: int
    measure: str


class Chooser(Protocol):
    """Who chooses."""

    @property
    def named(self) -> bool:
        """Whether a person named the candidates."""

    def names(self, modality: Modality) -> tuple[str, ...]:
        """The candidates for such inputs, the default first; () where there is nothing to choose among."""

    def suits(self, kind: Kind) -> bool:
        """Whether it can choose for such a kind."""

    def sample(self, task: Task, seed: int) -> Array:
        """The rows that a choice looks at."""

    def choose(self, views: Sequence[FeatureSet]) -> Choice:
        """Of what the candidates make of the same rows."""


class View(NamedTuple):
    """A candidate, and what it makes of rows; how it was computed."""

    name: str
    backbone: Backbone | None
    rows: FeatureSet
    how: tuple[Extraction, Listener]


@dataclass
class Chosen:
    """What was chosen, trial by trial and for the model that is kept.

    names    of the candidates, the default first
    final    the choice for the model that is kept; None where there was none
    often    how often each candidate was taken in cross-validation
    """

    names: tuple[str, ...] = ()
    final: Choice | None = None
    often: Counter[str] = field(default_factory=Counter)

    @property
    def name(self) -> str | None:
        """The backbone of the model that is kept, where it is not the default."""
        return None if self.final is None or not self.final.taken else self.names[self.final.taken]

    def told(self, evidence: Evidence) -> Evidence:
        """The evidence with a note of it."""
        return replace(evidence, notes=(*evidence.notes, *self.notes))

    @property
    def words(self) -> str:
        """What was chosen over what, and why."""
        choice = self.final
        if choice is None:
            return ""
        others = [name for number, name in enumerate(self.names) if number != choice.taken]
        if not choice.taken:
            return (
                f"backbone {self.names[0]}: on {choice.rows} rows to learn from no other is better beyond a standard "
                f"error ({', '.join(others)})"
            )
        gain, error = choice.gains[choice.taken], choice.errors[choice.taken]
        return (
            f"backbone {self.names[choice.taken]}, over {', '.join(others)}: on {choice.rows} rows to learn from its "
            f"left-out {choice.measure} is {gain:.3f} above that of {self.names[0]} (standard error {error:.3f})"
        )

    @property
    def notes(self) -> tuple[str, ...]:
        """For the evidence."""
        if self.final is None:
            return ()
        words = self.words[0].upper() + self.words[1:]
        if not self.often:
            return (f"{words}. --backbone names one.",)
        often = ", ".join(f"{name} {count}" for name, count in self.often.most_common())
        return (f"{words}. Each trial of the cross-validation chose anew: {often}. --backbone names one.",)


def candidates_for(
    chooser: Chooser | None, task: Task, row: Method, backbone: str | None, drawn: bool
) -> tuple[str, ...] | None:
    """The backbones that a fit chooses among, the default first; None where there is nothing to choose.

    drawn   whether it draws on a source
    ValueError where candidates were named and have no use
    """
    if chooser is None:
        return None
    why = ""
    if backbone is not None:
        why = f"backbone {backbone!r} is named"
    elif drawn or row.moves_weights or row.needs_teacher or not row.reuses:
        why = "backbones are chosen among for a probe without a source"
    elif task.modality.has_columns:
        why = f"the features of a {task.modality} are its columns"
    elif not chooser.suits(task.kind):
        why = f"kind {str(task.kind)!r} has several answers a row"
    if why and chooser.named:
        raise ValueError(f"candidates have no use: {why}")
    names = () if why else chooser.names(task.modality)
    return names or None


def comparison_for(
    chooser: Chooser | None,
    names: Sequence[str] | None,
    default: View,
    plan: Plan,
    fresh: Extraction,
    watch: Stopwatch,
    before: Backbone | None,
) -> tuple[Comparison, Chosen]:
    """As `comparison_of_chosen`, or of the default where there is nothing to choose; before: see `task_comparison`."""
    if chooser is not None and names is not None:
        return comparison_of_chosen(chooser, names, default, plan, fresh, watch)
    return task_comparison(default.rows, default.backbone, plan, default.how, watch, before), Chosen()


def comparison_of_chosen(
    chooser: Chooser,
    names: Sequence[str],
    default: View,
    plan: Plan,
    fresh: Extraction,
    watch: Stopwatch,
) -> tuple[Comparison, Chosen]:
    """The comparison on the backbone that is chosen, and what was chosen.

    names     of the candidates; default: what the first of them makes of all usable rows
    fresh     how another backbone sees them
    """
    rows, how, trials = default.rows, default.how, plan_trials(default.rows, plan.seed)
    sample = np.arange(len(rows))
    if trials.held_out:
        train = trials.trials[0].train
        sample = train[chooser.sample(rows.take(train).task, plan.seed)]
    with watch("features"):
        views = [default, *_others(names[1:], default, sample, fresh)]
    chosen = Chosen(tuple(view.name for view in views))
    if len(views) < 2:
        return task_comparison(rows, default.backbone, plan, how, watch), chosen
    parts = [view.rows if len(view.rows) == len(sample) else view.rows.take(sample) for view in views]
    with watch("choice"):
        chosen.final = chooser.choose(parts)
    how[1].say(f"{chosen.words} (--backbone names one)")
    final = views[chosen.final.taken]
    if len(final.rows) < len(rows):
        with watch("features"):
            final = _seen(final.name, final.backbone, default, np.arange(len(rows)), fresh)
    comparison = task_comparison(final.rows, final.backbone, plan, final.how, watch)
    if trials.held_out:
        return comparison, chosen
    candidates = [TaskCandidate(view.rows, view.backbone, plan, view.how) for view in views]
    return replace(comparison, candidate=ChoosingCandidate(chooser, candidates, chosen)), chosen


def _others(names: Sequence[str], default: View, sample: Array, fresh: Extraction) -> list[View]:
    """The other candidates that can be used, and what they make of some of the rows."""
    views: list[View] = []
    listener = default.how[1]
    for name in names:
        try:
            backbone = replace(load(name), name=name)
            if backbone.modality != default.rows.task.modality:
                raise BackboneError(f"it takes {backbone.modality.noun}")
            views.append(_seen(name, backbone, default, sample, fresh))
        except BackboneError as error:
            listener.say(f"backbone {name} is left out: {error}")
    return views


def _seen(name: str, backbone: Backbone | None, default: View, sample: Array, fresh: Extraction) -> View:
    """What a candidate makes of some of the rows; BackboneError where it cannot read one."""
    rows, listener = default.rows if len(sample) == len(default.rows) else default.rows.take(sample), default.how[1]
    window = getattr(default.backbone and default.backbone.preprocess, "window", None)
    backbone = through_window(backbone, replace(rows.task, notes=()), (), window, SILENT)[0] or backbone
    new = look(rows.task, backbone, replace(fresh, thumbs=False), listener, f"features of {name}")
    if len(new) != len(rows):
        raise BackboneError(f"{len(rows) - len(new)} rows could not be read again")
    new = replace(new, blocks=rows.blocks, thumbs=rows.thumbs, window=rows.window)
    return View(name, backbone, new, (fresh.as_fitted(new.engine), listener))


class ChoosingCandidate(TaskCandidate):
    """A method on the backbone that is chosen on the very rows that it learns from.

    members   the method on each backbone, the default first
    """

    def __init__(self, chooser: Chooser, members: Sequence[TaskCandidate], chosen: Chosen) -> None:
        first = members[0]
        super().__init__(first.rows, first.backbone, first.plan, first.how)
        self.chooser, self.members, self.chosen = chooser, list(members), chosen

    def fit(self, rows: Array) -> Fitted:
        return self.members[self._taken(rows)].fit(rows)

    def answer(self, fitted: Fitted, rows: Array) -> Answers:
        return self._member(fitted).answer(fitted, rows)

    def model(self, fitted: Fitted) -> Model:
        return self._member(fitted).model(fitted)

    def complete(self, evidence: Evidence, fitted: Fitted, results: Results, trials: Trials) -> Evidence:
        return self._member(fitted).complete(evidence, fitted, results, trials)

    def _taken(self, rows: Array) -> int:
        taken = self.chooser.choose([member.rows.take(rows) for member in self.members]).taken
        if len(rows) < len(self.rows):
            self.chosen.often[self.chosen.names[taken]] += 1
        return taken

    def _member(self, fitted: Fitted) -> TaskCandidate:
        """Whose backbone the head stands on."""
        return next(member for member in self.members if member.backbone is fitted.backbone)
