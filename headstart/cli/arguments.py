"""What the words of the command line ask for, checked before any work is done."""

from __future__ import annotations

from pathlib import Path
from typing import Any

__all__ = ["kind_of", "may_save", "options_of", "roles_of"]


def options_of(options: list[str] | None) -> dict[str, Any] | None:
    """Pairs name=value. Raises ValueError for a word that is none."""
    pairs = [option.partition("=") for option in options or ()]
    for name, equals, _ in pairs:
        if not equals:
            raise ValueError(f"--option {name}: expected name=value, such as epochs=20")
    return {name.replace("-", "_"): value for name, _, value in pairs} or None


def may_save(out: Path, *, overwrite: bool, moving: str | None, options: dict[str, Any] | None) -> None:
    """Raises ArtefactError where a model may not be written; ValueError where weights that move are kept by a hash."""
    from headstart.artefact import check_target
    from headstart.methods.table import configured

    check_target(out, overwrite=overwrite)
    if moving and configured(moving, options or {}, 0) is not None:
        raise ValueError(f"--slim stores the backbone by its hash, and method {moving!r} moves it: leave --slim out")


def kind_of(kind: str | None) -> Any:
    """The kind of task, or None. Raises ValueError for one that there is not."""
    if kind not in (None, "classification", "regression", "multilabel"):
        raise ValueError(f"--kind {kind}: expected classification, regression or multilabel")
    return kind


def roles_of(input: list[str] | None, target: str | None, *columns: str | None, classes: str | None = None) -> Any:
    """Which column is what: `columns` are split, group, domain and, of a fit, weight; `classes` are names with commas
    between them."""
    from headstart.data.roles import Roles

    split, group, domain, weight = (*columns, None)[:4]
    named = tuple(name.strip() for name in (classes or "").split(",") if name.strip())
    return Roles(
        input=tuple(input or ()) or None,
        target=target,
        split=split,
        group=group,
        domain=domain,
        weight=weight,
        classes=named,
    )
