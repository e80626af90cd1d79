"""The rows that a report shows: the surest mistakes as cards, the most doubtful labels as a table."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

from headstart.evidence.examples import Example, Examples, RowName
from headstart.evidence.verdict import figure
from headstart.reports.inputs import Inputs
from headstart.reports.media import Media
from headstart.reports.words import Words

__all__ = ["Card", "cards", "doubtful_rows", "rows_of", "written"]


class Near(NamedTuple):
    """A row to learn from: what it holds, its name, its label and how alike it is."""

    media: Media | None
    name: str
    truth: str
    similarity: str


class Card(NamedTuple):
    """A tested row.

    id      of its place on the page
    grade   how sure the answer was, or how large the error
    agree   the labels of the nearest rows
    above   whether it has a card too
    """

    id: str
    media: Media | None
    name: str
    truth: str
    answer: str
    grade: str
    given: str
    nearest: tuple[Near, ...]
    agree: str
    above: bool = False


def rows_of(examples: Examples, *, sound: bool) -> Iterator[RowName]:
    """Those whose content the page shows, the most important first; beside sounds, which are large, one neighbour."""
    shown = [examples.rows[at] for at in dict.fromkeys([*examples.mistakes, *examples.doubtful])]
    yield from (example.row for example in shown)
    for example in (examples.rows[at] for at in examples.mistakes):
        yield from (near.row for near in example.nearest[: 1 if sound else None])


def cards(words: Words, examples: Examples, inputs: Inputs) -> list[Card]:
    """The mistakes."""
    return [_card(words, examples.rows[at], at, inputs) for at in examples.mistakes]


def doubtful_rows(words: Words, examples: Examples, inputs: Inputs) -> list[Card]:
    """The rows of the least probable labels."""
    above = set(examples.mistakes)
    return [_card(words, examples.rows[at], at, inputs)._replace(above=at in above) for at in examples.doubtful]


def _card(words: Words, example: Example, at: int, inputs: Inputs) -> Card:
    if example.sure is None:
        grade = words("mistakes.error", value=figure(abs(float(example.answer) - float(example.truth))))
    else:
        grade = words("mistakes.sure", value=figure(example.sure))
    nearest = tuple(
        Near(
            inputs.media.get(near.row),
            near.row.name,
            written(words, near.truth),
            words("mistakes.similarity", value=figure(near.similarity)),
        )
        for near in example.nearest
    )
    return Card(
        f"row-{at}",
        inputs.media.get(example.row),
        example.row.name,
        written(words, example.truth),
        written(words, example.answer),
        grade,
        "" if example.given is None else figure(example.given),
        nearest,
        words("comma").join(dict.fromkeys(near.truth for near in nearest)),
    )


def written(words: Words, value: Any) -> str:
    """A label, labels, or a number, as a person reads it."""
    if isinstance(value, list | tuple):
        return words("comma").join(map(str, value)) or words("mistakes.nothing")
    return f"{value:,.6g}" if isinstance(value, float) else str(value)
