"""A model as the files of its folder in memory: how it travels to another process, checked like a folder."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from headstart.artefact.files import read_config
from headstart.artefact.model import Model
from headstart.artefact.reading import Stored, model_of
from headstart.artefact.tensors import stored_tensors
from headstart.artefact.writing import contents

__all__ = ["pack", "unpack"]

PLACE = Path("the pickled model")


def pack(model: Model) -> dict[str, bytes]:
    """The bytes of each file that `write` would put into a folder, but for the card.

    Raises ArtefactError where the model cannot be stored, as `write` does.
    """
    files = contents(model, PLACE.name, slim=False)
    del files["README.md"]
    return files


def unpack(files: Mapping[str, bytes]) -> Model:
    """The model in the bytes that `pack` made. Raises ArtefactError as `read` does."""
    rest = dict(files)
    config = read_config(rest.pop("config.json"), PLACE)
    tensors = stored_tensors(rest.pop("model.safetensors"), str(PLACE / "model.safetensors"))
    return model_of(Stored(config, tensors, rest), build=True)
