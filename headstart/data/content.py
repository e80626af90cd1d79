"""Content keys: 32 bytes of BLAKE3 (O'Connor et al., 2020) that are equal where the content is equal.

Duplicates, splits and the feature cache all go by these keys, so that none of them depends on names or row order.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from numbers import Real
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from blake3 import blake3
from PIL import Image

from headstart.tasks import ARRAY, AUDIO, IMAGE, TABLE, TEXT
from headstart.tasks.audio import Clip
from headstart.tasks.modality import Modality, modality_named
from headstart.tasks.task import Array, Inputs

__all__ = [
    "KEYS",
    "array_key",
    "content_key",
    "content_keys",
    "file_key",
    "picture_key",
    "row_keys",
    "sound_key",
    "sound_part_key",
    "text_key",
]

_CHUNK = 1 << 20
_ORIENTATION = 0x0112
_EXACT = 1 << 53

Cells = npt.NDArray[np.uint64]


def content_key(item: Any, *, modality: Modality = IMAGE) -> bytes:
    """The 32-byte key of one input: a string is a path for pictures and the text itself for text.

    Raises OSError where a file cannot be read and TypeError for an item of another type.
    """
    return content_keys([item], modality)[0]


def _of_text(item: Any) -> bytes:
    return text_key(item) if isinstance(item, str) else _of_object(item)


def _of_picture(item: Any) -> bytes:
    return file_key(item) if isinstance(item, str) else _of_object(item)


def sound_key(clip: Clip) -> bytes:
    """The key of all of a recording that a clip is of: the bytes of its file, or its samples and their rate. Raises
    OSError where the file cannot be read."""
    if clip.wave is not None:
        return blake3(f"sound {clip.rate}\n".encode() + array_key(clip.wave)).digest()
    return blake3(clip.data).digest() if clip.data is not None else file_key(str(clip.path))


def sound_part_key(whole: bytes, clip: Clip) -> bytes:
    """The key of the part that the clip is, from that of the whole."""
    if not clip.start and clip.stop is None:
        return whole
    return blake3(f"part {clip.start} {clip.stop}\n".encode() + whole).digest()


def _of_sounds(clips: Iterable[Clip]) -> list[bytes]:
    """Each file is read once, however many parts of it there are."""
    whole: dict[str, bytes] = {}
    keys = []
    for clip in clips:
        key = whole.get(clip.path or "") or sound_key(clip)
        whole |= {clip.path: key} if clip.path else {}
        keys.append(sound_part_key(key, clip))
    return keys


def _of_object(item: Any) -> bytes:
    if isinstance(item, Path):
        return file_key(item)
    if isinstance(item, np.ndarray):
        return array_key(item)
    if isinstance(item, Image.Image):
        return picture_key(item)
    raise TypeError(
        f"no content key for a {type(item).__name__}: expected a path, text, a PIL picture or a NumPy array"
    )


def content_keys(inputs: Inputs, modality: Modality) -> list[bytes]:
    """The keys of all inputs of a task, in their order."""
    modality = modality_named(modality)
    if modality in KEYS:
        return KEYS[modality](inputs)
    contents = [modality.content(item) for item in inputs]
    if None in contents:
        raise TypeError(f"no content key for {modality} inputs: define `content` of the modality, or a way in KEYS")
    return [blake3(content).digest() for content in contents if content is not None]


def file_key(path: str | Path) -> bytes:
    """The key of a file's bytes. Raises OSError where it cannot be read."""
    digest = blake3()
    with open(path, "rb") as file:
        while chunk := file.read(_CHUNK):
            digest.update(chunk)
    return digest.digest()


def text_key(text: str) -> bytes:
    """The key of a text's UTF-8 bytes: equal to that of a file that holds it."""
    return blake3(text.encode("utf-8", "surrogatepass")).digest()


def array_key(array: Array) -> bytes:
    """The key of an array's dtype, shape and values. Raises TypeError for an array of Python objects."""
    if array.dtype.hasobject:
        raise TypeError(f"no content key for an array of {array.dtype}: expected numbers, booleans or fixed-width text")
    head = f"{array.dtype.newbyteorder('<').str} {array.shape}\n".encode()
    values = np.ascontiguousarray(array, dtype=array.dtype.newbyteorder("<"))
    return blake3(head + values.tobytes()).digest()


def picture_key(picture: Image.Image) -> bytes:
    """The key of a picture's mode, size, pixels, and what else changes how it is seen: palette and rotation tag."""
    pixels = picture.tobytes()
    palette = picture.getpalette("RGBA") if picture.mode in ("P", "PA") else None
    seen_as = (picture.info.get("transparency"), picture.getexif().get(_ORIENTATION), palette)
    return blake3(f"{picture.mode} {picture.size} {seen_as}\n".encode() + pixels).digest()


