"""What a model keeps of where it came from: its data, by absolute path, and the command."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from headstart.data.roles import ROLES, Roles
from headstart.evidence.origin import Origin
from headstart.messages import without_password
from headstart.transfer import Transfer

__all__ = ["with_origin"]


def with_origin(
    fitted: Transfer,
    data: Any,
    *,
    test: Any = None,
    source: Any = None,
    roles: Roles,
    kind: str | None = None,
    command: Sequence[str] | None = None,
) -> Transfer:
    """The same fitted model, whose evidence tells what it was fitted to.

    command   as it was typed, kept without passwords; None: Python fitted it
    """
    named: dict[str, Any] = {name: getattr(roles, name) for name in ROLES if getattr(roles, name)}
    named |= {"input": list(roles.inputs)} if roles.inputs else {}
    named |= {"classes": list(roles.classes)} if roles.classes else {}
    typed = None if command is None else tuple(without_password(word) for word in command)
    origin = Origin(_place(data), _place(test), _place(source), named, kind, typed)
    model = fitted.model_
    if model.evidence is None:
        return fitted
    return fitted.hold(replace(model, evidence=model.evidence | {"origin": origin.to_json()}))


def _place(given: Any) -> str | None:
    return os.path.abspath(os.fsdecode(given)) if isinstance(given, str | os.PathLike) else None
