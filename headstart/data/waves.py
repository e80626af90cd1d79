"""From a recording to its samples: one channel, float32, at one rate, a block at a time and never the whole file.

Files are read by libsndfile, channels are averaged, and rates are changed by soxr. Memory does not grow with the length
of a file.
"""

from __future__ import annotations

import io
import os
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from headstart.errors import DataError
from headstart.tasks.audio import Clip

if TYPE_CHECKING:
    from types import ModuleType

__all__ = ["LOUDEST", "MISSING", "Wave", "first_samples", "open_sound", "samples_of", "sound_library", "wave_blocks"]

Wave = npt.NDArray[np.float32]

LOUDEST = 1e4
"""Full scale is 1. What is louder than this is no sound that is scaled so, and would overflow where it is squared."""

MISSING = "reading sound needs soundfile and soxr: pip install 'headstart[audio]'"
_BLOCK = 1 << 16
"""Numbers that are read at a time."""
_FEWEST, _MOST = 1000, 1_000_000
_HEADERLESS = {".gsm": {"samplerate": 8000, "channels": 1, "format": "RAW", "subtype": "GSM610"}}


def sound_library(name: str = "soundfile") -> ModuleType:
    """soundfile or soxr. ImportError names the extra that brings them."""
    try:
        import soundfile
        import soxr
    except (ImportError, OSError) as error:  # OSError: the wrapper is there, and libsndfile is not
        raise ImportError(MISSING) from error
    library: ModuleType = {"soundfile": soundfile, "soxr": soxr}[name]
    return library


def open_sound(where: str | bytes) -> Any:
    """A `soundfile.SoundFile` of a path or of the bytes of a file; `DataError` says what is wrong with it."""
    soundfile = sound_library()
    if isinstance(where, str) and os.path.isfile(where) and not os.path.getsize(where):
        raise DataError("the file is empty (0 bytes)")
    try:
        if isinstance(where, bytes):
            return soundfile.SoundFile(io.BytesIO(where))
        return soundfile.SoundFile(where, **_HEADERLESS.get(os.path.splitext(where)[1].lower(), {}))
    except OSError as error:
        raise DataError(f"it cannot be read: {error.strerror or error}") from error
    except (soundfile.LibsndfileError, RuntimeError, ValueError, TypeError) as error:
        raise DataError(f"no sound that can be read: {_reason(error)}") from error


def wave_blocks(clip: Clip, rate: int, hear: Callable[[Wave], None] | None = None) -> Iterator[Wave]:
    """The samples of a recording, some thousand at a time: float32 (n,), one channel, `rate` a second.

    hear   is given what was read of the file, (n, channels) at its own rate, before it is used

    `DataError` where there are none, where one is not finite or beyond `LOUDEST`, or where the file is damaged.
    """
    total = 0
    for block in _resampled(_mixed(clip, hear), clip.rate, rate):
        total += len(block)
        yield block
    if not total:
        raise DataError("no sound: 0 samples")


def samples_of(clip: Clip, rate: int) -> Wave:
    """The same at once (T,): for what is short."""
    return np.concatenate(list(wave_blocks(clip, rate)))


def first_samples(clip: Clip, rate: int, most: int) -> tuple[Wave, int]:
    """The first `most` samples at most, and how many there are behind them as far as the header tells."""
    parts: list[Wave] = []
    for block in wave_blocks(clip, rate):
        parts.append(block)
        if sum(map(len, parts)) >= most:
            break
    wave = np.concatenate(parts)[:most]
    return wave, max(0, round(clip.seconds * rate) - len(wave)) if len(wave) == most else 0


def _mixed(clip: Clip, hear: Callable[[Wave], None] | None) -> Iterator[Wave]:
    """One channel at the rate of the file."""
    for frames in _frames(clip):
        wave = frames[:, 0] if frames.shape[1] == 1 else frames.mean(axis=1, dtype=np.float32)
        loudest = float(np.abs(wave).max(initial=0))  # NaN where one is
        if not loudest <= LOUDEST:
            strange = int((~np.isfinite(wave)).sum())
            raise DataError(
                f"{strange:,} of its samples are no numbers (NaN or infinite)"
                if strange
                else f"its samples reach {loudest:.3g}, and full scale is 1: divide them by what full scale is"
            )
        if hear is not None:
            hear(frames)
        yield np.ascontiguousarray(wave)


def _frames(clip: Clip) -> Iterator[Wave]:
    """(n, channels) of the part that the clip is."""
    if clip.wave is not None:
        wave = clip.wave[clip.start : clip.stop]
        yield from (wave[at : at + _BLOCK] for at in range(0, len(wave), _BLOCK))
        return
    soundfile = sound_library()
    size = max(1, _BLOCK // clip.channels)
    with open_sound(clip.path if clip.data is None else clip.data) as file:  # type: ignore[arg-type]
        try:
            if clip.start:
                file.seek(min(clip.start, file.frames))
            left = None if clip.stop is None else clip.stop - clip.start
            while left is None or left > 0:
                frames = file.read(size if left is None else min(size, left), dtype="float32", always_2d=True)
                if not len(frames):
                    return
                left = None if left is None else left - len(frames)
                yield frames
        except (soundfile.LibsndfileError, RuntimeError) as error:
            raise DataError(f"damaged sound: {_reason(error)}") from error


def _resampled(blocks: Iterator[Wave], original: int, rate: int) -> Iterator[Wave]:
    """At another rate: soxr, high quality, which is the same whatever the blocks are."""
    if original == rate:
        yield from blocks
        return
    if not _FEWEST <= original <= _MOST:
        raise DataError(f"{original:,} samples a second: expected {_FEWEST:,} to {_MOST:,}")
    stream = sound_library("soxr").ResampleStream(original, rate, 1, dtype="float32", quality="HQ")
    last: Wave | None = None
    for block in blocks:
        if last is not None and len(out := stream.resample_chunk(last)):
            yield out
        last = block
    if last is not None and len(out := stream.resample_chunk(last, last=True)):
        yield out


def _reason(error: Exception) -> str:
    """What a library says, without the path and its own error's name."""
    text = getattr(error, "error_string", None) or str(error)
    return str(text).rpartition(": ")[2].strip().rstrip(".") or type(error).__name__
