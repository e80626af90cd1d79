"""Recordings, by file name or in memory. Of a file the header is read here; its sound where the backbone runs."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from headstart.data.named_file import named_file
from headstart.data.targets import is_missing
from headstart.data.waves import Wave, open_sound
from headstart.errors import DataError
from headstart.tasks.audio import Clip
from headstart.tasks.task import Array

__all__ = ["SUFFIXES", "clip_of", "find_sounds", "holds_sounds", "is_sound", "is_sound_bytes", "is_sound_name"]

READABLE = frozenset({
    ".wav", ".wave", ".flac", ".ogg", ".oga", ".opus", ".mp3", ".aif", ".aiff", ".aifc", ".au", ".snd", ".caf", ".gsm",
    ".w64", ".rf64",
})  # fmt: skip
SUFFIXES = READABLE | {".m4a", ".aac", ".wma", ".amr"}
"""What a name of a sound file ends in; those beside `READABLE` are named, and set aside."""

_MAGIC = (b"fLaC", b"OggS", b"ID3", b"caff", b".snd", b"riff")
_CHANNELS = 64
_UNKNOWN = 1 << 60
_FULL = {np.dtype(np.uint8): (128, 128), np.dtype(np.int16): (0, 1 << 15), np.dtype(np.int32): (0, 1 << 31)}
"""By type of whole numbers, silence and full scale."""


def is_sound_name(name: str) -> bool:
    """Whether a file name ends as a sound file's does."""
    return os.path.splitext(name)[1].lower() in SUFFIXES


def is_sound_bytes(data: bytes) -> bool:
    """Whether these are the first bytes of a sound file."""
    forms = {b"RIFF": b"WAVE", b"RF64": b"WAVE", b"FORM": b"AIF"}
    if data[:4] in forms:
        return data[8:12].startswith(forms[data[:4]])
    layer_3 = len(data) > 1 and data[0] == 0xFF and data[1] & 0xE6 == 0xE2  # an MPEG frame, of which JPEG has none
    return data.startswith(_MAGIC) or layer_3


def is_sound(cell: object) -> bool:
    """Whether this is a recording in memory that says its rate, or the name of a sound file."""
    if isinstance(cell, str | os.PathLike):
        return is_sound_name(os.fspath(cell))
    if isinstance(cell, bytes):
        return is_sound_bytes(cell)
    if isinstance(cell, dict):
        return {"array", "sampling_rate"} <= cell.keys() or _is_stored_sound(cell)
    return isinstance(cell, Clip) or _pair(cell) is not None


def holds_sounds(cells: Iterable[object]) -> bool:
    """Whether more than half of the cells are recordings (`is_sound`)."""
    votes = [is_sound(cell) for cell in cells]
    return 2 * sum(votes) > len(votes)


def find_sounds(
    cells: Iterable[Any],
    folder: str = "",
    *,
    rate: int | None = None,
    bounds: tuple[Sequence[Any], Sequence[Any]] | None = None,
) -> tuple[list[Any], dict[int, str]]:
    """The recordings that cells name or hold, and the rows where there is none: row -> why.

    A cell is a path (relative to `folder`), the bytes of a sound file, (wave, rate), a dictionary with "bytes" and
    "path" or with "array" and "sampling_rate" as Hugging Face has them, or a wave (T,) or (T, channels): float with
    full scale at 1, or int16, int32 or uint8.

    rate    samples a second of waves that do not say it
    bounds  (N,) where each begins and ends, in seconds; missing: at the beginning, at the end
    """
    clips: list[Any] = []
    broken = {}
    for row, cell in enumerate(cells):
        try:
            clip = clip_of(cell, folder, rate)
            clips.append(clip if bounds is None else _part(clip, bounds[0][row], bounds[1][row]))
        except DataError as error:
            clips.append(None)
            broken[row] = str(error)
    return clips, broken


def clip_of(cell: Any, folder: str = "", rate: int | None = None) -> Clip:
    """One recording. Raises DataError that says why there is none."""
    if isinstance(cell, Clip):
        return cell
    if isinstance(cell, str | os.PathLike):
        return _of_file(named_file(os.fspath(cell), folder, "recording"))
    if isinstance(cell, bytes):
        return _of_bytes(cell)
    if isinstance(cell, dict) and "array" in cell:
        return _of_wave(np.asarray(cell["array"]), cell.get("sampling_rate"))
    if isinstance(cell, dict):
        data = cell.get("bytes")
        return clip_of(cell.get("path") if data is None else data, folder)
    if (pair := _pair(cell)) is not None:
        return _of_wave(*pair)
    if isinstance(cell, np.ndarray):
        return _of_wave(cell, rate)
    raise DataError("no recording is named" if cell is None or is_missing(cell) else f"{cell!r:.60} is no recording")


