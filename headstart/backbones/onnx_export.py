"""An ONNX file that `headstart export` wrote, as a backbone: of texts, whose tokenizer lies beside it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

from headstart.errors import BackboneError
from headstart.preprocessing.preprocess import preprocess_from_json
from headstart.preprocessing.spec import TextPreprocess

__all__ = ["FEATURES", "is_export", "output_of_export", "text_of_export"]

FEATURES = "features"
"""The output of an export on which its head stands."""
_INPUTS = "headstart.inputs"


def is_export(metadata: Mapping[str, str]) -> bool:
    """Whether a file with these metadata was exported by headstart."""
    return _INPUTS in metadata


def output_of_export(name: str, outputs: Collection[str]) -> str:
    """The output that is read where none is named. `BackboneError` where the export has no features."""
    if FEATURES not in outputs:
        raise BackboneError(
            f"{name}: an export of several models that are averaged, which has no one row of features. Name an output, "
            f"?output={min(outputs)}, or export a model of one backbone."
        )
    return FEATURES


def text_of_export(name: str, file: Path, metadata: Mapping[str, str]) -> TextPreprocess:
    """How an export reads texts. `BackboneError` where it reads anything else, or its tokenizer is not beside it."""
    form = _form(name, metadata[_INPUTS])
    if form.get("kind") != "text":
        raise BackboneError(
            f"{name}: an export of headstart whose graph prepares its own inputs (kind {form.get('kind')!r}), so that "
            "it is no backbone, which gets them prepared. Give the model that it was exported from (file:MODEL), or "
            "its folder of transformers or timm (hf:DIR, timm:DIR)."
        )
    beside = file.parent / Path(str(form.get("file"))).name
    try:
        data = beside.read_bytes()
    except OSError as error:
        raise BackboneError(f"{name}: its tokenizer {beside} cannot be read ({error.strerror}).") from error
    if hashlib.sha256(data).hexdigest() != form.get("sha256"):
        raise BackboneError(f"{name}: {beside} is not the tokenizer that was exported with it.")
    fields = {key: form.get(key) for key in ("max_length", "pad_id")}
    read = preprocess_from_json({"kind": "text", "tokenizer_json": data.decode("utf-8", "replace"), **fields})
    if not isinstance(read, TextPreprocess):
        raise BackboneError(f"{name}: its metadata tell of no texts.")
    return read


def _form(name: str, told: str) -> dict[str, Any]:
    """How the inputs are made, of the metadata."""
    try:
        forms = json.loads(told)
    except ValueError as error:
        raise BackboneError(f"{name}: its metadata {_INPUTS} are no JSON ({error}).") from error
    if not isinstance(forms, list) or len(forms) != 1 or not isinstance(forms[0], dict):
        raise BackboneError(f"{name}: an export whose inputs are made in several ways, which a backbone does not do.")
    return forms[0]
