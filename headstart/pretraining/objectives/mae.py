"""MAE (He et al., 2022, "Masked Autoencoders Are Scalable Vision Learners"), for vision transformers.

l = mean over hidden patches p of mean (g(f(x_visible))_p - n(x_p))^2,   n(x) = (x - mean x) / sqrt(Var x + e)

The encoder f sees only the patches that are not hidden, so that a step costs a fraction of others; the small decoder g
sees those, and a learnt token in the place of each hidden one. It wants many epochs, and pays when the backbone is
tuned rather than probed (sections 4 and 5 of the paper).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar, cast

import numpy as np
import torch
from torch import Tensor, nn

from headstart.backbones.backbone import Backbone
from headstart.checks import at_least
from headstart.errors import BackboneError
from headstart.pretraining.objective import Encoded, Learner, Objective
from headstart.pretraining.variation import Variation
from headstart.pretraining.views import Views
from headstart.tasks.task import Array

__all__ = ["MAE", "VisiblePatches", "patches_of", "reconstruction_cost"]

_E = 1e-6


@dataclass(frozen=True, kw_only=True)
class MAE(Objective):
    """hidden   the share of patches that the encoder does not see
    width, depth, heads   of the decoder
    """

    hidden: float = 0.75
    width: int = 128
    depth: int = 2
    heads: int = 4
    advice: ClassVar[str] = "--method dino, which is for vision transformers too"

    def __post_init__(self) -> None:
        if not 0 < self.hidden < 1:
            raise ValueError(f"hidden = {self.hidden}: expected a share between 0 and 1, such as 0.75")
        for name in ("width", "depth", "heads"):
            at_least(name, getattr(self, name), 1)
        if self.width % (4 * self.heads):
            raise ValueError(f"width = {self.width}: expected a multiple of 4 x heads = {4 * self.heads}")

    def suits(self, backbone: Backbone) -> None:
        from timm.models import VisionTransformer

        if not isinstance(backbone.module, VisionTransformer):
            kind = type(backbone.module).__name__
            raise BackboneError(
                f"{backbone.name} is a {kind}, which sees no patches of which some could be left out: mae is for "
                "vision transformers of timm, such as timm:vit_tiny_patch16_224; for others use simclr, vicreg or byol"
            )

    def views(self, backbone: Backbone, variation: Variation) -> Views:
        embed = cast(Any, backbone.module).patch_embed
        return _Hidden(variation, int(embed.num_patches))

    def encoder(self, module: nn.Module) -> nn.Module:
        return VisiblePatches(module, self.hidden)

    def learner(self, encoder: nn.Module, dim: int) -> Learner:
        vit: Any = encoder.get_submodule("module")
        return _Decoder(self, vit)


@dataclass(frozen=True)
class _Hidden:
    """A view, and for each patch a number: those with the lowest are seen."""

    variation: Variation
    patches: int

    def __call__(self, picture: Tensor, rng: np.random.Generator) -> tuple[Tensor, Array | None]:
        """uint8 (1, 3, H, W), and float32 (P,)."""
        return self.variation(picture, rng)[None], rng.random(self.patches).astype(np.float32)


class VisiblePatches(nn.Module):
    """A vision transformer asked of some patches: (N, 1, 3, H, W) and (N, P) to tokens (N, prefix + visible, D)."""

    def __init__(self, module: nn.Module, hidden: float) -> None:
        super().__init__()
        self.module = module
        self.hidden = hidden

    def forward(self, pictures: Tensor, order: Tensor) -> Tensor:
        vit: Any = self.module
        tokens = vit._pos_embed(vit.patch_embed(pictures[:, 0]))
        prefix, patches = tokens[:, : vit.num_prefix_tokens], tokens[:, vit.num_prefix_tokens :]
        visible = visible_of(order, self.hidden)
        x = torch.cat([prefix, patches.gather(1, visible[:, :, None].expand(-1, -1, patches.shape[2]))], 1)
        x = vit.norm_pre(x)
        for block in vit.blocks:
            x = block(x)
        encoded: Tensor = vit.norm(x)
        return encoded


class _Decoder(Learner):
    places: Tensor

    def __init__(self, options: MAE, vit: Any) -> None:
        super().__init__()
        self._hidden, self._prefix = options.hidden, int(vit.num_prefix_tokens)
        self._patch = tuple(vit.patch_embed.patch_size)
        width = options.width
        self.embed = nn.Linear(int(vit.embed_dim), width)
        self.token = nn.Parameter(0.02 * torch.randn(width))
        self.register_buffer("places", _places(tuple(vit.patch_embed.grid_size), width))
        self.blocks = nn.ModuleList(
            nn.TransformerEncoderLayer(
                width, options.heads, 4 * width, dropout=0.0, activation="gelu", batch_first=True, norm_first=True
            )
            for _ in range(options.depth)
        )
        self.norm = nn.LayerNorm(width)
        self.pixels = nn.Linear(width, 3 * self._patch[0] * self._patch[1])

    def forward(self, rows: Encoded) -> Tensor:
        pictures, order = rows.inputs
        visible = visible_of(order, self._hidden)
        tokens = self.embed(rows.features.float())[:, self._prefix :]
        x = self.token.to(tokens.dtype).expand(*order.shape, -1)
        x = x.scatter(1, visible[:, :, None].expand_as(tokens), tokens)
        x = x + self.places
        for block in self.blocks:
            x = block(x)
        made = self.pixels(self.norm(x))
        unseen = torch.ones_like(order, dtype=torch.bool).scatter(1, visible, False)
        return reconstruction_cost(made, patches_of(pictures[:, 0].float(), self._patch), unseen)


def visible_of(order: Tensor, hidden: float) -> Tensor:
    """(N, V) numbers of the patches that are seen, at least one: those of the lowest of `order` (N, P)."""
    count = max(1, round((1 - hidden) * order.shape[1]))
    return order.argsort(1)[:, :count]


def patches_of(pictures: Tensor, size: tuple[int, ...]) -> Tensor:
    """(N, 3, H, W) -> (N, P, 3 h w), row by row."""
    high, wide = size
    grid = pictures.unfold(2, high, high).unfold(3, wide, wide)
    return grid.permute(0, 2, 3, 1, 4, 5).flatten(3).flatten(1, 2)


def reconstruction_cost(made: Tensor, patches: Tensor, unseen: Tensor) -> Tensor:
    """l above. made, patches (N, P, D), unseen (N, P)."""
    mean, var = patches.mean(2, keepdim=True), patches.var(2, keepdim=True)
    each = (made - (patches - mean) / (var + _E).sqrt()).square().mean(2)
    return each[unseen].mean()


def _places(grid: tuple[int, ...], width: int) -> Tensor:
    """(P, width) sines and cosines of the row and the column of each patch (Vaswani et al., 2017, section 3.5)."""
    rates = 10_000.0 ** -(torch.arange(width // 4) / (width // 4))
    down, right = torch.meshgrid(*(torch.arange(float(size)) for size in grid), indexing="ij")
    angles = torch.cat([side.flatten()[:, None] * rates for side in (down, right)], 1)
    return torch.cat([angles.sin(), angles.cos()], 1)
