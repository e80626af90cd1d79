"""Where a model comes from: the data that it was fitted to and the command, so that a report can show rows again."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

__all__ = ["WITHHELD", "Origin", "origin_from"]


class Origin(NamedTuple):
    """data, test, source   absolute paths; None where they were given as objects in memory, or were not given
    roles     which columns were named, and the modality, as JSON
    kind      of the task, where it was named
    command   as it was typed; None where Python fitted the model
    withheld  whether all of it was left out, as was asked
    """

    data: str | None
    test: str | None
    source: str | None
    roles: Mapping[str, Any]
    kind: str | None
    command: tuple[str, ...] | None
    withheld: bool = False

    def to_json(self) -> dict[str, Any]:
        """As JSON."""
        command = None if self.command is None else list(self.command)
        record = self._asdict() | {"roles": dict(self.roles), "command": command}
        if not self.withheld:
            del record["withheld"]
        return record


WITHHELD = Origin(None, None, None, {}, None, None, withheld=True)
"""Of a model that tells neither paths nor the command."""


def origin_from(record: Any) -> Origin | None:
    """What `to_json` gave; None for None. TypeError or KeyError where it is damaged."""
    if record is None:
        return None
    command = record["command"]
    return Origin(
        **{name: _text(record[name]) for name in ("data", "test", "source", "kind")},
        roles=dict(record["roles"]),
        command=None if command is None else tuple(str(word) for word in command),
        withheld=bool(record.get("withheld", False)),
    )


def _text(value: Any) -> str | None:
    return None if value is None else str(value)
