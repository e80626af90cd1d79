"""Preprocessing as JSON and back, checked on the way in: it is data in the artefact, and the only path to the input."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import asdict, dataclass
from math import isfinite
from typing import Any, ClassVar, Literal

from headstart.errors import BackboneError
from headstart.tasks import IMAGE, TEXT, Modality

__all__ = ["PicturePreprocess", "TextPreprocess", "preprocess_from_json", "preprocess_to_json"]

WINDOW = "window"
_OPTIONAL = frozenset({WINDOW})


@dataclass(frozen=True, kw_only=True)
class PicturePreprocess:
    """From a decoded RGB uint8 picture (3, H, W) to the float input (3, size[0], size[1]) of a backbone.

    Resize the shorter side to `resize` (antialiased), crop the centre to `size`, scale to [0, 1], then
    (x - mean) / std. With `squash`, resize to `size` exactly, without regard to the aspect ratio, and do not crop.

    window   of pictures of more than 8 bits a channel: the numbers that become 0 and 255 when they are decoded. None:
             0 and the most that 16 bits can hold (floating point: 0 and 1)
    """

    modality: ClassVar[Modality] = IMAGE

    size: tuple[int, int]
    resize: int
    interpolation: Literal["bilinear", "bicubic"]
    mean: tuple[float, float, float]
    std: tuple[float, float, float]
    squash: bool = False
    window: tuple[float, float] | None = None


@dataclass(frozen=True, kw_only=True)
class TextPreprocess:
    """From a string to token ids. `tokenizer_json` is the whole fast tokenizer, as the `tokenizers` library writes it.

    Truncation at `max_length` tokens (special tokens included) and padding with `pad_id` are done by the caller.
    """

    modality: ClassVar[Modality] = TEXT

    tokenizer_json: str
    max_length: int
    pad_id: int


def preprocess_to_json(preprocess: PicturePreprocess | TextPreprocess | None) -> dict[str, Any] | None:
    """A JSON object with "kind" ("picture" or "text") and one key a field ("window" only where there is one, so that
    other pictures have the fingerprint that they had before there were windows); None for None."""
    if preprocess is None:
        return None
    kind = "picture" if isinstance(preprocess, PicturePreprocess) else "text"
    fields = {key: _listed(value) for key, value in asdict(preprocess).items()}
    return {"kind": kind, **{key: value for key, value in fields.items() if key != WINDOW or value is not None}}


def preprocess_from_json(value: dict[str, Any] | None) -> PicturePreprocess | TextPreprocess | None:
    """The inverse. `BackboneError` names the first key that is missing, unknown or has a value that cannot be."""
    if value is None:
        return None
    kind = str(value.get("kind")) if isinstance(value, dict) else "None"
    if kind not in _SCHEMAS:
        raise BackboneError(f"preprocessing of kind {kind!r}: expected 'picture' or 'text'.")
    schema = _SCHEMAS[kind]
    fields = {key: item for key, item in value.items() if key != "kind"}
    for key in sorted(fields.keys() ^ schema.keys() - (_OPTIONAL - fields.keys())):
        state = "unknown" if key in fields else "missing"
        raise BackboneError(f"preprocessing of kind {kind!r}: key {key!r} is {state}; expected {', '.join(schema)}.")
    for key, (valid, expected) in schema.items():
        if key in fields and not valid(fields[key]):
            raise BackboneError(f"preprocessing: {key} = {str(fields[key])[:80]!r}; expected {expected}.")
    if kind == "text":
        return TextPreprocess(**fields)
    return PicturePreprocess(
        size=(fields["size"][0], fields["size"][1]),
        resize=fields["resize"],
        interpolation=fields["interpolation"],
        mean=_floats(fields["mean"]),
        std=_floats(fields["std"]),
        squash=fields["squash"],
        window=(float(fields[WINDOW][0]), float(fields[WINDOW][1])) if WINDOW in fields else None,
    )


def _listed(value: Any) -> Any:
    return list(value) if isinstance(value, tuple) else value


def _floats(values: list[float]) -> tuple[float, float, float]:
    return float(values[0]), float(values[1]), float(values[2])


def _whole(low: int) -> Callable[[Any], bool]:
    return lambda value: type(value) is int and low <= value < 1 << 24


def _numbers(count: int, valid: Callable[[Any], bool]) -> Callable[[Any], bool]:
    return lambda value: isinstance(value, list | tuple) and len(value) == count and all(map(valid, value))


def _real(value: Any) -> bool:
    return type(value) in (int, float) and isfinite(value)


def _is_tokenizer(value: Any) -> bool:
    if not isinstance(value, str):
        return False
    try:
        return "model" in json.loads(value)
    except (ValueError, TypeError):
        return False


_Schema = dict[str, tuple[Callable[[Any], bool], str]]

_PAIR = _numbers(2, _real)
_PICTURE: _Schema = {
    "size": (_numbers(2, _whole(1)), "two whole numbers of pixels, height and width"),
    "resize": (_whole(1), "a whole number of pixels"),
    "interpolation": (lambda value: value in ("bilinear", "bicubic"), "'bilinear' or 'bicubic'"),
    "mean": (_numbers(3, _real), "three numbers"),
    "std": (_numbers(3, lambda value: _real(value) and value > 0), "three positive numbers"),
    "squash": (lambda value: isinstance(value, bool), "true or false"),
    WINDOW: (lambda value: _PAIR(value) and value[0] < value[1], "two ascending numbers"),
}
_TEXT: _Schema = {
    "tokenizer_json": (_is_tokenizer, "the JSON of a fast tokenizer"),
    "max_length": (_whole(1), "a whole number of tokens"),
    "pad_id": (_whole(0), "the number of a token"),
}
_SCHEMAS: dict[str, _Schema] = {"picture": _PICTURE, "text": _TEXT}
