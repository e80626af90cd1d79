"""The shape of config.json, in a few words: a shape is a function that accepts a value or says why not."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection
from typing import Any, get_args

from headstart.errors import ArtefactError
from headstart.tasks.kind import KINDS
from headstart.tasks.modality import MODALITIES
from headstart.tasks.task import ColumnType

__all__ = [
    "CONFIG",
    "FILES",
    "FORMAT",
    "FORMS",
    "MOST_BESIDE",
    "MULTI_TASK",
    "PRETRAINED",
    "PRETRAINED_CONFIG",
    "VERSION",
    "Shape",
]

Shape = Callable[[Any, str], None]

FORMAT = "headstart-model"
PRETRAINED = "headstart-backbone"
MULTI_TASK = "headstart-multi-task"
VERSION = 1
MOST_BESIDE = 3
FILES = (
    "model.safetensors", "tokenizer.json", *(f"tokenizer.{number}.json" for number in range(1, MOST_BESIDE + 1)),
    "evidence.json",
)  # fmt: skip
"""Beside config.json and the card. A numbered tokenizer is that of a model that is averaged with the first."""


def _refuse(value: Any, where: str, expected: str) -> None:
    raise ArtefactError(
        f"config.json: {where} is {value!r:.60}, expected {expected}: it is not what headstart wrote; take a fresh copy"
    )


def _a(kind: type, expected: str) -> Shape:
    def check(value: Any, where: str) -> None:
        if type(value) is not kind:
            _refuse(value, where, expected)

    return check


def _number(value: Any, where: str) -> None:
    if type(value) not in (int, float):
        _refuse(value, where, "a number")


def _positive(shape: Shape) -> Shape:
    def check(value: Any, where: str) -> None:
        shape(value, where)
        if value <= 0:
            _refuse(value, where, "a number above 0")

    return check


def _label(value: Any, where: str) -> None:
    if type(value) not in (str, int, float, bool):
        _refuse(value, where, "text, a number or true/false")


def _one_of(*values: str) -> Shape:
    return _known(values)


def _known(values: Collection[str]) -> Shape:
    """One of these, which may become more."""

    def check(value: Any, where: str) -> None:
        if value not in tuple(values):
            _refuse(value, where, " or ".join(map(repr, values)))

    return check


def _matching(pattern: str, expected: str) -> Shape:
    def check(value: Any, where: str) -> None:
        if type(value) is not str or not re.fullmatch(pattern, value):
            _refuse(value, where, expected)

    return check


def _optional(shape: Shape) -> Shape:
    def check(value: Any, where: str) -> None:
        if value is not None:
            shape(value, where)

    return check


def _many(shape: Shape, length: int | None = None) -> Shape:
    def check(value: Any, where: str) -> None:
        if type(value) is not list or length not in (None, len(value)):
            _refuse(value, where, "a list" if length is None else f"a list of {length}")
        for index, item in enumerate(value):
            shape(item, f"{where}[{index}]")

    return check


def _mapping(shape: Shape, keys: tuple[str, ...] | None = None) -> Shape:
    def check(value: Any, where: str) -> None:
        _anything(value, where)
        for key, item in value.items():
            if keys is not None and key not in keys:
                _refuse(key, f"a name in {where}", "one of " + ", ".join(keys))
            shape(item, f"{where}.{key}")

    return check


def _record(*, later: tuple[str, ...] = (), **shapes: Shape) -> Shape:
    """An object with these keys; those of `later` are not in models of earlier versions."""

    def check(value: Any, where: str) -> None:
        _anything(value, where)
        if unlike := (value.keys() ^ shapes.keys()) - (set(later) - value.keys()):
            _refuse(sorted(unlike), f"the keys of {where} beyond or short of the format", "none")
        for key in value:
            shapes[key](value[key], f"{where}.{key}")

    return check


def _open(**shapes: Shape) -> Shape:
    """An object whose values under these keys, where it has them, are of these shapes; others may be beside them."""

    def check(value: Any, where: str) -> None:
        _anything(value, where)
        for key, shape in shapes.items():
            if key in value:
                shape(value[key], f"{where}.{key}")

    return check


_anything = _a(dict, "an object")
_text = _a(str, "text")
_whole = _a(int, "a whole number")
_flag = _a(bool, "true or false")
_hash = _matching(r"[0-9a-f]{64}", "64 hexadecimal digits")
_texts = _many(_text)
_kind_of_column = _one_of(*get_args(ColumnType))


def _type(value: Any, where: str) -> None:
    _many(_text, 2)(value, where)
    _kind_of_column(value[1], f"{where}[1]")


_figure = _optional(_number)
_facts_of_head = _open(
    candidates=_mapping(_figure), standard_errors=_mapping(_figure), rule=_text, share_exponent=_number,
    parameters=_whole, epochs=_whole, rows=_many(_whole, 2), target_rows=_whole, curves=_many(_many(_figure)),
    seconds=_number, steps=_whole,
)  # fmt: skip

_backbone = _record(
    name=_text, fingerprint=_text, dim=_whole, spec=_anything, preprocess=_optional(_anything),
    stages=_many(_record(name=_text, prefixes=_texts)), licence=_text, stored=_flag,
)  # fmt: skip
_files = _mapping(_record(size=_whole, blake3=_hash), FILES)


def _beside(value: Any, where: str) -> None:
    """Models that are averaged with the first."""
    _many(_record(weight=_positive(_number), backbone=_optional(_whole), config=CONFIG))(value, where)


CONFIG: Shape = _record(
    later=("beside",),
    format=_text,
    version=_whole,
    checksum=_hash,
    headstart=_text,
    libraries=_mapping(_text),
    modality=_known(MODALITIES),
    kind=_known(KINDS),
    method=_text,
    options=_anything,
    classes=_many(_label),
    columns=_optional(_record(
        later=("weight", "classes", "types"),
        input=_texts, target=_optional(_text), split=_optional(_text), group=_optional(_text), domain=_optional(_text),
        weight=_optional(_text), classes=_texts, types=_many(_type),
    )),
    engine=_anything,
    notes=_texts,
    backbone=_optional(_backbone),
    encoder=_optional(_record(config=_anything, arrays=_texts)),
    head=_record(name=_text, temperature=_positive(_number), form=_one_of("plain", "root"), config=_facts_of_head),
    files=_files,
    beside=_beside,
)  # fmt: skip

PRETRAINED_CONFIG: Shape = _record(
    format=_text, version=_whole, checksum=_hash, headstart=_text, libraries=_mapping(_text), files=_files,
    modality=_known(MODALITIES), method=_text, options=_anything, rule=_optional(_text), backbone=_backbone,
)  # fmt: skip

_MULTI_TASK_CONFIG: Shape = _record(
    format=_text, version=_whole, checksum=_hash, headstart=_text, libraries=_mapping(_text), files=_files,
    method=_text, models=_many(_record(target=_text, backbone=_optional(_whole), config=CONFIG)),
)  # fmt: skip

FORMS = {FORMAT: CONFIG, PRETRAINED: PRETRAINED_CONFIG, MULTI_TASK: _MULTI_TASK_CONFIG}
"""By the format that a config.json names, its shape."""
