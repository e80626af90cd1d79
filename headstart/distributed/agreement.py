"""What clients agree upon before they learn: the kind, the classes, the columns and how these become features.

Each client describes its data (`Description`): the names of classes and columns, the categories of each column and the
median of its numbers, no rows. The server makes one `Agreement` of the descriptions, and says whom it cannot include.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import Any

import numpy as np

from headstart.distributed.clients import Rounds
from headstart.errors import DataError
from headstart.heads.standardize import Scale as HeadScale
from headstart.messages import few, nearest_hint
from headstart.preprocessing.table_columns import MOST, Category, Moment, Number, Scale
from headstart.preprocessing.table_encoder import TableEncoder
from headstart.tasks.kind import kind_named
from headstart.tasks.task import Columns

__all__ = ["Agreement", "Description", "agree"]

Column = Number | Category | Moment


@dataclass(frozen=True, kw_only=True)
class Description:
    """What a client tells of its data.

    rows      how many can be learnt from
    classes   the labels that occur there; empty for values
    columns   the names of the input columns of a table; empty where there is none
    encoder   how it would make features of them: the JSON of `TableEncoder.state`, with the hashes of rare categories
    width     D of its features; of a table 0, since that is to be agreed
    weights   the fingerprint of its backbone; "" without one
    backbone  its name; "" without one
    engine    who computes the features, see `FeatureSet.engine`
    roles     which column of its table plays which role (`Columns`); None where there is no table
    """

    rows: int
    kind: str
    modality: str
    classes: tuple[Any, ...]
    columns: tuple[str, ...]
    encoder: dict[str, Any] | None
    width: int
    weights: str
    backbone: str = ""
    engine: dict[str, Any] = field(default_factory=dict)
    roles: dict[str, Any] | None = None

    def to_json(self) -> str:
        return json.dumps(asdict(self), allow_nan=False)

    @classmethod
    def from_json(cls, text: str) -> Description:
        """DataError where a client sent something else."""
        try:
            fields = json.loads(text)
            return cls(**fields | {name: tuple(fields[name]) for name in ("classes", "columns")})
        except (TypeError, ValueError, KeyError) as error:
            raise DataError(
                f"it does not describe its data as expected ({error!r}); is it of another version?"
            ) from error


@dataclass(frozen=True, kw_only=True)
class Agreement:
    """What holds for all. scale: of features, see `heads.standardize`; rounds: the fields of `Rounds`, {} for one exact
    round; the others as in `Description`, `Federation`."""

    kind: str
    modality: str
    classes: tuple[Any, ...]
    encoder: dict[str, Any] | None
    width: int
    head: str
    scale: HeadScale
    folds: int
    seed: int
    weights: str = ""
    backbone: str = ""
    engine: dict[str, Any] = field(default_factory=dict)
    roles: dict[str, Any] | None = None
    rounds: dict[str, Any] = field(default_factory=dict)

    def to_json(self) -> str:
        return json.dumps(asdict(self), allow_nan=False)

    @classmethod
    def from_json(cls, text: str) -> Agreement:
        fields = json.loads(text)
        return cls(**fields | {"classes": tuple(fields["classes"])})

    @property
    def how(self) -> Rounds | None:
        """The rounds; None for one exact round."""
        return Rounds(**self.rounds) if self.rounds else None

    @property
    def moves_weights(self) -> bool:
        """Whether weights of the backbone learn."""
        return self.how is not None and self.how.moves_weights

    @property
    def columns(self) -> Columns | None:
        """Which column of the clients' tables plays which role."""
        if self.roles is None:
            return None
        fields = {name: tuple(value) if isinstance(value, list) else value for name, value in self.roles.items()}
        return Columns(**fields | {"types": tuple((str(name), kind) for name, kind in fields["types"])})

    @property
    def table_encoder(self) -> TableEncoder | None:
        """How the columns of a table become features; None for other inputs."""
        return None if self.encoder is None else encoder_of(self.encoder)


def encoder_json(encoder: TableEncoder) -> dict[str, Any]:
    """Its state as JSON alone."""
    config, rare = encoder.state()
    return config | {"rare": {name: [int(number) for number in hashes] for name, hashes in rare.items()}}


def encoder_of(record: Mapping[str, Any]) -> TableEncoder:
    """The inverse of `encoder_json`. ArtefactError where it is none."""
    arrays = {name: np.array(hashes, dtype=np.int64) for name, hashes in record["rare"].items()}
    return TableEncoder.from_state({key: value for key, value in record.items() if key != "rare"}, arrays)


