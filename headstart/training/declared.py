"""Options as the fields of dataclasses declare them: their types and defaults, and values from a command line."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import fields
from typing import Any, NamedTuple

from headstart.messages import nearest_hint

__all__ = ["Option", "options_of", "refuse_unknown", "typed"]

_TYPES: dict[str, type] = {"int": int, "float": float, "bool": bool, "str": str}


class Option(NamedTuple):
    """What can be set with `--option NAME=VALUE`: its type as it is declared, and its default."""

    name: str
    type: str
    default: Any


def refuse_unknown(name: str, option: str, option_names: Collection[str]) -> None:
    """ValueError for an option that a method does not have, naming the nearest."""
    if option not in option_names:
        hint = nearest_hint(option, option_names)
        raise ValueError(
            f"method {name!r} has no option {option!r}{hint}; it has {', '.join(sorted(option_names)) or 'none'}"
        )


def options_of(*parts: Any) -> dict[str, Option]:
    """The fields of dataclasses as options, with the values that they have there; of two of one name the last."""
    return {
        field.name: Option(field.name, str(field.type), getattr(part, field.name))
        for part in parts
        for field in fields(part)
    }


def typed(option: Option, value: Any) -> Any:
    """A value from the command line in the type of the option. ValueError where it has none such."""
    kind: Any = _TYPES.get(option.type.partition(" ")[0], type(option.default))
    if not isinstance(value, str) or kind is str:
        if not isinstance(value, kind) and not (kind is float and isinstance(value, int)):
            raise ValueError(f"{option.name} = {value!r}: expected {kind.__name__}")
        return value
    if kind is bool:
        if value.lower() not in ("yes", "no", "true", "false"):
            raise ValueError(f"{option.name} = {value!r}: expected yes or no")
        return value.lower() in ("yes", "true")
    try:
        return kind(value)
    except ValueError:
        raise ValueError(f"{option.name} = {value!r}: expected {kind.__name__}") from None