def row_keys(rows: pd.DataFrame | Array) -> list[bytes]:
    """The key of each row of a (N, C) table or array: its values alone, in column order.

    Numbers compare as numbers whatever their dtype (1, 1.0 and True are equal), missing values (None, NaN, NaT) are
    equal to each other, and text is text whether it came as strings or categories. Raises ValueError for an array
    that is not 2-D.
    """
    if rows.ndim != 2:
        raise ValueError(
            f"row keys need a 2-D array, one row an input; got shape {rows.shape}: try x.reshape(len(x), -1)"
        )
    if isinstance(rows, np.ndarray) and not rows.dtype.hasobject and rows.dtype.kind in "buif":
        cells = _number_cells(rows)
    else:
        frame = pd.DataFrame(rows)
        columns = [_column_cells(frame.iloc[:, i]) for i in range(frame.shape[1])]
        cells = np.stack(columns, axis=1) if columns else np.zeros((len(frame), 0, 2), np.uint64)
    flat = np.ascontiguousarray(cells.reshape(len(cells), 2 * cells.shape[1]), dtype="<u8").view(np.uint8)
    return [blake3(row).digest() for row in flat]


def _column_cells(column: pd.Series[Any]) -> Cells:
    """(N, 2) words a value."""
    if isinstance(column.dtype, pd.CategoricalDtype):
        categories = np.concatenate([_value_cells(list(column.cat.categories)), _value_cells([None])])
        return categories[column.cat.codes.to_numpy()]
    if pd.api.types.is_integer_dtype(column.dtype) and not column.hasnans:
        return _number_cells(column.to_numpy(dtype=np.uint64 if column.dtype.name.startswith("u") else np.int64))
    if pd.api.types.is_float_dtype(column.dtype) or pd.api.types.is_bool_dtype(column.dtype):
        return _number_cells(column.to_numpy(dtype=np.float64, na_value=np.nan))
    return _value_cells(column.tolist())


def _number_cells(numbers: Array) -> Cells:
    """(..., 2) words: the float64 with one zero and one NaN, and the integer itself where float64 cannot hold it."""
    floats = numbers.astype(np.float64) + 0.0
    floats[np.isnan(floats)] = np.nan
    exact = np.zeros(numbers.shape, np.uint64)
    if numbers.dtype.kind in "iu":
        integers = numbers.astype(np.uint64)
        size = np.where(numbers < 0, ~integers + 1, integers)
        lowest_bit = np.maximum(size & (~size + 1), 1)
        exact = np.where(size // lowest_bit < _EXACT, exact, integers)
    return np.stack([floats.view(np.uint64), exact], axis=-1)


def _value_cells(values: list[Any]) -> Cells:
    """(N, 2) words; each different value is looked at once."""
    plain = np.empty(len(values), dtype=object)
    plain[:] = [_plain(value) for value in values]
    codes, different = pd.factorize(plain, use_na_sentinel=False)
    words = np.empty((len(different), 2), np.uint64)
    small = np.array([_is_small(value) for value in different], dtype=bool)
    words[small] = _number_cells(different[small].astype(np.float64))
    words[~small] = np.array([_cell(value) for value in different[~small]], np.uint64).reshape(-1, 2)
    return words[codes]


def _plain(value: Any) -> str | float | None:
    """The value as text, a number, or None where it is missing: hashable, and equal where the content is."""
    if isinstance(value, str | Real | np.bool_):
        return value  # type: ignore[return-value]
    if value is None or (pd.api.types.is_scalar(value) and pd.isna(value)):
        return None
    return f"{type(value).__name__} {value!r}"


def _is_small(value: Any) -> bool:
    """Whether it is a number, or missing, that float64 holds exactly."""
    return not isinstance(value, str) and (not isinstance(value, int | np.integer) or abs(int(value)) <= _EXACT)


def _cell(value: str | int) -> tuple[int, int]:
    number = np.array([value])
    if number.dtype.kind in "iu":
        first, second = _number_cells(number)[0].tolist()
        return first, second
    text = value if isinstance(value, str) else f"int {value}"
    digest = blake3(text.encode("utf-8", "surrogatepass")).digest()
    return int.from_bytes(digest[:8], "little"), int.from_bytes(digest[8:16], "little")


KEYS: dict[str, Callable[[Any], list[bytes]]] = {
    IMAGE: lambda inputs: [_of_picture(item) for item in inputs],
    TEXT: lambda inputs: [_of_text(item) for item in inputs],
    AUDIO: _of_sounds,
    TABLE: row_keys,
    ARRAY: lambda inputs: row_keys(np.asarray(inputs)),
}
"""By modality, the keys of inputs. None: the hash of what `Modality.content` says."""
