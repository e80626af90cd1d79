"""JSON configuration files of a backbone's folder."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from headstart.errors import BackboneError

__all__ = ["read_config", "read_json"]


def read_config(folder: Path, name: str = "config.json", *, optional: bool = False) -> dict[str, Any]:
    """The JSON object in a folder's file. `BackboneError` where it is missing or damaged; {} if optional and missing.

    A file that asks to run code of its own ("auto_map") is refused: headstart never runs a repository's code.
    """
    path = folder / name
    if not path.is_file():
        if optional:
            return {}
        raise BackboneError(f"{folder}: no {name}; expected a folder in timm's or transformers' format.")
    config = read_json(path)
    if not isinstance(config, dict):
        raise BackboneError(f"{path}: holds a {type(config).__name__}; expected a JSON object.")
    if "auto_map" in config:
        raise BackboneError(
            f"{path}: 'auto_map' asks to run the repository's own Python code, which headstart never does. "
            "Use a model whose architecture transformers or timm has itself."
        )
    return config


def read_json(path: Path) -> Any:
    """What a JSON file holds; `BackboneError` where it is damaged."""
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise BackboneError(f"{path}: not valid JSON ({error}); fetch it again.") from error
