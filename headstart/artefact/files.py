"""Reading the files of a model folder: plain files in the folder itself, of the size and hash written down."""

from __future__ import annotations

import glob
import os
import stat
from pathlib import Path
from typing import Any

from blake3 import blake3

from headstart.artefact.schema import FORMAT, FORMS, MULTI_TASK, PRETRAINED, VERSION
from headstart.artefact.strict_json import canonical, parse
from headstart.errors import ArtefactError

__all__ = ["numbered", "plain_file", "read_config", "read_files", "seal"]

MEBIBYTE = 2**20
LARGEST_CONFIG = 64 * MEBIBYTE
FRESH = "take a fresh copy of the folder or fit the model again"


def read_files(folder: Path, form: str = FORMAT) -> tuple[dict[str, Any], dict[str, bytes]]:
    """The checked config of the model, or of the pretrained backbone, in `folder`, and the bytes of each file it lists.

    A model that is replaced by another while it is read is read again, so that the files are always of one model.
    """
    while True:
        first = plain_file(folder, "config.json", limit=LARGEST_CONFIG)
        config = read_config(first, folder, form)
        try:
            listing = config["files"].items()
            return config, {name: _listed(folder, name, file["size"], file["blake3"]) for name, file in listing}
        except ArtefactError:
            if plain_file(folder, "config.json", limit=LARGEST_CONFIG) == first:
                raise


def read_config(data: bytes, folder: Path, form: str = FORMAT) -> dict[str, Any]:
    """The config in the bytes of config.json: ours, not newer than this headstart, unchanged, of the right shape."""
    config = parse(data, str(folder / "config.json"))
    if config.get("format") != form:
        raise ArtefactError(_foreign(folder, config.get("format"), form))
    if isinstance(config.get("version"), int) and config["version"] > VERSION:
        raise ArtefactError(
            f"{folder} was made by a newer headstart (format {config['version']}, this one reads up to {VERSION}): "
            "upgrade with `pip install --upgrade headstart`"
        )
    try:
        if config.get("checksum") != seal(config)["checksum"]:
            raise ArtefactError(f"config.json was changed after it was written; {FRESH}")
        FORMS[form](config, "the config")
    except RecursionError as error:
        raise ArtefactError(f"{folder / 'config.json'} is nested too deep; {FRESH}") from error
    except ArtefactError as error:
        raise ArtefactError(f"{folder}: {error}") from error
    return config


def _foreign(folder: Path, form: Any, wanted: str) -> str:
    if form == PRETRAINED:
        return (
            f"{folder} is a pretrained backbone, not a fitted model: fit one on it with "
            f"`headstart fit DATA --backbone file:{folder}`"
        )
    if form == MULTI_TASK:
        return f"{folder} is a model of several targets: in Python load it with headstart.MultiTask.load"
    if wanted == MULTI_TASK:
        return f'{folder} is no model of several targets: its config.json lacks "format": "{MULTI_TASK}"'
    if wanted == PRETRAINED:
        return f'{folder} is no pretrained backbone: its config.json lacks "format": "{PRETRAINED}"'
    return (
        f'{folder} is not a headstart model: its config.json lacks "format": "{FORMAT}". '
        f"To use a folder of pretrained weights as a backbone, name it as file:{folder}"
    )


def numbered(file: str, number: int) -> str:
    """The name of a file of the model of this number beside the first: tokenizer.json -> tokenizer.1.json."""
    stem, _, suffix = file.rpartition(".")
    return f"{stem}.{number}.{suffix}" if number else file


def seal(config: dict[str, Any]) -> dict[str, Any]:
    """The config with its "checksum": BLAKE3 of the canonical JSON of everything else in it."""
    rest = {key: value for key, value in config.items() if key != "checksum"}
    return rest | {"checksum": blake3(canonical(rest)).hexdigest()}


def _listed(folder: Path, name: str, size: int, digest: str) -> bytes:
    data = plain_file(folder, name, limit=size)
    if len(data) != size:
        raise ArtefactError(f"{folder / name} holds {len(data)} bytes, expected {size}: it was truncated; {FRESH}")
    if blake3(data).hexdigest() != digest:
        raise ArtefactError(f"{folder / name} does not have the hash that config.json states: it was damaged; {FRESH}")
    return data


def plain_file(folder: Path, name: str, *, limit: int) -> bytes:
    """The bytes of `folder/name`, which must be a plain file (no link, pipe or device) of at most `limit` bytes."""
    path = folder / name
    try:
        if path.is_symlink():
            raise ArtefactError(f"{path} is a link, expected a plain file: put a copy of the file in its place")
        with open(path, "rb", opener=_open_no_link) as file:
            status = os.fstat(file.fileno())
            if not stat.S_ISREG(status.st_mode):
                raise ArtefactError(f"{path} is not a plain file; {FRESH}")
            if status.st_size > limit:
                raise ArtefactError(f"{path} holds {status.st_size} bytes, expected at most {limit}; {FRESH}")
            return file.read(status.st_size + 1)
    except (FileNotFoundError, NotADirectoryError) as error:
        raise ArtefactError(_absent(folder, name)) from error
    except (OSError, ValueError) as error:
        raise ArtefactError(f"{path} cannot be read: {error}") from error


def _open_no_link(path: str, flags: int) -> int:
    return os.open(path, flags | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0))


def _absent(folder: Path, name: str) -> str:
    if not os.path.lexists(folder):
        if earlier := sorted(folder.parent.glob(f".{glob.escape(folder.name[:40])}.*.headstart-earlier")):
            return f"a save to {folder} was cut off; the version before it is whole: rename {earlier[0]} to {folder}"
        return f"there is no model at {folder}: give the folder that `headstart fit DATA --out FOLDER` wrote"
    if not folder.is_dir():
        return f"{folder} is not a folder: a model is the folder that `headstart fit DATA --out FOLDER` wrote"
    if name == "config.json":
        return f"{folder} is not a headstart model: it holds no config.json"
    return f"{folder / name} is missing; {FRESH}"
