"""A row of the data as a page shows it: a small picture, the beginning of a text, a few seconds of sound, or cells."""

from __future__ import annotations

import base64
import io
import wave
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple, cast

import numpy as np
from markupsafe import Markup
from PIL import Image

from headstart.data.bit_depth import Window
from headstart.data.waves import first_samples
from headstart.messages import printable
from headstart.preprocessing.pillow import from_deep, open_picture, to_rgb
from headstart.tasks import ARRAY, AUDIO, IMAGE, TABLE, TEXT
from headstart.tasks.audio import Clip
from headstart.tasks.task import Task

__all__ = ["Media", "media_of"]

SIDE, LETTERS, CELLS, DIGITS = 112, 320, 12, 5
RATE, SECONDS = 8000, 2.0
_LOUD = 32_767


class Media(NamedTuple):
    """What is shown of a row; the fields that there is nothing for are empty.

    picture, sound   data URIs
    size             of the picture as it is drawn, in pixels
    cells            name and value
    """

    picture: str = ""
    size: tuple[int, int] = (0, 0)
    sound: str = ""
    text: str = ""
    cells: tuple[tuple[str, str], ...] = ()

    @property
    def weight(self) -> int:
        """Letters on the page."""
        return len(self.picture) + len(self.sound) + len(self.text) + sum(len(a) + len(b) for a, b in self.cells)


def media_of(task: Task, row: int, window: Window | None = None) -> Media:
    """One row of a task. DataError, OSError or ImportError where it cannot be read.

    window   of pictures of more than 8 bits, see `PicturePreprocess`
    """
    if task.modality not in _SHOWN:
        return Media(text=_beginning(repr(task.modality.take(task.inputs, np.array([row]))[0])))
    return _SHOWN[task.modality](task, row, window)


def _picture(task: Task, row: int, window: Window | None) -> Media:
    item: Any = task.inputs[row]
    if isinstance(item, str | Path):
        pixels = to_rgb(open_picture(Path(item).read_bytes()), shorter=SIDE, window=window)
    elif isinstance(item, Image.Image):
        pixels = to_rgb(item.copy(), window=window)
    else:
        pixels = to_rgb(_of_pixels(np.asarray(item), window))
    picture = Image.fromarray(pixels)
    picture.thumbnail((SIDE, SIDE))
    data = io.BytesIO()
    picture.save(data, "JPEG", quality=82)
    return Media(picture=_uri("image/jpeg", data.getvalue()), size=picture.size)


def _of_pixels(pixels: Any, window: Window | None) -> Image.Image:
    if pixels.ndim == 3 and pixels.shape[2] == 1:
        pixels = pixels[:, :, 0]
    return from_deep(pixels, window) if pixels.dtype != np.uint8 else Image.fromarray(np.ascontiguousarray(pixels))


def _sound(task: Task, row: int, window: Window | None) -> Media:
    samples, _ = first_samples(cast("Clip", task.inputs[row]), RATE, round(RATE * SECONDS))
    loudest = max(1.0, float(np.abs(samples).max(initial=0)))
    data = io.BytesIO()
    with wave.open(data, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(RATE)
        file.writeframes(np.rint(samples / loudest * _LOUD).astype("<i2").tobytes())
    return Media(sound=_uri("audio/wav", data.getvalue()))


def _text(task: Task, row: int, window: Window | None) -> Media:
    return Media(text=_beginning(str(task.inputs[row])))


def _cells(task: Task, row: int, window: Window | None) -> Media:
    cells = task.inputs.iloc[row]  # type: ignore[union-attr]
    shown = [(str(name), _beginning(str(value), 80)) for name, value in list(cells.items())[:CELLS]]
    return Media(cells=tuple(shown), text="" if len(cells) <= CELLS else f"… +{len(cells) - CELLS}")


def _array(task: Task, row: int, window: Window | None) -> Media:
    values = np.asarray(task.inputs)[row]
    shown = ", ".join(f"{value:.{DIGITS}g}" for value in values[:CELLS].tolist())
    return Media(text=shown + ("" if len(values) <= CELLS else f", … +{len(values) - CELLS}"))


_SHOWN: dict[str, Callable[[Task, int, Window | None], Media]] = {
    IMAGE: _picture,
    AUDIO: _sound,
    TEXT: _text,
    TABLE: _cells,
    ARRAY: _array,
}


def _beginning(text: str, most: int = LETTERS) -> str:
    words = printable(text[: 2 * most])
    return words if len(words) <= most and len(text) <= 2 * most else words[: most - 1] + "…"


def _uri(kind: str, data: bytes) -> Markup:
    """Letters of base64 alone, which need no escape."""
    return Markup(f"data:{kind};base64,{base64.b64encode(data).decode('ascii')}")  # noqa: S704 - see above
