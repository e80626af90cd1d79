"""Strict JSON (RFC 8259): no duplicate keys, no NaN, no infinity, UTF-8 only; every fault is an `ArtefactError`."""

from __future__ import annotations

import json
import math
from typing import Any, NoReturn

import numpy as np

from headstart.errors import ArtefactError

__all__ = ["canonical", "dump", "parse", "plain", "without_gaps"]


def parse(data: bytes, name: str) -> dict[str, Any]:
    """The JSON object in `data`; `name` is the file it came from, for the message."""
    try:
        value = json.loads(
            data.decode("utf-8"), object_pairs_hook=_unique, parse_constant=_no_constant, parse_float=_finite
        )
    except (ValueError, RecursionError) as error:
        raise ArtefactError(f"{name} is not valid JSON ({error}): it was damaged; take a fresh copy of it") from error
    if not isinstance(value, dict):
        raise ArtefactError(f"{name} holds a JSON {type(value).__name__}, expected an object; take a fresh copy of it")
    return value


def dump(value: dict[str, Any]) -> bytes:
    """Indented JSON for a file."""
    return (json.dumps(value, indent=1, allow_nan=False) + "\n").encode("ascii")


def canonical(value: Any) -> bytes:
    """The one byte string for a JSON value, whatever the order of its keys: what checksums and comparisons use."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), allow_nan=False).encode("ascii")


def plain(value: Any, where: str) -> Any:
    """`value` as JSON data: numpy scalars and arrays become Python's, tuples become lists; anything else is refused."""
    if isinstance(value, np.generic | np.ndarray):
        value = value.tolist()
    if value is None or isinstance(value, str | bool | int):
        return value
    if isinstance(value, float):
        if not math.isfinite(value):
            raise ArtefactError(f"{where} is {value}, which JSON cannot hold: give a finite number")
        return value
    if isinstance(value, list | tuple):
        return [plain(item, f"{where}[{index}]") for index, item in enumerate(value)]
    if isinstance(value, dict):
        return {_key(key, where): plain(item, f"{where}.{key}") for key, item in value.items()}
    raise ArtefactError(
        f"{where} is {value!r:.60} ({type(value).__name__}), which a saved model cannot hold: "
        "give text, a number, true/false, a list or a dict"
    )


def without_gaps(value: Any) -> Any:
    """The same data with NaN and infinity as None: for figures that inform and are never computed with."""
    if isinstance(value, np.generic | np.ndarray):
        value = value.tolist()
    if isinstance(value, float) and not math.isfinite(value):
        return None
    if isinstance(value, list | tuple):
        return [without_gaps(item) for item in value]
    if isinstance(value, dict):
        return {key: without_gaps(item) for key, item in value.items()}
    return value


def _key(key: Any, where: str) -> str:
    if not isinstance(key, str):
        raise ArtefactError(
            f"{where} has the key {key!r} ({type(key).__name__}): the keys of a saved dict must be text"
        )
    return key


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    record: dict[str, Any] = {}
    for key, value in pairs:
        if key in record:
            raise ValueError(f"the key {key!r:.60} stands twice")
        record[key] = value
    return record


def _no_constant(word: str) -> NoReturn:
    raise ValueError(f"{word} is not JSON")


def _finite(digits: str) -> float:
    number = float(digits)
    if not math.isfinite(number):
        raise ValueError(f"the number {digits:.20} is too large")
    return number
