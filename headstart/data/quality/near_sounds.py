"""Near duplicates among recordings, from the fingerprints in their sketches: louder, re-encoded or resampled copies.

Recordings of nearly the same length are compared, all with all. On 1,154 spoken Italian words and prompts, nineteen in
twenty copies in OGG, MP3, 8 bits, A-law's kin or at a tenth of the loudness are nearer than .12, and the nearest
recordings of different words .20 apart.
"""

from __future__ import annotations

import numpy as np

from headstart.data.sound_sketch import facts_of, fingerprints
from headstart.tasks.task import Array

__all__ = ["near_sounds"]

_DISTANCE = 0.13
"""Of fingerprints, which have length 1."""
_SHARE, _SECONDS = 0.02, 0.06
"""How far lengths may be apart: codecs add silence."""
_QUIET = 2.0**-12
_NEIGHBOURS = 8
_CHUNK = 512


def near_sounds(sketches: Array) -> Array:
    """Pairs of rows that are nearly the same recording, (P, 2) int64 with first < second; of each with at most its
    eight nearest. Silence is like nothing.

    sketches  (N, `data.sound_sketch.WIDTH`)
    """
    facts, prints = facts_of(sketches), fingerprints(sketches).astype(np.float32)
    rows = np.flatnonzero(facts.peak - np.abs(facts.mean) > _QUIET)
    order = rows[np.argsort(facts.seconds[rows], kind="stable")]
    lengths, x = facts.seconds[order], prints[order]
    pairs = [np.zeros((0, 2), np.int64)]
    for start in range(0, len(order), _CHUNK):
        stop = min(start + _CHUNK, len(order))
        last = np.searchsorted(lengths, lengths[start:stop] + np.maximum(_SECONDS, _SHARE * lengths[start:stop]))
        distance = np.sqrt(np.maximum(2 - 2 * (x[start:stop] @ x[start : last.max()].T), 0))
        behind = np.arange(start, last.max())[None]
        other = (behind > np.arange(start, stop)[:, None]) & (behind < last[:, None]) & (distance < _DISTANCE)
        distance[~other] = np.inf
        nearest = np.argsort(distance, axis=1, kind="stable")[:, :_NEIGHBOURS]
        first, place = np.nonzero(np.isfinite(np.take_along_axis(distance, nearest, axis=1)))
        pairs.append(np.stack([order[start + first], order[start + nearest[first, place]]], axis=1))
    return np.unique(np.sort(np.concatenate(pairs), axis=1), axis=0)
