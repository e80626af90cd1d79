"""BERT (Devlin et al., 2019) in plain torch, for texts: what transformers' `BertModel` computes, without its import.

    x_0 = LN(word_t + type_0 + position_t)
    h   = LN(x + W_o softmax(Q K^T / sqrt(D / heads)) V + b_o),   Q, K, V = x W + b, a head each of D / heads columns
    x'  = LN(h + W_2 gelu(W_1 h + b_1) + b_2)

Importing transformers takes longer than a model of sentences takes to answer. Weights have the names that they have
there, so that a stored backbone is the same whichever computes it.
"""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional

__all__ = ["Bert", "is_plain_bert"]

_ACTIVATION = "gelu"
_SIZES = (
    "vocab_size",
    "hidden_size",
    "intermediate_size",
    "max_position_embeddings",
    "num_attention_heads",
    "num_hidden_layers",
    "type_vocab_size",
)
_SHARES = ("attention_probs_dropout_prob", "hidden_dropout_prob", "initializer_range", "layer_norm_eps")
_IDLE = {"gradient_checkpointing": False, "position_embedding_type": "absolute"}
"""Settings that change nothing at these values."""


def is_plain_bert(config: dict[str, Any]) -> bool:
    """Whether `Bert` computes what such a config.json of transformers means: every setting of it is known here."""
    rest = {name: value for name, value in config.items() if name not in (*_SIZES, *_SHARES)}
    known = {"model_type": "bert", "hidden_act": _ACTIVATION, "pad_token_id": 0} | _IDLE
    counts = [config.get(name) for name in _SIZES]
    shares = [config.get(name) for name in _SHARES]
    return (
        all(type(count) is int and count > 0 for count in counts)
        and all(type(share) is float and 0 < share < 1 for share in shares)
        and config["hidden_size"] % config["num_attention_heads"] == 0
        and all(name in known and value == known[name] for name, value in rest.items())
        and not known.keys() - rest.keys() - _IDLE.keys()
    )


def _is_traced() -> bool:
    is_tracing: Any = torch.jit.is_tracing  # type: ignore[attr-defined]
    return bool(is_tracing()) or torch.compiler.is_exporting()


class Hidden(NamedTuple):
    """last_hidden_state   (N, L, D)"""

    last_hidden_state: Tensor


class Bert(nn.Module):
    """(input_ids, attention_mask), each (N, L) int64 -> the states of the tokens.

    config   for which `is_plain_bert` holds
    """

    def __init__(self, config: dict[str, Any]) -> None:
        super().__init__()
        self.embeddings = _Embeddings(config)
        self.encoder = _Encoder(config)
        self._initialise(config["initializer_range"])

    def forward(self, input_ids: Tensor, attention_mask: Tensor) -> Hidden:
        # None where no token is left out: faster, and the same; a GPU would have to be waited for to know.
        mask: Tensor | None = None
        if _is_traced() or attention_mask.is_cuda or not bool(attention_mask.all()):
            mask = attention_mask[:, None, None, :].bool().expand(-1, 1, input_ids.shape[1], -1)
        return Hidden(self.encoder(self.embeddings(input_ids), mask))

    def get_input_embeddings(self) -> nn.Embedding:
        """The vectors of the tokens."""
        return self.embeddings.word_embeddings

    def _initialise(self, deviation: float) -> None:
        """Normal of this deviation, biases 0, and 0 for padding."""
        for module in self.modules():
            if isinstance(module, nn.Linear | nn.Embedding):
                nn.init.normal_(module.weight, 0.0, deviation)
            if isinstance(module, nn.Linear):
                nn.init.zeros_(module.bias)
            elif isinstance(module, nn.Embedding) and module.padding_idx is not None:
                with torch.no_grad():
                    module.weight[module.padding_idx].zero_()


