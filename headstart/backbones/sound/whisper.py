"""The encoder of Whisper (Radford et al., 2023): two convolutions over a log-mel spectrogram, then a transformer.

    h_0 = gelu(conv_2 gelu(conv_1 x)) + positions          conv_2 halves the frames: one state for 320 samples
    h'  = h + W_o attention(LN h),   h'' = h' + W_2 gelu(W_1 LN h' + b_1) + b_2

It was trained on 30 seconds, silence behind the words included. A backbone need not run over all of that: of a clip the
first `least` states, or as many as it has, are computed, from as many positions, and those it fills are averaged. What
stands behind them, as another clip of the batch may be longer, is not attended to.
"""

from __future__ import annotations

import math

from torch import Tensor, nn
from torch.nn import functional

from headstart.backbones.sound.encoder import SoundEncoder, at_least
from headstart.backbones.sound.front_end import FrontEnd, Spectrum, prefix_mask
from headstart.backbones.sound.pooling import mean_over_time

__all__ = ["KEYS", "WhisperEncoder", "from_ctranslate2"]

KEYS = ("width", "layers", "heads", "inner", "mels", "positions", "least")
_SAMPLES = 320
"""Of a state."""


class WhisperEncoder(SoundEncoder):
    """(waves (N, T) at 16 kHz, samples (N,)) -> (N, width): the mean of the states of each clip.

    width, layers, heads, inner   of the transformer
    mels, positions               bands of the spectrogram, states that have a position (1500: 30 seconds)
    least                         states that are computed of a shorter clip too (150: 3 seconds)
    """

    def __init__(self, sizes: dict[str, int]) -> None:
        super().__init__()
        width, self.positions, self.least = sizes["width"], sizes["positions"], sizes["least"]
        edge = "reflect" if self.least == self.positions else "reflect-start"
        self.front_end = FrontEnd(Spectrum(mels=sizes["mels"], form="whisper", edge=edge, drop_last=True))  # type: ignore[arg-type]
        self.stem = _Stem(sizes["mels"], width, self.positions)
        self.layers = nn.ModuleList(_Layer(width, sizes["heads"], sizes["inner"]) for _ in range(sizes["layers"]))
        self.layer_norm = nn.LayerNorm(width)

    def forward(self, waves: Tensor, samples: Tensor) -> Tensor:
        return mean_over_time(self.states(waves, samples), self.counts("", samples))

    def states(self, waves: Tensor, samples: Tensor) -> Tensor:
        """(N, L, width), L >= least; behind those that are computed of a clip they mean nothing."""
        length = max(self.least, min(self.positions, math.ceil(waves.shape[1] / _SAMPLES)))
        waves = at_least(waves, length * _SAMPLES)[:, : length * _SAMPLES]
        count = self.counts("", samples).clamp(min=self.least)
        x = self.stem(self.front_end(waves, count * _SAMPLES).to(self.dtype))
        mask = None if length == self.least else prefix_mask(count, length)[:, None, None, :]
        for layer in self.layers:
            x = layer(x, mask)
        states: Tensor = self.layer_norm(x)
        return states

    def counts(self, after: str, samples: Tensor) -> Tensor:
        return (samples + _SAMPLES - 1).div(_SAMPLES, rounding_mode="floor").clamp(1, self.positions)


