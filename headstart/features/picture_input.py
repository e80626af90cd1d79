"""One picture input, read once: the content key, the decoded pixels when they are wanted, and the marks of its file."""

from __future__ import annotations

import os
import stat
import time
from pathlib import Path
from typing import Any

import numpy as np
from blake3 import blake3
from PIL import Image
from torch import Tensor

from headstart.data.bit_depth import Window
from headstart.data.content import array_key, picture_key
from headstart.errors import DataError
from headstart.features.cache.files import Sight, stamp
from headstart.preprocessing.decode import decode, decode_array, decode_picture
from headstart.preprocessing.pillow import check_shape
from headstart.preprocessing.spec import PicturePreprocess

__all__ = ["FILE_LIMIT", "Source", "drafted", "path_of"]

FILE_LIMIT = 1 << 30
"""Files of more bytes than this are not read as pictures."""

_DRAFT = 256


class Source:
    """A path, the bytes of a file, a PIL picture or an array of pixels. `DataError` says why it cannot be read."""

    def __init__(self, item: Any) -> None:
        self._item = item
        self._data: bytearray | None = None
        self._path = path_of(item)
        self._stamp = b""
        if self._path is not None:
            self._data = self._read(self._path)
            self.key = blake3(self._data).digest()
        elif isinstance(item, bytes):
            self._data = bytearray(item)
            self.key = blake3(self._data).digest()
        elif isinstance(item, np.ndarray):
            self.key = array_key(item)
        elif isinstance(item, Image.Image):
            self.key = _picture_key(item)
        else:
            expected = "expected a path, the bytes of a file, a PIL picture or a uint8 array"
            raise DataError(f"a {type(item).__name__} is no picture: {expected}")

    def decode(self, *, draft: bool, window: Window | None = None) -> Tensor:
        """RGB, uint8 (3, H, W). `DataError` where it is not a picture, or a strip.

        window   what becomes black and white of more than 8 bits
        """
        picture = self._decoded(draft, window)
        check_shape(picture.shape[2], picture.shape[1])
        return picture

    def _decoded(self, draft: bool, window: Window | None) -> Tensor:
        if self._data is not None:
            return decode(self._data, draft=draft, window=window)
        if isinstance(self._item, np.ndarray):
            return decode_array(self._item, window=window)
        return decode_picture(self._item, window=window)

    def sight(self, why: str = "") -> Sight | None:
        """What to remember of its file; None for what is no file, or changed just now."""
        return Sight(self._path, self._stamp, self.key, why) if self._path is not None and self._stamp else None

    def _read(self, path: str) -> bytearray:
        try:
            kind = os.stat(path)
            if not stat.S_ISREG(kind.st_mode):
                raise DataError("a folder, not a picture" if stat.S_ISDIR(kind.st_mode) else "not a regular file")
            if kind.st_size > FILE_LIMIT:
                raise DataError(f"{kind.st_size} bytes are more than the limit of {FILE_LIMIT >> 20} MiB a picture")
            with open(path, "rb", buffering=0) as file:
                now = time.time()
                data = bytearray(os.fstat(file.fileno()).st_size)
                size = _read_into(file, data)
                self._stamp = stamp(os.fstat(file.fileno()), settled_at=now)
        except FileNotFoundError:
            raise DataError("there is no such file") from None
        except PermissionError:
            raise DataError("permission denied: this user may not read it") from None
        except (OSError, ValueError) as error:
            raise DataError(f"it cannot be read: {getattr(error, 'strerror', None) or error}") from error
        return data[:size] if size < len(data) else data


def _picture_key(picture: Image.Image) -> bytes:
    """Its content key: reads the pixels, where they have not been read yet."""
    try:
        return picture_key(picture)
    except Exception as error:  # each format's reader raises what it likes on damaged bytes
        raise DataError(f"damaged picture: {str(error) or type(error).__name__}") from error


def drafted(preprocess: PicturePreprocess | None) -> bool:
    """Whether large pictures may be decoded small, see `decode`: not where a preprocessing keeps more of them.

    preprocess   None: they become thumbnails
    """
    return preprocess is None or preprocess.resize <= _DRAFT


def path_of(item: Any) -> str | None:
    """The path of an input that is one."""
    return str(item) if isinstance(item, str | Path) else None


def _read_into(file: Any, data: bytearray) -> int:
    """How many bytes there were: one call reads at most 2 GiB, and some file systems give less."""
    view, at = memoryview(data), 0
    while at < len(data) and (count := file.readinto(view[at:])):
        at += count
    return at
