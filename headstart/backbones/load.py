"""From a name to a backbone: "hub:name", or a folder. The one door to the hubs."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from torch import Tensor, nn

from headstart.backbones import assemble, bundled, file, onnx, small, tables, timm, torchhub, torchvision
from headstart.backbones.backbone import Backbone
from headstart.backbones.fingerprint import fingerprint
from headstart.backbones.hub import repository
from headstart.backbones.keras import applications, model_file
from headstart.backbones.layer_name import parted
from headstart.backbones.options import only_random, options_of
from headstart.backbones.parts import Parts
from headstart.backbones.read_layers import read_of, reading
from headstart.backbones.sound import drawn, picture
from headstart.defaults import with_own_defaults
from headstart.errors import BackboneError
from headstart.messages import nearest
from headstart.preprocessing.spec import Preprocess
from headstart.tasks import TABLE, Modality, modality_named

__all__ = ["IDENTITY", "default", "load", "rebuild", "register_hub"]

IDENTITY = "identity"
HUBS = {
    "bundled": "bundled:efficientnet-lite0, bundled:mobilenetv2, bundled:minilm, bundled:wordllama, "
    "bundled:whisper-base, bundled:speech-embedding, bundled:ge2e",
    "timm": "timm:NAME, pictures, for example timm:resnet50",
    "hf": "hf:OWNER/NAME, pictures, text and sound, a model of transformers on the Hugging Face hub",
    "file": "file:FOLDER, in timm's or transformers' format, a model that headstart saved, or file:MODEL.keras",
    "torchvision": torchvision.ABOUT,
    "keras": applications.ABOUT,
    "onnx": onnx.ABOUT,
    "torchhub": torchhub.ABOUT,
    "small": small.ABOUT,
    **drawn.ABOUT,
}


def default(modality: Modality) -> str:
    """The backbone to use where none is named."""
    return modality_named(modality).backbone or IDENTITY


@with_own_defaults
def load(name: str) -> Backbone:
    """The backbone of a name: "hub:name" (see `HUBS`), an existing folder (alone or after any hub), or "identity".

    Ends in "?weights=random" for the same network untrained, "?weights=random&seed=3" for other random weights;
    after timm: this needs no weights at all. In "?weights=FILE" after wavenet: and tacotron2: from those of a file.
    "@4" before that reads the fourth layer (0: what stands before the first), "@NAME" the stage of a name, and "@mean",
    "@max", "@cls" or "@last", alone or behind it, says how tokens or places become one row: "bundled:minilm@4@max".
    Files on this machine are used first; the network is asked only for what is missing.
    `MissingWeights` where the weights cannot be had, `BackboneError` where the name or the files cannot be used.
    """
    if name == IDENTITY:
        return _identity()
    if tables.is_table_prior(name):
        return tables.table_prior(name)
    layer = parted(name)
    if not layer.is_plain:
        base = load(layer.base)
        return reading(base, [read_of(base, layer.layer, layer.pool)], name)
    path, _, query = name.partition("?")
    hub, _, rest = path.partition(":")
    kind = f"file{Path(rest).suffix}" if hub == "file" else hub
    if kind in _WITH_OPTIONS and not _is_folder(rest):
        known, parts_of = _WITH_OPTIONS[kind]
        return assemble.assemble(parts_of(rest, options_of(name, query, known)))
    options = options_of(name, query, ("weights", "seed"))
    if hub in drawn.ABOUT and options.keys() == {"weights"} and options["weights"] != "random":
        return assemble.assemble(drawn.from_name(hub, rest, options["weights"]))
    seed = only_random(name, options)
    if path.startswith(picture.MARK):
        drawn_parts, parts = _parts(name.removeprefix(picture.MARK), path.removeprefix(picture.MARK), seed)
        parts = picture.from_picture_network(parts, name if drawn_parts else path)
    else:
        drawn_parts, parts = _parts(name, path, seed)
    backbone = assemble.assemble(parts)
    return backbone if seed is None or drawn_parts or backbone.random is None else backbone.random(seed)


@with_own_defaults
def rebuild(
    spec: dict[str, Any],
    state_dict: dict[str, Tensor],
    preprocess: Preprocess | None,
    name: str,
    *,
    licence: str = "",
) -> Backbone:
    """The backbone that a fitted model stored, from its spec and tensors alone: no hub, no package of weights.

    `BackboneError` unless the tensors fit the architecture exactly. Its fingerprint is that of the original.
    """
    if spec == _identity().spec:
        return _identity()
    if spec.get("hub") == tables.HUB:
        return tables.of_spec(spec, name)
    if preprocess is None:
        raise BackboneError(f"{name}: a backbone with weights needs its preprocessing; got None.")
    module = assemble.filled(spec, state_dict, name)
    return assemble.assemble(Parts(name, spec, module, preprocess, licence))


def _parts(name: str, path: str, seed: int | None) -> tuple[bool, Parts]:
    """Whether they are drawn from the seed already, and the parts that a name stands for, without what is behind "?"
    its path."""
    hub, colon, rest = path.partition(":")
    if seed is not None and hub == "timm" and not _is_folder(rest) and "/" not in rest:
        return True, timm.random_weights(rest, seed)._replace(name=name)
    if _is_folder(path):
        return False, file.from_folder(Path(path), f"file:{path}")
    if colon and hub in HUBS:
        return False, _from_hub(hub, rest)
    raise BackboneError(_unknown(name, hub, bool(colon)))


def _from_hub(hub: str, rest: str) -> Parts:
    if _is_folder(rest) or hub == "file":
        return file.from_folder(Path(rest), f"{hub}:{rest}")
    return _PARTS[hub](rest)


def _from_repository(rest: str) -> Parts:
    return file.from_folder(repository(rest, hub="hf"), f"hf:{rest}")


_PARTS: dict[str, Callable[[str], Parts]] = {
    "bundled": bundled.from_name,
    "timm": timm.from_name,
    "hf": _from_repository,
    "small": small.from_name,
    **{hub: partial(drawn.from_name, hub) for hub in drawn.ABOUT},
}
_WITH_OPTIONS: dict[str, tuple[tuple[str, ...], Callable[[str, dict[str, str]], Parts]]] = {
    "torchvision": (torchvision.OPTIONS, torchvision.from_name),
    "keras": (applications.OPTIONS, applications.from_name),
    "onnx": (onnx.OPTIONS, onnx.from_name),
    "torchhub": (torchhub.OPTIONS, torchhub.from_name),
    "file.onnx": (onnx.OPTIONS, onnx.from_name),
    **{f"file{suffix}": (model_file.OPTIONS, model_file.from_file) for suffix in model_file.SUFFIXES},
}
"""Of the hubs whose names take options of their own: which, and what makes the parts of a backbone of them."""


def register_hub(
    hub: str,
    about: str,
    parts: Callable[[str], Parts],
    *,
    keys: tuple[str, ...],
    build: Callable[[dict[str, Any]], nn.Module],
) -> None:
    """Makes "hub:name" the name of a backbone, and what is fitted on one a model that is stored and loaded.

    about   an example of a name and what it is, for a message
    parts   from what stands behind the colon to the parts of a backbone, whose spec is {"hub": hub} and these `keys`
    build   from such a spec to the module with random weights

    ValueError where the hub is known already.
    """
    if hub in HUBS:
        raise ValueError(f"the hub {hub!r} is known already: register another name")
    HUBS[hub], _PARTS[hub] = about, parts
    assemble.ARCHITECTURES[hub] = (keys, build)


def _is_folder(path: str) -> bool:
    return bool(path) and Path(path).is_dir()


def _identity() -> Backbone:
    """Tables and arrays: the columns are the features, and how many there are is known once they are read."""
    spec: dict[str, Any] = {"hub": IDENTITY}
    return Backbone(
        name=IDENTITY,
        modality=TABLE,
        module=None,
        dim=0,
        preprocess=None,
        fingerprint=fingerprint(None, None, spec),
        spec=spec,
    )


def _unknown(name: str, hub: str, colon: bool) -> str:
    hubs = "; ".join([*HUBS.values(), picture.ABOUT])
    if not colon:
        near = nearest(name, bundled.BUNDLED)
        meant = f"bundled:{near}" if near else f"timm:{name}"
        return (
            f"{name!r} is neither hub:name nor a folder here; perhaps {meant}? Expected {hubs}, or an existing folder."
        )
    near = nearest(hub, HUBS, cutoff=0.4)
    hint = f"nearest: {near}. " if near else ""
    return f"{name!r}: no hub {hub!r}; {hint}Expected {hubs}, or an existing folder."