class _Stem(nn.Module):
    """(N, 2 L, mels) -> (N, L, width)."""

    def __init__(self, mels: int, width: int, positions: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv1d(mels, width, 3, padding=1)
        self.conv2 = nn.Conv1d(width, width, 3, stride=2, padding=1)
        self.embed_positions = nn.Embedding(positions, width)

    def forward(self, levels: Tensor) -> Tensor:
        x = functional.gelu(self.conv1(levels.transpose(1, 2)))
        x = functional.gelu(self.conv2(x)).transpose(1, 2)
        return x + self.embed_positions.weight[: x.shape[1]]


class _Layer(nn.Module):
    def __init__(self, width: int, heads: int, inner: int) -> None:
        super().__init__()
        self.self_attn = _Attention(width, heads)
        self.self_attn_layer_norm = nn.LayerNorm(width)
        self.fc1 = nn.Linear(width, inner)
        self.fc2 = nn.Linear(inner, width)
        self.final_layer_norm = nn.LayerNorm(width)

    def forward(self, x: Tensor, mask: Tensor | None) -> Tensor:
        x = x + self.self_attn(self.self_attn_layer_norm(x), mask)
        out: Tensor = x + self.fc2(functional.gelu(self.fc1(self.final_layer_norm(x))))
        return out


class _Attention(nn.Module):
    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.q_proj = nn.Linear(width, width)
        self.k_proj = nn.Linear(width, width, bias=False)
        self.v_proj = nn.Linear(width, width)
        self.out_proj = nn.Linear(width, width)

    def forward(self, x: Tensor, mask: Tensor | None) -> Tensor:
        q, k, v = (
            linear(x).unflatten(2, (self.heads, -1)).transpose(1, 2)
            for linear in (self.q_proj, self.k_proj, self.v_proj)
        )
        out = functional.scaled_dot_product_attention(q, k, v, attn_mask=mask)
        projected: Tensor = self.out_proj(out.transpose(1, 2).flatten(2))
        return projected


def from_ctranslate2(tensors: dict[str, Tensor], least: int) -> tuple[dict[str, int], dict[str, Tensor]]:
    """Sizes and float32 weights of an encoder, from the tensors of a CTranslate2 "WhisperSpec".

    KeyError where it lacks one of them.
    """
    encoder = {name.removeprefix("encoder/"): value for name, value in tensors.items() if name.startswith("encoder/")}
    layers = len({name.split("/")[0] for name in encoder if name.startswith("layer_") and name[6].isdigit()})
    positions, width = encoder["position_encodings/encodings"].shape[-2:]
    weights = {"stem.embed_positions.weight": encoder["position_encodings/encodings"].view(-1, width)}
    for name in ("conv1", "conv2"):
        weights |= _with_bias(encoder, name, f"stem.{name}")
    weights |= _norm(encoder, "layer_norm", "layer_norm")
    for place in range(layers):
        weights |= _layer(encoder, f"layer_{place}", f"layers.{place}")
    inner = weights["layers.0.fc1.weight"].shape[0]
    sizes = {"width": width, "layers": layers, "heads": int(encoder["num_heads"]), "inner": inner}
    sizes |= {"mels": weights["stem.conv1.weight"].shape[1], "positions": positions, "least": least}
    return sizes, {name: value.float() for name, value in weights.items()}


def _layer(encoder: dict[str, Tensor], theirs: str, ours: str) -> dict[str, Tensor]:
    attention = f"{theirs}/self_attention"
    qkv, bias = (encoder[f"{attention}/linear_0/{part}"].chunk(3) for part in ("weight", "bias"))
    weights = {f"{ours}.self_attn.{name}_proj.weight": part for name, part in zip("qkv", qkv, strict=True)}
    weights |= {f"{ours}.self_attn.q_proj.bias": bias[0], f"{ours}.self_attn.v_proj.bias": bias[2]}
    weights |= _with_bias(encoder, f"{attention}/linear_1", f"{ours}.self_attn.out_proj")
    weights |= _with_bias(encoder, f"{theirs}/ffn/linear_0", f"{ours}.fc1")
    weights |= _with_bias(encoder, f"{theirs}/ffn/linear_1", f"{ours}.fc2")
    weights |= _norm(encoder, f"{attention}/layer_norm", f"{ours}.self_attn_layer_norm")
    return weights | _norm(encoder, f"{theirs}/ffn/layer_norm", f"{ours}.final_layer_norm")


def _with_bias(encoder: dict[str, Tensor], theirs: str, ours: str) -> dict[str, Tensor]:
    return {f"{ours}.{part}": encoder[f"{theirs}/{part}"] for part in ("weight", "bias")}


def _norm(encoder: dict[str, Tensor], theirs: str, ours: str) -> dict[str, Tensor]:
    return {f"{ours}.weight": encoder[f"{theirs}/gamma"], f"{ours}.bias": encoder[f"{theirs}/beta"]}
