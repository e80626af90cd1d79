"""Masked language model (Devlin et al., 2019, "BERT: Pre-training of Deep Bidirectional Transformers", section 3.1).

l = -mean over hidden tokens w of log softmax(E h(f(x)_w) + b)_w,   E the token vectors of f itself

15 % of the tokens are to be told: of these 80 % are a mask, 10 % another token, 10 % stay. Going on with texts of the
domain at hand is domain-adaptive pretraining (Gururangan et al., 2020). Of a sentence encoder it moves what the words
are, and may undo what made sentences comparable: look at what `fit` says of it.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from headstart.backbones.backbone import Backbone
from headstart.backbones.encoders import TextEncoder
from headstart.errors import BackboneError
from headstart.preprocessing.spec import TextPreprocess
from headstart.pretraining.objective import Encoded, Learner, Objective
from headstart.pretraining.views import Views
from headstart.tasks import TEXT, Modality
from headstart.tasks.task import Array

__all__ = ["MLM", "MaskedTokens", "TokenStates"]

_MASKS = ("[MASK]", "<mask>")
_MASKED, _OTHER = 0.8, 0.1
_KNOWN = -100


@dataclass(frozen=True, kw_only=True)
class MLM(Objective):
    """hidden   the share of tokens that are to be told"""

    hidden: float = 0.15
    modality: ClassVar[Modality] = TEXT
    takes: ClassVar[int] = 2
    advice: ClassVar[str] = "--method simcse"

    def __post_init__(self) -> None:
        if not 0 < self.hidden < 1:
            raise ValueError(f"hidden = {self.hidden}: expected a share between 0 and 1, such as 0.15")

    def suits(self, backbone: Backbone) -> None:
        from transformers.models.auto.modeling_auto import MODEL_FOR_MASKED_LM_MAPPING_NAMES

        is_text = isinstance(backbone.module, TextEncoder)
        if not is_text or backbone.spec["config"]["model_type"] not in MODEL_FOR_MASKED_LM_MAPPING_NAMES:
            raise BackboneError(
                f"{backbone.name} tells no token from those on both sides of it: mlm is for networks like BERT, such "
                "as bundled:minilm"
            )
        if not any(mask in _vocabulary(backbone) for mask in _MASKS):
            raise BackboneError(f"{backbone.name} has no token for a mask: expected {' or '.join(_MASKS)}; use simcse")

    def views(self, backbone: Backbone, variation: Any) -> Views:
        vocabulary = _vocabulary(backbone)
        mask = next(vocabulary[name] for name in _MASKS if name in vocabulary)
        special = np.array(sorted(_special(backbone)), np.int64)
        ordinary = np.setdiff1d(np.array(sorted(vocabulary.values()), np.int64), special)
        return MaskedTokens(self.hidden, mask, special, ordinary)

    def encoder(self, module: nn.Module) -> nn.Module:
        return TokenStates(module)

    def learner(self, encoder: nn.Module, dim: int) -> Learner:
        module: Any = encoder.get_submodule("module")
        return _Tokens(_vectors(module))


@dataclass(frozen=True)
class MaskedTokens:
    """Texts of which some tokens are hidden, and which these were.

    special   tokens that no text has by itself: they are never hidden
    ordinary  tokens that may stand in place of another
    """

    hidden: float
    mask: int
    special: Array
    ordinary: Array

    def __call__(
        self, batch: tuple[Array, ...], lengths: Sequence[int], draws: Sequence[np.random.Generator]
    ) -> tuple[Array, ...]:
        """Ids, mask, and the ids that are to be told (elsewhere -100), int64 (N, L) each."""
        ids, mask = batch[0].copy(), batch[1]
        labels = np.full_like(ids, _KNOWN)
        for row, (length, rng) in enumerate(zip(lengths, draws, strict=True)):
            places = np.flatnonzero(~np.isin(ids[row, :length], self.special))
            if not len(places):
                continue
            some = places[rng.random(len(places)) < self.hidden]
            some = some if len(some) else rng.choice(places, 1)
            labels[row, some] = ids[row, some]
            how = rng.random(len(some))
            ids[row, some[how < _MASKED]] = self.mask
            other = some[(how >= _MASKED) & (how < _MASKED + _OTHER)]
            ids[row, other] = rng.choice(self.ordinary, len(other))
        return ids, mask, labels


class TokenStates(nn.Module):
    """A text encoder before its tokens are pooled: ids and mask (N, L) -> (N, L, D)."""

    def __init__(self, module: nn.Module) -> None:
        super().__init__()
        self.module = module

    def forward(self, ids: Tensor, mask: Tensor, labels: Tensor) -> Tensor:
        model: Any = self.module.model
        hidden: Tensor = model(input_ids=ids, attention_mask=mask).last_hidden_state
        return hidden


class _Tokens(Learner):
    def __init__(self, vectors: Tensor) -> None:
        super().__init__()
        count, width = vectors.shape
        self.h = nn.Sequential(nn.Linear(width, width), nn.GELU(), nn.LayerNorm(width))
        self.b = nn.Parameter(torch.zeros(count))

    def forward(self, rows: Encoded) -> Tensor:
        labels = rows.inputs[2]
        hidden = labels != _KNOWN
        module: Any = rows.encoder.get_submodule("module")
        logits = functional.linear(self.h(rows.features[hidden].float()), _vectors(module), self.b)
        return functional.cross_entropy(logits, labels[hidden], reduction="sum") / hidden.sum().clamp(min=1)


def _vectors(module: Any) -> Tensor:
    """(V, D) of the tokens."""
    vectors: Tensor = module.model.get_input_embeddings().weight
    return vectors


def _settings(backbone: Backbone) -> dict[str, Any]:
    preprocess = backbone.preprocess
    settings: dict[str, Any] = json.loads(preprocess.tokenizer_json) if isinstance(preprocess, TextPreprocess) else {}
    return settings


def _vocabulary(backbone: Backbone) -> dict[str, int]:
    from tokenizers import Tokenizer

    vocabulary: dict[str, int] = Tokenizer.from_str(json.dumps(_settings(backbone))).get_vocab(with_added_tokens=True)
    return vocabulary


def _special(backbone: Backbone) -> set[int]:
    return {int(token["id"]) for token in _settings(backbone).get("added_tokens", ()) if token.get("special")}
