"""Colours of attributions: orange speaks for, blue against, nothing stays as it is; both are told apart by all eyes."""

from __future__ import annotations

import numpy as np

from headstart.tasks.task import Array

__all__ = ["AGAINST", "FOR", "heat", "mel_picture", "shade"]

FOR, AGAINST = (213, 94, 0), (0, 114, 178)
_SHARP = 99.0
_FADED = 0.45


def heat(values: Array, picture: Array) -> Array:
    """(H, W, 3) uint8: a grey picture (H, W, 3), coloured where attributions (H, W) are; full colour from the 99th
    percentile of their sizes on."""
    most = float(np.percentile(np.abs(values), _SHARP)) or float(np.abs(values).max()) or 1.0
    share = np.clip(values / most, -1, 1)[:, :, None]
    grey = 255 - _FADED * (255 - picture.mean(2, keepdims=True))
    colour = np.where(share > 0, np.array(FOR), np.array(AGAINST))
    strength = np.abs(share) * 0.85
    return np.asarray(grey * (1 - strength) + colour * strength).round().astype(np.uint8)


def shade(share: float) -> str:
    """A CSS colour of a share from -1 to 1; "" where it is as good as 0."""
    red, green, blue = FOR if share > 0 else AGAINST
    strength = min(1.0, abs(share)) * 0.75
    return f"rgba({red},{green},{blue},{strength:.2f})" if strength >= 0.02 else ""


def mel_picture(levels: Array) -> Array:
    """(bands, frames, 3) uint8, high pitch above, loud dark."""
    low, high = float(levels.min()), float(levels.max())
    grey = 255 - 215 * (levels[::-1] - low) / ((high - low) or 1.0)
    return np.asarray(np.repeat(grey[:, :, None], 3, axis=2).round().astype(np.uint8))
