"""What was measured on this machine, remembered so that the next process need not measure, and chooses the same."""

from __future__ import annotations

import json
from contextlib import suppress
from pathlib import Path
from typing import Any

from blake3 import blake3

from headstart.features.cache.shard import write_file

__all__ = ["Memory"]


class Memory:
    """Small JSON objects under what they hold for.

    folder   one file each; None keeps them as long as this object
    """

    def __init__(self, folder: Path | None) -> None:
        self._folder = folder
        self._here: dict[str, dict[str, Any]] = {}

    def recall(self, *subject: str) -> dict[str, Any] | None:
        """What was remembered of this subject; None if nothing was, or the file is damaged."""
        name = _name(subject)
        if self._folder is not None and name not in self._here:
            try:
                entry = json.loads((self._folder / name).read_bytes())
            except (OSError, ValueError):  # not there, or damaged: it is measured again
                return None
            if (
                isinstance(entry, dict)
                and entry.get("subject") == list(subject)
                and isinstance(entry.get("value"), dict)
            ):
                self._here[name] = entry["value"]
        return self._here.get(name)

    def remember(self, *subject: str, value: dict[str, Any]) -> None:
        """Keep it; where the folder cannot be written, for the life of this object."""
        name = _name(subject)
        self._here[name] = value
        if self._folder is not None:
            with suppress(OSError):  # the cache itself says that it cannot be written
                self._folder.mkdir(parents=True, exist_ok=True)
                text = json.dumps({"subject": subject, "value": value}, indent=1)
                write_file(self._folder / name, text.encode())


def _name(subject: tuple[str, ...]) -> str:
    return blake3(json.dumps(subject).encode()).hexdigest(length=16) + ".json"
