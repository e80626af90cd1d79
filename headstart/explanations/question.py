"""What is asked of an answer: which number of it is explained, from logits and from predictions alike.

    one class of several          log p_c - log(1 - p_c) = z_c - log sum_(k != c) exp z_k          log-odds
    one class against another     log p_c - log p_a = z_c - z_a                                     log-odds
    a label of a multilabel task  log p_c - log(1 - p_c) = z_c                                      log-odds
    a value                       the value itself                                                 its own unit

with z the logits of the head over its temperature. Log-odds add up, and do not go flat where a probability is near 1.
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from headstart.messages import did_you_mean, few
from headstart.tasks.task import Array, Kind

__all__ = ["Question", "code_of", "question_of"]

_LEAST = 1e-12


@dataclass(frozen=True, kw_only=True)
class Question:
    """code      the class that is explained, by its place among the outputs; 0 for a value
    against   another class, or None: against all others
    """

    kind: Kind
    code: int
    against: int | None = None

    @property
    def unit(self) -> str:
        """In what attributions are counted."""
        return "log-odds" if self.kind.has_classes else "the unit of the target"

    def of_logits(self, logits: Tensor) -> Tensor:
        """(N, C) logits over the temperature -> (N,), see above."""
        if not self.kind.exclusive:
            return logits[:, self.code]
        if self.against is not None:
            return logits[:, self.code] - logits[:, self.against]
        others = [code for code in range(logits.shape[1]) if code != self.code]
        return logits[:, self.code] - torch.logsumexp(logits[:, others], 1)

    def of_predictions(self, predictions: Array) -> Array:
        """(N, C) probabilities or (N,) values -> (N,) float64, the same number; probabilities are cut at 1e-12."""
        if not self.kind.has_classes:
            return np.asarray(predictions, np.float64)
        p = np.clip(np.asarray(predictions, np.float64), _LEAST, 1.0)
        chance = p[:, self.code]
        if self.against is not None:
            return np.asarray(np.log(chance) - np.log(p[:, self.against]))
        others = p.sum(1) - chance if self.kind.exclusive else 1 - chance
        return np.asarray(np.log(chance) - np.log(np.maximum(others, _LEAST)))

    def measured(self, predictions: Array) -> Array:
        """(N,): the probability of the class, or the value: what a deletion curve shows."""
        values = np.asarray(predictions, np.float64)
        return values[:, self.code] if self.kind.has_classes else values

    def runner_up(self, predictions: Array) -> int | None:
        """The likeliest of the other classes by the predictions (C,) of one row; None where classes do not compete."""
        if not self.kind.exclusive or len(predictions) < 2:
            return None
        rest = np.array(predictions, np.float64)
        rest[self.code] = -np.inf
        return int(rest.argmax())


def code_of(name: Hashable, classes: Sequence[Hashable], kind: Kind) -> int:
    """The place of a class by its label or the text of it. ValueError for one that the model did not learn, and for a
    model of values."""
    if not kind.has_classes:
        raise ValueError(f"class {name!r}: the model answers with a value and has no classes: leave the class out")
    by_text = {str(label): code for code, label in enumerate(classes)}
    if str(name) not in by_text:
        raise ValueError(
            f"class {name!r}: the model does not know it; expected one of {few(classes)}."
            f"{did_you_mean(str(name), by_text)}"
        )
    return by_text[str(name)]


def question_of(
    kind: Kind, predictions: Array, decided: Array, classes: Sequence[Hashable], asked: Hashable, against: Hashable
) -> Question:
    """What to explain of one answer: the class that was asked for, else the one that was answered.

    predictions, decided   (C,) or () of one row, and the answer as targets are
    """
    other = None if against is None else code_of(against, classes, kind)
    if other is not None and not kind.exclusive:
        raise ValueError(f"against {against!r}: classes of a {kind} task do not compete: leave it out")
    if asked is not None:
        code = code_of(asked, classes, kind)
    elif kind.exclusive:
        code = int(decided)
    else:
        code = int(np.argmax(predictions)) if kind.has_classes else 0
    if other == code:
        raise ValueError(f"against {against!r}: that is the class that is explained: name another")
    return Question(kind=kind, code=code, against=other)
