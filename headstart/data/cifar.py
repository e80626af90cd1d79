"""CIFAR-10 and CIFAR-100 (Krizhevsky, 2009) in their binary version: a folder, or the archive as it is fetched.

    CIFAR-10    data_batch_1.bin ... data_batch_5.bin, test_batch.bin; a row is <label><3072 pixels>
    CIFAR-100   train.bin, test.bin; a row is <coarse label><fine label><3072 pixels>, of which the fine one is learnt

Pixels are 32 rows of 32, all of red, then green, then blue. The Python version is a pickle, which is never read.
"""

from __future__ import annotations

import os
import tarfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from headstart.data.draft import Draft
from headstart.errors import DataError
from headstart.messages import shown
from headstart.tasks import IMAGE
from headstart.tasks.task import Array

__all__ = ["ARCHIVES", "holds_cifar", "read_cifar"]

ARCHIVES = (".tar.gz", ".tgz", ".tar")
_SIDE = 32
_PIXELS = 3 * _SIDE * _SIDE
_TEN = {**{f"data_batch_{number}.bin": "train" for number in range(1, 6)}, "test_batch.bin": "test"}
_HUNDRED = {"train.bin": "train", "test.bin": "test"}
_NAMES = ("batches.meta.txt", "fine_label_names.txt")
_PICKLED = {"data_batch_1", "test_batch", "batches.meta"}
_LARGEST = 1 << 30


def holds_cifar(path: str) -> bool:
    """Whether a folder, or a tar archive, holds the files of the binary version; DataError for the pickled one."""
    names = set(_listed(path))
    if names >= _PICKLED or names >= {"train", "test", "meta"}:
        raise DataError(
            f"{shown(path)!r} is the Python version of CIFAR, which is a pickle and is never read: fetch the binary "
            "version (cifar-10-binary.tar.gz, cifar-100-binary.tar.gz)"
        )
    return ("batches.meta.txt" in names and bool(names & _TEN.keys())) or {"train.bin", _NAMES[1]} <= names


def read_cifar(path: str, *, need_target: bool = True) -> Draft:
    """The pictures, uint8 (32, 32, 3), with their classes by name and the split that they came in."""
    files = dict(_files(path))
    ten = "batches.meta.txt" in files
    splits, before = (_TEN, 1) if ten else (_HUNDRED, 2)
    text = files[_NAMES[0] if ten else _NAMES[1]].decode("utf-8", "replace")
    classes = [line.strip() for line in text.splitlines() if line.strip()]
    draft = Draft(inputs=[], modality=IMAGE, names=[], targets=[], split=[])
    inputs: list[Array] = []
    names: list[str] = []
    targets: list[str] = []
    split: list[str] = []
    for file in (name for name in splits if name in files):
        labels, pictures = _rows(files[file], before, f"{shown(path)}: {file}", len(classes))
        inputs += list(pictures)
        names += [f"{file} row {row}" for row in range(len(labels))]
        targets += [classes[label] for label in labels]
        split += [splits[file]] * len(labels)
    draft.inputs, draft.names = inputs, names
    draft.targets, draft.split = (targets, split) if need_target else (None, None)
    return draft


def _rows(data: bytes, before: int, where: str, classes: int) -> tuple[Array, Array]:
    """The labels (N,) and the pictures (N, 32, 32, 3)."""
    length = before + _PIXELS
    if not data or len(data) % length:
        raise DataError(
            f"{where} has {len(data):,} bytes, expected a multiple of {length:,}: half a file? Fetch it again"
        )
    rows = np.frombuffer(data, np.uint8).reshape(-1, length)
    labels = rows[:, before - 1]
    if labels.max() >= classes:
        raise DataError(f"{where} has the label {labels.max()}, and there are {classes} names of classes")
    pictures = rows[:, before:].reshape(-1, 3, _SIDE, _SIDE).transpose(0, 2, 3, 1)
    return labels, np.ascontiguousarray(pictures)


def _listed(path: str) -> list[str]:
    """The names of the files, without their folders."""
    if os.path.isdir(path):
        inner = _folder(Path(path))
        return [item.name for item in inner.iterdir()]
    try:
        with tarfile.open(path) as archive:
            return [os.path.basename(member.name) for member in archive if member.isreg()]
    except (tarfile.TarError, OSError, EOFError):
        return []


def _folder(path: Path) -> Path:
    """The folder itself, or the only one that is in it, as archives unpack."""
    items = list(path.iterdir())
    return items[0] if len(items) == 1 and items[0].is_dir() else path


def _files(path: str) -> Iterator[tuple[str, bytes]]:
    """Names and bytes of the files that are read; nothing of an archive is written anywhere."""
    wanted = {*_TEN, *_HUNDRED, *_NAMES}
    if os.path.isdir(path):
        yield from ((item.name, item.read_bytes()) for item in _folder(Path(path)).iterdir() if item.name in wanted)
        return
    try:
        with tarfile.open(path) as archive:
            for member in archive:
                name = os.path.basename(member.name)
                source = archive.extractfile(member) if member.isreg() and name in wanted else None
                if source is not None and member.size <= _LARGEST:
                    yield name, source.read()
    except (tarfile.TarError, OSError, EOFError) as error:
        raise DataError(f"{shown(path)!r} cannot be read to its end ({error}): fetch it again") from error
