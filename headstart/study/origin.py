"""What a model keeps of where it came from: its data, by absolute path, and the command."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any, TypeVar

from headstart.artefact import Model
from headstart.data.roles import ROLES, Roles
from headstart.evidence.multi_task import MultiTaskEvidence
from headstart.evidence.origin import WITHHELD, Origin
from headstart.messages import without_password
from headstart.study.multi_task import MultiTask
from headstart.transfer import Transfer

__all__ = ["origin_of", "with_origin", "without_origin"]

Fitted = TypeVar("Fitted", Transfer, MultiTask)


def origin_of(
    data: Any,
    *,
    test: Any = None,
    source: Any = None,
    roles: Roles,
    kind: str | None = None,
    command: Sequence[str] | None = None,
) -> Origin:
    """What is to be kept of where a model comes from.

    command   as it was typed, kept without passwords; None: Python fitted it
    """
    named: dict[str, Any] = {name: getattr(roles, name) for name in ROLES if getattr(roles, name)}
    named |= {"input": list(roles.inputs)} if roles.inputs else {}
    named |= {"classes": list(roles.classes)} if roles.classes else {}
    typed = None if command is None else tuple(without_password(word) for word in command)
    return Origin(_place(data), _place(test), _place(source), named, kind, typed)


def with_origin(fitted: Transfer, origin: Origin) -> Transfer:
    """The same fitted model, whose evidence tells what it was fitted to."""
    model = fitted.model_
    if model.evidence is None:
        return fitted
    return fitted.hold(replace(model, evidence=model.evidence | {"origin": origin.to_json()}))


def without_origin(fitted: Fitted, places: Iterable[Any]) -> Fitted:
    """The same fitted model, which tells neither where its data lay nor what the command was.

    places   the data, the test data and the source, as they were given: where a note, a finding or the name of a row
             holds the folder that one lies in, only what stands behind it is left
    """
    known = [place for place in map(_place, places) if place is not None]
    folders = sorted({f"{os.path.dirname(place)}{os.sep}" for place in known} - {os.sep}, key=len, reverse=True)
    if isinstance(fitted, MultiTask):
        record = _without(fitted.evidence_.to_json(), folders)
        evidence = replace(MultiTaskEvidence.from_json(record), origin=WITHHELD)
        models = {name: _quiet(model, folders) for name, model in fitted.models_.items()}
        return fitted.hold(models, evidence)
    fitted.hold(_quiet(fitted.model_, folders))
    return with_origin(fitted, WITHHELD)


def _quiet(model: Model, folders: list[str]) -> Model:
    evidence = None if model.evidence is None else _without(model.evidence, folders)
    beside = tuple(member._replace(model=_quiet(member.model, folders)) for member in model.beside)
    return replace(model, evidence=evidence, notes=_without(model.notes, folders), beside=beside)


def _without(value: Any, folders: list[str]) -> Any:
    """JSON whose texts hold none of these folders."""
    if isinstance(value, str):
        for folder in folders:
            value = value.replace(folder, "")
        return value
    if isinstance(value, dict):
        return {key: _without(part, folders) for key, part in value.items()}
    if isinstance(value, list | tuple):
        return type(value)(_without(part, folders) for part in value)
    return value


def _place(given: Any) -> str | None:
    return os.path.abspath(os.fsdecode(given)) if isinstance(given, str | os.PathLike) else None