def agree(
    descriptions: Mapping[str, Description], *, head: str, folds: int, seed: int
) -> tuple[Agreement, dict[str, str]]:
    """The agreement of those who can be included, and by name why others cannot.

    The first kind, modality, backbone and set of columns that most clients share are taken. DataError where fewer than
    two clients are left, or where nobody has two classes together.
    """
    left_out = {
        name: "it has no rows that can be learnt from"
        for name, description in descriptions.items()
        if not description.rows
    }
    members = {name: description for name, description in descriptions.items() if description.rows}
    for words, of in (("kind", "kind"), ("modality", "modality"), ("backbone", "weights"), ("columns", "columns")):
        members = _like_most(members, of, words, left_out)
    members = _with_common_classes(members, left_out)
    if len(members) < 2:
        reasons = "; ".join(f"{name}: {why}" for name, why in left_out.items())
        raise DataError(f"fewer than 2 clients can learn together ({reasons or 'nobody answered'})")
    first = next(iter(members.values()))
    classes = tuple(sorted({label for description in members.values() for label in description.classes}, key=_order))
    if kind_named(first.kind).exclusive and len(classes) < 2:
        raise DataError(f"all clients together have one class only, {classes[0]!r}: give rows of two classes or more")
    encoders = {
        name: encoder_of(description.encoder)
        for name, description in members.items()
        if description.encoder is not None
    }
    encoder = _one_encoder(encoders, [members[name].rows for name in encoders]) if encoders else None
    agreement = Agreement(
        kind=first.kind,
        modality=first.modality,
        classes=classes,
        encoder=None if encoder is None else encoder_json(encoder),
        width=first.width if encoder is None else encoder.width,
        head=head,
        scale="shared" if first.weights else "each",
        folds=folds,
        seed=seed,
        weights=first.weights,
        backbone=first.backbone,
        engine=first.engine,
        roles=first.roles,
    )
    return agreement, left_out


def _order(label: Any) -> tuple[str, Any]:
    return ("", label) if isinstance(label, int | float) else ("text", str(label))


def _like_most(
    members: dict[str, Description], attribute: str, words: str, left_out: dict[str, str]
) -> dict[str, Description]:
    def value(description: Description) -> Any:
        shown = getattr(description, attribute)
        return tuple(sorted(shown)) if attribute == "columns" else shown

    values = [value(description) for description in members.values()]
    common = max(values, key=values.count, default=None)
    for name, description in members.items():
        if value(description) != common:
            left_out[name] = _otherwise(words, value(description), common)
    return {name: description for name, description in members.items() if name not in left_out}


def _otherwise(words: str, own: Any, common: Any) -> str:
    if words != "columns":
        return f"its {words} is {own or 'none'!r}, that of the others {common or 'none'!r}"
    lacking, more = [c for c in common if c not in own], [c for c in own if c not in common]
    hint = nearest_hint(lacking[0], more) if lacking else ""
    parts = [f"lacks {few(lacking)}{hint}"] * bool(lacking) + [f"has {few(more)} besides"] * bool(more)
    return f"its columns are not those of the others: it {' and '.join(parts)}"


def _with_common_classes(members: dict[str, Description], left_out: dict[str, str]) -> dict[str, Description]:
    for name, description in members.items():
        others = {label for other, theirs in members.items() if other != name for label in theirs.classes}
        if description.classes and others and not others & set(description.classes):
            left_out[name] = (
                f"it shares no class with the others: it has {few(description.classes, 5)}, they have "
                f"{few(sorted(others, key=_order), 5)}"
            )
    return {name: description for name, description in members.items() if name not in left_out}


def _one_encoder(encoders: Mapping[str, TableEncoder], rows: Sequence[int]) -> TableEncoder:
    """Every column that tells rows apart at some client: the categories of all, medians and means weighed by rows."""
    names = sorted({column.column for encoder in encoders.values() for column in encoder.columns})
    columns = []
    for name in names:
        parts = [
            (owner, column, count)
            for (owner, encoder), count in zip(encoders.items(), rows, strict=True)
            for column in encoder.columns
            if column.column == name
        ]
        kinds = {column.kind for _, column, _ in parts}
        if len(kinds) > 1:
            words = ", ".join(f"{column.kind} at {owner}" for owner, column, _ in parts)
            raise DataError(f"column {name!r} is not the same at all clients ({words}): write it alike everywhere")
        columns.append(_one_column([column for _, column, _ in parts], [count for _, _, count in parts]))
    return TableEncoder(tuple(columns))


def _one_column(columns: Sequence[Column], rows: Sequence[int]) -> Column:
    first, missing = columns[0], any(column.missing for column in columns)
    if isinstance(first, Category):
        own = [column for column in columns if isinstance(column, Category)]
        categories = tuple(sorted({text for column in own for text in column.categories}))[:MOST]
        rare = np.unique(np.concatenate([column.rare for column in own]))
        return Category(column=first.column, categories=categories, rare=rare, missing=missing)
    scales = [column.scale for column in columns if not isinstance(column, Category)]
    weights = np.array(rows, dtype=np.float64) / sum(rows)
    middle = {key: float(weights @ [getattr(scale, key) for scale in scales]) for key in ("median", "mean", "scale")}
    if isinstance(first, Moment):
        cycles = {cycle for column in columns if isinstance(column, Moment) for cycle in column.cycles}
        return replace(first, scale=Scale(**middle), missing=missing, cycles=tuple(sorted(cycles)))
    return Number(column=first.column, scale=Scale(**middle), missing=missing)
