"""Which columns of a table are its inputs, and what they hold: steps 4 and 6 of the rule in `columns`."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import pandas as pd

from headstart.data.images import holds_pictures
from headstart.data.profile import all_different, are_words, identity, is_text, mean_words, obstacle
from headstart.data.roles import Roles
from headstart.data.sounds import holds_sounds
from headstart.data.tables import Table
from headstart.errors import DataError
from headstart.messages import by_name, few
from headstart.tasks import ARRAY, AUDIO, IMAGE, TABLE, TEXT, Modality

__all__ = ["BESIDE", "bounds_of", "inputs_of", "looks", "rest_of"]

TEXT_NAMES = (
    "text", "sentence", "review", "content", "body", "comment", "message", "tweet", "document", "sms", "utterance",
    "transcript", "texte", "texto", "testo", "\u6587\u672c", "\u30c6\u30ad\u30b9\u30c8", "\ud14d\uc2a4\ud2b8",
)  # fmt: skip
TITLE_NAMES = (
    "title", "headline", "subject", "question", "description", "caption", "summary", "abstract", "post", "query",
    "prompt",
)  # fmt: skip
BOUNDS = ("start", "start_time", "begin", "onset"), ("end", "end_time", "stop", "offset")
"""What columns beside recordings are called that say where in its file each begins and ends, in seconds."""

NO_ROLES = Roles()
TITLE_WORDS = 2
NAME_WORDS = 8
TABLE_COLUMNS = 3
BESIDE = "beside the input; name several columns as input to read them together"
DIFFERENT = "strings that are all different, of which a table learns nothing; name it as the input to read it as text"
WORDS = "a text beside columns that make a table; name it as the input to read it as text"
MANY = 20


def inputs_of(table: Table, free: list[str], roles: Roles) -> tuple[tuple[str, ...], Modality, str]:
    """The input columns that are named, or that hold pictures or texts; none where the rest is to be a table."""
    if roles.inputs:
        modality = roles.modality or looks(table, roles.inputs, roles)
        return roles.inputs, modality, f"input: {modality} from {few(roles.inputs)} (as asked)"
    sounds = [name for name in free if _are_sounds(table, name, roles)] if roles.modality in (None, AUDIO) else []
    if sounds:
        return (sounds[0],), AUDIO, f"input: recordings from {sounds[0]!r} (most values are recordings or their names)"
    if roles.modality == AUDIO:
        raise DataError(f"no column holds recordings or their names: the columns are {few(free)}")
    pictures = [name for name in free if _are_pictures(table, name)] if roles.modality in (None, IMAGE) else []
    if pictures:
        return (
            (pictures[0],),
            IMAGE,
            f"input: pictures from {pictures[0]!r} (most values are pictures or their names)",
        )
    if roles.modality == IMAGE:
        raise DataError(f"no column holds pictures or their names: the columns are {few(free)}")
    judges: dict[str | None, Callable[[pd.Series[Any]], bool]] = {None: _is_text, TEXT: are_words}
    wanted = judges.get(roles.modality)
    texts = [name for name in free if wanted(table.frame[name])] if wanted else []
    if texts:
        words = {name: mean_words(table.frame[name]) for name in texts}
        best = by_name(texts, TEXT_NAMES) or max(words, key=words.__getitem__)
        if roles.modality is None and _is_name_in_table(table, best, free):
            return (), TABLE, ""
        return (best,), TEXT, f"input: text from {best!r} (strings of {words[best]:.0f} words)"
    if roles.modality == TEXT:
        raise DataError(f"no column holds words: the columns are {few(free)}")
    return (), TABLE, ""


def rest_of(
    table: Table, free: list[str], expected_modality: Modality | None
) -> tuple[tuple[str, ...], Modality, str, list[str]]:
    """All columns that no other role took, as a table; one column of words alone is text.

    Strings that are all different tell a table nothing, and are left out; where there is nothing else, the longest of
    them are the text.
    """
    obstacles = {name: why for name in free if (why := obstacle(table.frame[name]))}
    names = [f"left out: {name!r} ({why})" for name, why in obstacles.items()]
    inputs = [name for name in free if name not in obstacles]
    if not inputs:
        present, why = few(table.raw.columns, 20), "; ".join(names)
        raise DataError(f"no column is left to be the input: name one of {present}. {why}".rstrip())
    different = [name for name in inputs if expected_modality is None and _tells_nothing(table.frame[name])]
    if len(different) < len(inputs):
        reasons = {name: DIFFERENT if all_different(table.frame[name]) else WORDS for name in different}
        names += [f"left out: {name!r} ({why})" for name, why in reasons.items()]
        inputs = [name for name in inputs if name not in different]
    elif len(different) > 1:
        words = {name: mean_words(table.frame[name]) for name in different}
        best = max(words, key=words.__getitem__)
        names += [f"left out: {name!r} ({BESIDE})" for name in different if name != best]
        inputs = [best]
    if len(inputs) == 1 and expected_modality is None and are_words(table.frame[inputs[0]]):
        return tuple(inputs), TEXT, f"input: text from {inputs[0]!r} (the only column that is left)", names
    modality = ARRAY if expected_modality == ARRAY else TABLE
    return tuple(inputs), modality, f"input: a table of {len(inputs)} columns: {few(inputs)}", names


def looks(table: Table, inputs: Sequence[str], roles: Roles = NO_ROLES) -> Modality:
    """What columns hold that were named as inputs."""
    sounds = [name for name in inputs if _are_sounds(table, name, roles)]
    if sounds and len(inputs) > 1:
        raise DataError(
            f"column {sounds[0]!r} holds recordings, which cannot be read together with others: name it alone"
        )
    if sounds:
        return AUDIO
    pictures = [name for name in inputs if _are_pictures(table, name)]
    if pictures and len(inputs) > 1:
        raise DataError(
            f"column {pictures[0]!r} holds pictures, which cannot be read together with others: name it alone"
        )
    if pictures:
        return IMAGE
    columns = [table.frame[name] for name in inputs]
    if all(map(are_words, columns)) and (len(columns) == 1 or any(map(is_text, columns))):
        return TEXT
    return TABLE


def _is_text(column: pd.Series[Any]) -> bool:
    """Whether a column is a text by its looks, or holds strings and is called as texts are."""
    name = str(column.name).strip().lower()
    if name in TEXT_NAMES and are_words(column):
        different = column.nunique()
        return different > MANY or 2 * different >= column.count()
    return is_text(column, TITLE_WORDS) if name in TITLE_NAMES else is_text(column)


def _is_name_in_table(table: Table, text: str, free: Sequence[str]) -> bool:
    """Whether a text by its looks alone is short, and stands beside several columns of which a table can learn."""
    column = table.frame[text]
    if str(column.name).strip().lower() in (*TEXT_NAMES, *TITLE_NAMES) or mean_words(column) >= NAME_WORDS:
        return False
    others = [table.frame[name] for name in free if name != text]
    return sum(not (obstacle(c) or identity(c) or _tells_nothing(c)) for c in others) >= TABLE_COLUMNS


def _tells_nothing(column: pd.Series[Any]) -> bool:
    """Whether a table learns nothing of these strings: none occurs twice, or they are texts."""
    return all_different(column) or is_text(column)


def bounds_of(table: Table, free: Sequence[str]) -> tuple[str | None, str | None]:
    """The columns that say where in its file each recording begins and ends, as far as there are any."""
    numbers = [name for name in free if table.typed[name].type in ("number", "number comma")]
    return by_name(numbers, BOUNDS[0]), by_name(numbers, BOUNDS[1])


def _are_sounds(table: Table, name: str, roles: Roles) -> bool:
    if pd.api.types.is_numeric_dtype(table.frame[name].dtype):
        return False
    cells = table.raw[name].dropna()
    return holds_sounds(cells) or (roles.sample_rate is not None and _are_waves(cells))


def _are_waves(cells: pd.Series[Any]) -> bool:
    votes = [getattr(cell, "ndim", 0) in (1, 2) for cell in cells]
    return 2 * sum(votes) > len(votes)


def _are_pictures(table: Table, name: str) -> bool:
    if pd.api.types.is_numeric_dtype(table.frame[name].dtype):
        return False
    return holds_pictures(table.raw[name].dropna())