class _Embeddings(nn.Module):
    def __init__(self, config: dict[str, Any]) -> None:
        super().__init__()
        width = config["hidden_size"]
        self.word_embeddings = nn.Embedding(config["vocab_size"], width, padding_idx=config["pad_token_id"])
        self.position_embeddings = nn.Embedding(config["max_position_embeddings"], width)
        self.token_type_embeddings = nn.Embedding(config["type_vocab_size"], width)
        self.LayerNorm = nn.LayerNorm(width, eps=config["layer_norm_eps"])
        self.dropout = nn.Dropout(config["hidden_dropout_prob"])

    def forward(self, ids: Tensor) -> Tensor:
        positions = torch.arange(ids.shape[1], device=ids.device)[None]
        x = self.word_embeddings(ids) + self.token_type_embeddings(torch.zeros_like(ids))
        x = x + self.position_embeddings(positions)
        normed: Tensor = self.dropout(self.LayerNorm(x))
        return normed


class _Encoder(nn.Module):
    def __init__(self, config: dict[str, Any]) -> None:
        super().__init__()
        self.layer = nn.ModuleList([_Layer(config) for _ in range(config["num_hidden_layers"])])

    def forward(self, x: Tensor, mask: Tensor | None) -> Tensor:
        for layer in self.layer:
            x = layer(x, mask)
        return x


class _Layer(nn.Module):
    def __init__(self, config: dict[str, Any]) -> None:
        super().__init__()
        self.attention = _Attention(config)
        self.intermediate = _Intermediate(config)
        self.output = _Residual(config, config["intermediate_size"])

    def forward(self, x: Tensor, mask: Tensor | None) -> Tensor:
        h = self.attention(x, mask)
        out: Tensor = self.output(self.intermediate(h), h)
        return out


class _Attention(nn.Module):
    def __init__(self, config: dict[str, Any]) -> None:
        super().__init__()
        self.self = _SelfAttention(config)
        self.output = _Residual(config, config["hidden_size"])

    def forward(self, x: Tensor, mask: Tensor | None) -> Tensor:
        out: Tensor = self.output(self.self(x, mask), x)
        return out


class _SelfAttention(nn.Module):
    def __init__(self, config: dict[str, Any]) -> None:
        super().__init__()
        width = config["hidden_size"]
        self.heads = config["num_attention_heads"]
        self.query = nn.Linear(width, width)
        self.key = nn.Linear(width, width)
        self.value = nn.Linear(width, width)
        self.dropout = nn.Dropout(config["attention_probs_dropout_prob"])

    def forward(self, x: Tensor, mask: Tensor | None) -> Tensor:
        q, k, v = (self._of_heads(linear(x)) for linear in (self.query, self.key, self.value))
        dropout = self.dropout.p if self.training else 0.0
        scale = 1 / math.sqrt(q.shape[-1])
        out = functional.scaled_dot_product_attention(q, k, v, attn_mask=mask, dropout_p=dropout, scale=scale)
        return out.transpose(1, 2).flatten(2)

    def _of_heads(self, x: Tensor) -> Tensor:
        """(N, L, D) -> (N, heads, L, D / heads)."""
        count, length, width = x.shape
        return x.view(count, length, self.heads, width // self.heads).transpose(1, 2)


class _Intermediate(nn.Module):
    def __init__(self, config: dict[str, Any]) -> None:
        super().__init__()
        self.dense = nn.Linear(config["hidden_size"], config["intermediate_size"])

    def forward(self, x: Tensor) -> Tensor:
        return functional.gelu(self.dense(x))


class _Residual(nn.Module):
    """(N, L, inputs) and (N, L, D) -> (N, L, D): LN(x + dropout(W z + b))."""

    def __init__(self, config: dict[str, Any], inputs: int) -> None:
        super().__init__()
        self.dense = nn.Linear(inputs, config["hidden_size"])
        self.LayerNorm = nn.LayerNorm(config["hidden_size"], eps=config["layer_norm_eps"])
        self.dropout = nn.Dropout(config["hidden_dropout_prob"])

    def forward(self, z: Tensor, x: Tensor) -> Tensor:
        out: Tensor = self.LayerNorm(self.dropout(self.dense(z)) + x)
        return out
