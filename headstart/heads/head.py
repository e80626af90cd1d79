"""What a head is: features in, logits (or a value) out; a handful of named arrays and nothing else."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, Protocol, TypeGuard, get_args

import numpy as np

from headstart.heads.arrays import UTILITY, foreign_arrays, head_arrays
from headstart.heads.decision import decide
from headstart.heads.facts import FitterFacts, HeadFacts
from headstart.heads.layers import grown, in_context, radial
from headstart.tasks.goal import Answers, Decided
from headstart.tasks.kind import kind_named
from headstart.tasks.task import Array, Kind

if TYPE_CHECKING:
    from scipy import sparse

    Features = Array | sparse.csr_array

__all__ = ["ClassWeight", "Fitter", "Form", "Head", "HeadFit", "probabilities", "shaped"]

ClassWeight = Literal["balanced"] | Mapping[int, float] | None
Form = Literal["plain", "root"]
BLOCK = 1024


@dataclass(frozen=True, kw_only=True)
class Head:
    """A fitted head: `layers` of (weight, bias) with ReLU between them, on standardised features.

    logits = W_k relu(... relu(W_1 ((x - mean) / scale) + b_1)) + b_k        x = shaped(features, form)

    arrays   "mean" (D,), "scale" (D,), then "weight.0" (D, H), "bias.0" (H,), "weight.1" (H, C), "bias.1" (C,) ...
             A linear head has only layer 0. Weights are float32, the rest float64 (a target may be a date in seconds).
             C is the number of classes; 1 for regression
             Before the standardisation may stand "turn" (D, K) and "shift" (K,): x <- x turn + shift, and "unit" (1,):
             x <- x / |x|; mean and scale are then (K,). After it may stand either "landmarks" (L, K) and "gamma" (1,),
             or "trees" (T, M, 5), or "context" (n, K), "answers" (n, E), "network" (P,) and "design" (6,): the layers
             then stand on what `heads.layers` makes of them, with "embeds" (1,) beside a context on row embeddings
             "utility" (C,) or (C, C): by which answers are decided, see `heads.decision`; without it the likeliest
    facts    how the head came about; "config" in a saved model

    Raises ValueError for an array that would not be used, and for an unknown form.
    """

    name: str
    kind: Kind
    arrays: dict[str, Array]
    temperature: float = 1.0
    form: Form = "plain"
    facts: HeadFacts = field(default_factory=FitterFacts)

    def __post_init__(self) -> None:
        object.__setattr__(self, "kind", kind_named(self.kind))
        if foreign := foreign_arrays(self.arrays):
            expected = ", ".join(head_arrays(self.arrays))
            raise ValueError(f"the {self.name} head holds {', '.join(foreign)}: expected only {expected}")
        if self.form not in get_args(Form):
            raise ValueError(f"form = {self.form!r}: expected {' or '.join(map(repr, get_args(Form)))}")

    @property
    def width(self) -> int:
        """D, how many features a row has."""
        return len(self.arrays.get("turn", self.arrays["mean"]))

    def logits(self, features: Features) -> Array:
        """(N, D) features -> (N, C) logits (regression: (N, 1) values), before the temperature. float64.

        Features may be sparse where the head is one linear layer; ValueError where it is more.
        """
        if _sparse(features):
            return self._of_sparse(features)
        features = np.asarray(features)
        parts = [self._block(features[start : start + BLOCK]) for start in range(0, len(features), BLOCK)]
        return np.concatenate(parts) if parts else self._block(features)

    def moved(self, offsets: Array) -> Head:
        """The head whose logits stand these (C,) higher."""
        last = max(name for name in self.arrays if name.startswith("bias."))
        return replace(self, arrays=self.arrays | {last: self.arrays[last] + offsets})

    def _block(self, features: Array) -> Array:
        arrays, x = self.arrays, shaped(features, self.form).astype(np.float64)
        if "turn" in arrays:
            x = x @ arrays["turn"] + arrays["shift"]
        if "unit" in arrays:
            lengths = np.linalg.norm(x, axis=1, keepdims=True)
            x /= np.where(lengths > 0, lengths, 1.0)
        x = (x - arrays["mean"]) / arrays["scale"]
        if "landmarks" in arrays:
            x = radial(x, arrays["landmarks"], float(arrays["gamma"][0]))
        elif "trees" in arrays:
            x = grown(x, arrays["trees"], len(arrays["weight.0"]))
        elif "context" in arrays:
            x = in_context(x, arrays)
        layer = 0
        while f"weight.{layer}" in self.arrays:
            if layer:
                x = np.maximum(x, 0.0)
            x = x @ self.arrays[f"weight.{layer}"].astype(np.float64) + self.arrays[f"bias.{layer}"]
            layer += 1
        return np.asarray(x)

    def _of_sparse(self, features: sparse.csr_array) -> Array:
        """x W / scale + (b - mean W / scale): the same without a dense row."""
        arrays = self.arrays
        if self.form != "plain" or not set(arrays) <= {"mean", "scale", "weight.0", "bias.0", UTILITY}:
            raise ValueError(f"the {self.name} head is more than one linear layer and takes no sparse features")
        W = arrays["weight.0"].astype(np.float64) / arrays["scale"][:, None]
        return np.asarray(features @ W) + (arrays["bias.0"] - arrays["mean"] @ W)

    def predict(self, features: Features) -> Array:
        """(N, D) features -> probabilities (N, C) for classification and multilabel, values (N,) for regression."""
        return probabilities(self.logits(features), self.kind, self.temperature)

    def decide(self, predictions: Array) -> Array:
        """Answers, as targets are, from predictions (..., C) or (...,) of this head."""
        utility = self.arrays.get(UTILITY)
        return self.kind.decide(predictions) if utility is None else decide(predictions, utility)

    def answer(self, features: Features) -> Answers:
        """(N, D) features -> predictions, with decisions where the likeliest class is not the answer."""
        predictions = self.predict(features)
        return Decided(predictions, self.decide(predictions)) if UTILITY in self.arrays else predictions

    def decided_by(self, utility: Array | None) -> Head:
        """The head that decides by this utility; None: the likeliest class."""
        others = {name: array for name, array in self.arrays.items() if name != UTILITY}
        return replace(self, arrays=others if utility is None else others | {UTILITY: utility})


class HeadFit(NamedTuple):
    """A fitted head and what cross-validation said of it.

    out_of_fold   (N, C) logits of each training row from a fit that did not see it; (N, 1) for regression
    """

    head: Head
    out_of_fold: Array


class Fitter(Protocol):
    """A keyword-only dataclass of options that fits a head.

    features (N, D) float32; targets as in `Task`; classes: how many (1 for regression); folds (N,) int: the fold in
    which each row is held out (rows of one group or duplicates share a fold); class_weight None, "balanced", or a
    weight for each class code (1 where none is given).
    """

    def __call__(
        self,
        features: Array,
        targets: Array,
        *,
        kind: Kind,
        classes: int,
        folds: Array,
        class_weight: ClassWeight = None,
        seed: int = 0,
    ) -> HeadFit: ...


def _sparse(features: Any) -> TypeGuard[sparse.csr_array]:
    """Whether these are rows of `scipy.sparse`, which nobody has loaded who has none."""
    return not isinstance(features, np.ndarray) and hasattr(features, "tocsr")


def shaped(features: Array, form: Form) -> Array:
    """(N, D) features as the head takes them: "plain" as they are, "root" sign(x) sqrt(|x|).

    The root tames the few large values of pooled activations (Perronnin, Sanchez and Mensink, 2010, section 3.1).
    """
    if form == "plain":
        return features
    root = np.abs(features)
    np.sqrt(root, out=root)
    return np.copysign(root, features, out=root)


def probabilities(logits: Array, kind: Kind, temperature: float = 1.0) -> Array:
    """Logits (N, C) -> softmax (classification), sigmoid (multilabel) at a temperature; regression: values (N,)."""
    return kind_named(kind).probabilities(logits, temperature)
