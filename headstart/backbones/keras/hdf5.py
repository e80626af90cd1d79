"""Arrays from the HDF5 files that Keras writes: those of Keras 3, and those of Keras 2 and before."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from headstart.backbones.keras.flatten import Layer
from headstart.errors import BackboneError
from headstart.tasks.task import Array

__all__ = ["arrays_of", "configuration"]

_LARGEST = 64 << 20
"""Bytes of a configuration, at most."""

CONVERT = (
    "Where TensorFlow is: model.load_weights(CHECKPOINT), then model.save_weights('x.weights.h5') or "
    "model.save('x.keras')."
)


def configuration(file: Path, name: str) -> dict[str, Any] | None:
    """The model that a .keras or .h5 file describes; None where it holds weights alone."""
    if zipfile.is_zipfile(file):
        with zipfile.ZipFile(file) as archive:
            if "config.json" not in archive.namelist() or archive.getinfo("config.json").file_size > _LARGEST:
                raise BackboneError(f"{name}: {file} has no config.json in it: not what Keras writes.")
            return _parsed(archive.read("config.json"), file, name)
    with _opened(file, name) as store:
        text = store.attrs.get("model_config")
        return None if text is None else _parsed(text, file, name)


def arrays_of(file: Path, layers: Sequence[Layer], name: str) -> dict[str, list[Array]]:
    """The arrays of each of these layers with weights, in the order of Keras, by the layer's name.

    Layers are found by their names, or where the names are other ones by their order; a file may hold more layers
    behind them. `BackboneError` where it is no such file, half of one, or that of another network.
    """
    try:
        with _opened(file, name) as store:
            if "layers" in store and "layer_names" not in store.attrs:
                return {layer.name: _numbered(store, layer.stored) for layer in layers}
            group = store.get("model_weights", store)
            if "layer_names" not in group.attrs:
                raise BackboneError(f"{name}: {file} holds no layers of Keras. {CONVERT}")
            return _named(group, layers, f"{name}: {file}")
    except (OSError, KeyError, RuntimeError) as error:
        raise BackboneError(
            f"{name}: {file} cannot be read to its end ({error}): half a file? Fetch it again."
        ) from error


@contextmanager
def _opened(file: Path, name: str) -> Iterator[Any]:
    """The HDF5 file, or the one in a .keras archive."""
    try:
        import h5py
    except ImportError as error:
        raise BackboneError(f"{name}: to read Keras files, install h5py: pip install 'headstart[keras]'.") from error
    source: Any = file
    if zipfile.is_zipfile(file):
        with zipfile.ZipFile(file) as archive:
            if "model.weights.h5" not in archive.namelist():
                raise BackboneError(f"{name}: {file} has no model.weights.h5 in it: not what Keras writes.")
            source = io.BytesIO(archive.read("model.weights.h5"))
    try:
        store = h5py.File(source, "r")
    except OSError as error:
        with file.open("rb") as stream:
            start = stream.read(8)
        if start == b"\x89HDF\r\n\x1a\n":
            raise BackboneError(f"{name}: {file} is half an HDF5 file ({error}): fetch it again.") from error
        raise BackboneError(f"{name}: {file} is not an HDF5 file; a TensorFlow checkpoint? {CONVERT}") from error
    with store:
        yield store


def _parsed(text: bytes | str, file: Path, name: str) -> dict[str, Any]:
    try:
        model = json.loads(text)
    except ValueError as error:
        raise BackboneError(f"{name}: the description of the model in {file} is not JSON ({error}).") from error
    if not isinstance(model, dict) or not isinstance(model.get("config"), dict | list):
        raise BackboneError(f"{name}: the description in {file} is none of a Keras model.")
    return model


def _numbered(store: Any, path: str) -> list[Array]:
    """vars/0, vars/1 and so on; [] where the layer has none."""
    if path not in store:
        return []
    group = store[path]
    return [np.asarray(group[str(number)]) for number in range(len(group))]


def _named(group: Any, layers: Sequence[Layer], where: str) -> dict[str, list[Array]]:
    """Of a file of Keras 2: a group a layer, whose weights have names "layer/kernel:0"."""
    stored = {_text(key): _weights(group[_text(key)]) for key in group.attrs["layer_names"]}
    stored = {key: weights for key, weights in stored.items() if weights}
    tops = list(dict.fromkeys(layer.group[0] for layer in layers if layer.group[0]))
    if not set(tops) <= stored.keys():
        tops = [top for top in tops if not _needs_none(top, layers)]
        if len(stored) < len(tops):
            raise BackboneError(f"{where}: {len(stored)} layers with weights, not {len(tops)}: of another network.")
        stored = dict(zip(tops, stored.values(), strict=False))
    arrays = {}
    for layer in layers:
        top, own = layer.group
        weights = stored.get(top, [])
        # In the group of a model inside of the model each weight has its layer's name.
        inner = [array for name, array in weights if name.split("/")[-2:-1] == [own]]
        arrays[layer.name] = [array for _, array in weights] if top == own else inner
    return arrays


def _needs_none(top: str, layers: Sequence[Layer]) -> bool:
    """A layer that knows its numbers from its configuration."""
    own = [layer for layer in layers if layer.group[0] == top]
    return all(layer.kind == "Normalization" and layer.config.get("mean") is not None for layer in own)


def _weights(group: Any) -> list[tuple[str, Array]]:
    return [(_text(name), np.asarray(group[_text(name)])) for name in group.attrs.get("weight_names", ())]


def _text(name: bytes | str) -> str:
    return name.decode() if isinstance(name, bytes) else name
