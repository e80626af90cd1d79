"""The student as the candidate of a comparison, beside the same student without a teacher and the teacher itself."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from headstart.evidence.distillation import NO_TEACHER, TEACHER, distillation_of
from headstart.evidence.evidence import Evidence
from headstart.features.feature_set import FeatureSet
from headstart.heads.decision import decide, utility_of
from headstart.methods.born_again import SELF, own_teacher, teaching_for
from headstart.methods.method import Data, Fitted
from headstart.methods.plan import Plan
from headstart.methods.table import without_teacher
from headstart.methods.teaching import Teaching
from headstart.study.candidates import TaskCandidate
from headstart.study.comparison import Contender, Results, held_out_of
from headstart.study.model_cost import ModelCost, costs_of
from headstart.study.resampling import Trials
from headstart.tasks.goal import Answers, Decided
from headstart.tasks.task import Array

__all__ = ["Student"]

_STUDENT = "this model"
_NO_LABELS = "no row to learn from has a label"
_PSEUDO = "No row to learn from has a label: the teacher's answers stand for them, also to say when to stop."
_SAME_ROWS = (
    "The teacher may have learnt from rows that are tested here: if so, its own score is too good, and the student's "
    "may be a little."
)


class Student(TaskCandidate):
    """A method on the rows of one task, and on what a teacher says of them and of rows without a label.

    teaching   of all rows; None for a student that is its own teacher, anew in each trial
    tested     whether somebody gave the answers of the rows that are tested; else they are the teacher's
    alone      the same student without a teacher; None where no row to learn from has a label
    latest     what the teacher of the latest fit says
    """

    latest: Teaching

    def __init__(
        self, data: Data, plan: Plan, *, teaching: Teaching | None, bare: FeatureSet | None, tested: bool
    ) -> None:
        super().__init__(data.rows, data.backbone, plan, data.how)
        self.teaching, self.bare, self.tested = teaching, bare, tested
        self.alone: TaskCandidate | None = None
        if teaching is None or teaching.labelled:
            self.alone = self.beside[NO_TEACHER] = TaskCandidate(
                data.rows, data.backbone, without_teacher(plan), data.how
            )

    def fit(self, rows: Array) -> Fitted:
        """What the student learns from these rows, and from what its teacher says."""
        data = self._data(rows)
        self.latest = self.teaching or self._own(data)
        return self.row.fit(self.plan, data._replace(teaching=self.latest))

    def contenders(self) -> Iterator[tuple[str, Contender]]:
        """(name, who) of the student without a teacher, and of the teacher, where they can be tested."""
        if self.alone is not None:
            yield NO_TEACHER, self.alone.contend
        if self.teaching is not None and self.tested:
            teaching = self.teaching
            yield TEACHER, lambda fitted, train, test: self._theirs(teaching, self.rows.take(test))

    def complete(self, evidence: Evidence, fitted: Fitted, results: Results, trials: Trials) -> Evidence:
        """With what the student kept of the teacher, and what either costs."""
        evidence = super().complete(evidence, fitted, results, trials)
        teaching = self.latest
        inputs = self.rows.task.take(trials.tested).inputs
        own, theirs = costs_of([[self.model(fitted)], teaching.teacher.models], list(inputs))
        bare = 0 if self.bare is None else len(self.bare)
        counts = (evidence.n_train, bare) if teaching.labelled else (0, evidence.n_train + bare)
        distillation = distillation_of(
            held_out_of(self.rows, self.goal, trials),
            evidence.assessment if self.tested else None,
            self._answers(results, trials),
            {_STUDENT: own, NO_TEACHER: own, TEACHER: theirs},
            teacher=SELF if self.teaching is None else teaching.teacher.name,
            rows=counts,
            why="" if self.alone is not None else _NO_LABELS,
            seed=self.seed,
        )
        notes = (*evidence.notes, *self._notes(teaching, own, theirs))
        return replace(evidence, notes=notes, distillation=distillation)

    def compare(self, evidence: Evidence, results: Results, trials: Trials) -> Evidence:
        """What each dearer step bought; why it is not known whether transfer helps, where it is not."""
        evidence = super().compare(evidence, results, trials)
        if self.alone is not None:
            return evidence
        return replace(evidence, facts=replace(evidence.facts, steps=(), transfer_untold=_NO_LABELS))

    def _answers(self, results: Results, trials: Trials) -> dict[str, Answers]:
        """By name, those to the rows that are tested; who is its own teacher was taught by the one without."""
        answers: dict[str, Answers] = {_STUDENT: results.answers[self.name]}
        if self.alone is not None:
            answers[NO_TEACHER] = results.answers[NO_TEACHER]
        if self.teaching is None:
            return answers | {TEACHER: results.answers[NO_TEACHER]}
        return answers | {TEACHER: self._theirs(self.teaching, self.rows.take(trials.tested))}

    def _theirs(self, teaching: Teaching, rows: FeatureSet) -> Answers:
        """What the teacher answers to rows, decided for the student's goal by the shares that it expects itself."""
        p, task = teaching.answers(rows), self.rows.task
        if not task.kind.exclusive:
            return p
        utility = utility_of(self.plan.aim(task.kind, task.classes), p, p.mean(axis=0))
        return p if utility is None else Decided(p, decide(p, utility))

    def _notes(self, teaching: Teaching, own: ModelCost, theirs: ModelCost) -> Iterator[str]:
        yield from teaching.teacher.notes(teaching.classes)
        bare = 0 if self.bare is None else len(self.bare)
        if not teaching.labelled:
            yield _PSEUDO
        if bare:
            yield f"{bare:,} rows without a label were learnt from by the teacher's answers alone."
        if self.teaching is not None and self.tested:
            yield _SAME_ROWS
        if own.megabytes > theirs.megabytes and self.teaching is not None:
            yield (
                f"The student is larger than the teacher ({own.megabytes:.1f} MB, and {theirs.megabytes:.1f}): it is "
                "worth that only where it is better."
            )

    def _own(self, data: Data) -> Teaching:
        """The student's own fit to these rows, as its teacher; what a backbone makes that is let go is not kept."""
        teacher = own_teacher(self.plan, data)
        how = (replace(data.how[0], cache=None), data.how[1])
        return teaching_for(teacher, self.plan, data._replace(how=how), self.bare)