def _of_file(path: str) -> Clip:
    if os.path.splitext(path)[1].lower() in SUFFIXES - READABLE:
        raise DataError("of a format that libsndfile does not read: convert it, ffmpeg -i IN OUT.flac")
    with open_sound(path) as file:
        return Clip(path=path, **_header(file))


def _of_bytes(data: bytes) -> Clip:
    if not data:
        raise DataError("the file is empty (0 bytes)")
    with open_sound(data) as file:
        return Clip(data=data, **_header(file))


def _header(file: Any) -> dict[str, Any]:
    frames = file.frames if 0 <= file.frames < _UNKNOWN else 0
    return {"rate": file.samplerate, "channels": file.channels, "frames": frames, "coding": file.subtype}


def _of_wave(values: Array, rate: Any) -> Clip:
    if rate is None or is_missing(rate):
        raise DataError("a wave without its rate: give sample_rate (Hz), or (wave, rate)")
    if not float(rate).is_integer() or not 0 < rate < 1 << 31:
        raise DataError(f"a rate of {rate!r:.20}: expected a whole number of samples a second")
    wave = _scaled(np.asarray(values))
    if wave.ndim == 2 and wave.shape[0] < wave.shape[1]:
        wave = wave.T  # (channels, T), as torch has it
    wave = wave[:, None] if wave.ndim == 1 else wave
    if wave.ndim != 2 or not 0 < wave.shape[1] <= _CHANNELS:
        raise DataError(f"an array of shape {np.shape(values)} is no recording: expected (samples,), or with channels")
    return Clip(wave=wave, rate=int(rate), channels=wave.shape[1], frames=len(wave))


def _scaled(values: Array) -> Wave:
    """With full scale at 1."""
    if values.dtype.kind == "f":
        return np.asarray(values, np.float32)
    if values.dtype not in _FULL:
        raise DataError(f"an array of {values.dtype} is no recording: expected float, int16, int32 or uint8")
    silence, full = _FULL[values.dtype]
    return np.asarray((values.astype(np.float64) - silence) / full, np.float32)


def _part(clip: Clip, start: Any, end: Any) -> Clip:
    """From `start` to `end`, in seconds."""
    seconds = [fallback if is_missing(value) else _number(value) for value, fallback in ((start, 0.0), (end, np.inf))]
    first, last = seconds
    if not 0 <= first < last:
        raise DataError(f"from {first:g} to {last:g} s: expected a start from 0 up, and an end behind it")
    begin = round(first * clip.rate)
    if clip.frames and begin >= clip.frames:
        raise DataError(f"it begins at {first:g} s, and the recording is {clip.frames / clip.rate:.3g} s long")
    return replace(clip, start=begin, stop=None if last == np.inf else max(begin + 1, round(last * clip.rate)))


def _number(value: Any) -> float:
    try:
        return float(value)
    except (TypeError, ValueError) as error:
        raise DataError(f"{value!r:.40} is no number of seconds") from error


def _pair(cell: object) -> tuple[Array, Any] | None:
    """(wave, rate), in either order."""
    if not isinstance(cell, tuple | list) or len(cell) != 2:
        return None
    first, second = (part.detach().cpu().numpy() if hasattr(part, "detach") else part for part in cell)
    for wave, rate in ((first, second), (second, first)):
        if isinstance(wave, np.ndarray) and wave.ndim in (1, 2) and isinstance(rate, int | np.integer):
            return wave, int(rate)
    return None


def _is_stored_sound(cell: dict[Any, Any]) -> bool:
    """As Hugging Face stores files, by the name, or the first bytes where there is none."""
    if not {"bytes", "path"} <= cell.keys():
        return False
    path, data = cell["path"], cell["bytes"]
    if isinstance(path, str) and os.path.splitext(path)[1]:
        return is_sound_name(path)
    return isinstance(data, bytes) and is_sound_bytes(data)
