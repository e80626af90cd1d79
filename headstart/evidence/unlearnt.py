"""Rows of classes that the model did not learn: how many, which, and what the scores are without them.

No answer to such a row can be right. It counts as wrong in every score: its class is one more of those over which
balanced accuracy and macro averages go, as in scikit-learn, and in log loss its probability of 0 is taken as 2e-16.
"""

from __future__ import annotations

import numpy as np

from headstart.evidence.facts import Unlearnt
from headstart.evidence.held_out import HeldOut
from headstart.evidence.scores import score
from headstart.evidence.verdict import figure
from headstart.messages import few
from headstart.tasks.goal import Answers, Decided, in_words
from headstart.tasks.task import Array

__all__ = ["unlearnt"]


def unlearnt(held_out: HeldOut, predictions: Answers) -> tuple[Unlearnt | None, tuple[str, ...]]:
    """The facts and a note; None and none where every class was learnt."""
    strange = held_out.unlearnt
    count = int(strange.sum())
    if not count or held_out.learnt is None:
        return None, ()
    targets = held_out.targets
    counts = held_out.kind.counts(targets, len(held_out.classes))
    labels = dict(zip(held_out.classes[held_out.learnt :], counts[held_out.learnt :].tolist(), strict=True))
    facts = Unlearnt(count, len(targets), {str(name): n for name, n in labels.items()})
    note = (
        f"{count:,} of {len(targets):,} rows to test on have classes that the model did not learn: "
        f"{few(labels)}. They count as wrong in every score."
    )
    if not strange.all():
        without = _scores_without(held_out, predictions, ~strange)
        facts = facts._replace(scores_without=without)
        shown = dict.fromkeys((held_out.headline, "accuracy", "log_loss"))
        note += f" Without them: {', '.join(f'{in_words(metric)} {figure(without[metric])}' for metric in shown)}."
    return facts, (note,)


def _scores_without(held_out: HeldOut, predictions: Answers, rows: Array) -> dict[str, float]:
    """The scores of these rows, as if there were no other classes."""
    targets = held_out.targets[rows, : held_out.learnt] if held_out.kind.several else held_out.targets[rows]
    restricted = HeldOut(targets, held_out.kind, held_out.classes[: held_out.learnt], goal=held_out.goal)
    if isinstance(predictions, Decided):
        kept = Decided(np.asarray(predictions.predictions)[..., rows, :], np.asarray(predictions.decisions)[..., rows])
        return score(restricted, kept)
    return score(restricted, np.asarray(predictions)[..., rows, :])
