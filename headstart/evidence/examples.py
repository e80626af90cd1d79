"""Rows that a report shows: the surest mistakes, the most doubtful labels, scores by group, and a map of the features.

They are numbers and names: what the inputs hold is read again where they are shown, and compared with their keys.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

from headstart.evidence.plain import plain

__all__ = ["FORMAT", "Example", "Examples", "FeatureMap", "GroupScore", "Neighbour", "RowName", "examples_from"]

FORMAT = 1


class RowName(NamedTuple):
    """Which row of the data: what it is called, its place among the rows as they were read, and its content key (hex,
    16 digits)."""

    name: str
    place: int
    key: str


class Neighbour(NamedTuple):
    """A row to learn from, its label, and the cosine similarity of its centred features."""

    row: RowName
    truth: Any
    similarity: float


class Example(NamedTuple):
    """A row that was tested.

    truth, answer   as a person writes them: a label, a list of labels, a number
    sure            the probability of the answer; several labels: that of the label it is surest of and wrong about;
                    None for numbers
    given           the probability of the label that the data give, of several the least; None for numbers
    nearest         the most similar rows to learn from
    """

    row: RowName
    truth: Any
    answer: Any
    sure: float | None
    given: float | None
    nearest: tuple[Neighbour, ...]


class GroupScore(NamedTuple):
    """The score of the rows of one group or domain, with its 95 % interval."""

    name: str
    rows: int
    value: float | None
    low: float | None
    high: float | None


class FeatureMap(NamedTuple):
    """Rows on the two principal components of their features.

    of       whose features
    rows     how many rows there are; those that are drawn were drawn at random
    share    of the variance that the two components hold
    labels   what the codes mean
    x, y     from 0 to 1000
    code     of the label; -1: none, or several
    state    0: a row to learn from; 1: tested and right; 2: tested and wrong
    """

    of: str
    rows: int
    share: float
    labels: tuple[str, ...]
    x: tuple[int, ...]
    y: tuple[int, ...]
    code: tuple[int, ...]
    state: tuple[int, ...]


@dataclass(frozen=True, kw_only=True)
class Examples:
    """rows       those that are shown
    mistakes   places in `rows`, from the surest mistake on (of numbers: from the largest error on)
    doubtful   places in `rows` of mistakes, from the least probable given label on; empty but for one label a row
    metric     the score of groups and domains
    groups, domains   the worst first
    map        None where there is none, and `no_map` says why: "sparse", "none" or "few"
    """

    rows: tuple[Example, ...] = ()
    mistakes: tuple[int, ...] = ()
    doubtful: tuple[int, ...] = ()
    metric: str = ""
    groups: tuple[GroupScore, ...] = ()
    domains: tuple[GroupScore, ...] = ()
    map: FeatureMap | None = None
    no_map: str = ""

    def to_json(self) -> dict[str, Any]:
        """As JSON."""
        return {
            "format": FORMAT,
            "rows": [_example_record(example) for example in self.rows],
            "mistakes": list(self.mistakes),
            "doubtful": list(self.doubtful),
            "metric": self.metric,
            "groups": [list(group) for group in self.groups],
            "domains": [list(domain) for domain in self.domains],
            "map": None if self.map is None else plain(self.map._asdict()),
            "no_map": self.no_map,
        }


def examples_from(record: Any) -> Examples | None:
    """What `to_json` gave; None for None and for another format. TypeError, KeyError or ValueError where damaged."""
    if record is None or not isinstance(record, Mapping) or record.get("format") != FORMAT:
        return None
    rows = tuple(_example(row) for row in record["rows"])
    places = {name: tuple(int(place) for place in record[name]) for name in ("mistakes", "doubtful")}
    if any(not 0 <= place < len(rows) for listed in places.values() for place in listed):
        raise ValueError("a row that is shown is not among the rows")
    return Examples(
        rows=rows,
        **places,
        metric=str(record["metric"]),
        groups=tuple(_group(*group) for group in record["groups"]),
        domains=tuple(_group(*domain) for domain in record["domains"]),
        map=None if record["map"] is None else _map(record["map"]),
        no_map=str(record["no_map"]),
    )


def _example_record(example: Example) -> list[Any]:
    nearest = [[list(near.row), near.truth, near.similarity] for near in example.nearest]
    return [list(example.row), example.truth, example.answer, example.sure, example.given, nearest]


def _example(record: Any) -> Example:
    row, truth, answer, sure, given, nearest = record
    neighbours = tuple(Neighbour(_name(near), label, float(similarity)) for near, label, similarity in nearest)
    return Example(_name(row), truth, answer, _figure(sure), _figure(given), neighbours)


def _name(record: Any) -> RowName:
    name, place, key = record
    return RowName(str(name), int(place), str(key))


def _group(name: Any, rows: Any, *figures: Any) -> GroupScore:
    return GroupScore(str(name), int(rows), *map(_figure, figures))


def _figure(value: Any) -> float | None:
    return None if value is None else float(value)


def _map(record: Mapping[str, Any]) -> FeatureMap:
    points = {name: tuple(int(value) for value in record[name]) for name in ("x", "y", "code", "state")}
    labels = tuple(str(label) for label in record["labels"])
    if len({len(values) for values in points.values()}) != 1 or any(not code < len(labels) for code in points["code"]):
        raise ValueError("the points of the map do not go together")
    return FeatureMap(str(record["of"]), int(record["rows"]), float(record["share"]), labels, **points)
