"""What one column of a table looks like: an identifier, a text, words, or something no table model can read."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import pandas as pd

from headstart.data.counters import MANY_ROWS, count_of_rows, whole_numbers

__all__ = ["all_different", "are_words", "identity", "is_text", "mean_words", "obstacle"]

TEXT_WORDS = 4
IDENTIFIER = re.compile(
    r"(?i:(.*[ _.-])?(id|idx|uuid|guid|index|row ?id|key)|unnamed: \d+|column 1|level_\d+|__index_level_\d+__"
    r"|row ?(no|nr|num|number|names?)\.?|(s|sr|sl)\.? ?no\.?|#)|.*[a-z](Id|ID)"
)
CODE = re.compile(r"[!-~]*[0-9][!-~]*|[!-~]+@[!-~]+|[a-z]+://[!-~]+|[!-~]+\.[a-z]{2,}(/[!-~]*)?")
CODE_SHARE = 0.9
# Letters of scripts that are written without spaces (Chinese, Japanese, Thai, Lao, Khmer, Burmese, Tibetan), and those
# of Korean, whose words take what others write as several. A word has about two of the first, four of the second.
SHORT_WORDS = re.compile("[\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7af\uf900-\ufaff\U00020000-\U0003ffff]")
LONG_WORDS = re.compile("[\u0e00-\u0eff\u0f00-\u0fff\u1000-\u109f\u1780-\u17ff]")


def are_words(column: pd.Series[Any]) -> bool:
    """Whether every value that is there is a string, and at least one is."""
    if isinstance(column.dtype, pd.CategoricalDtype):
        return are_words(pd.Series(column.cat.categories))
    if pd.api.types.is_numeric_dtype(column.dtype) or not len(column):
        return False
    return pd.api.types.infer_dtype(column, skipna=True) == "string"


def mean_words(column: pd.Series[Any]) -> float:
    """The mean number of words in the strings of a column, also of languages that put no spaces between them."""
    return float(np.mean([_words(value) for value in column.dropna().tolist()] or [0]))


def _words(text: str) -> float:
    spaced = len(text.split())
    if text.isascii():
        return spaced
    return max(spaced, len(SHORT_WORDS.findall(text)) / 2 + len(LONG_WORDS.findall(text)) / 4)


def is_text(column: pd.Series[Any], least_words: float = TEXT_WORDS) -> bool:
    """Strings in at least half of the rows, at least half of them different, of 4 words or more on average."""
    filled = int(column.count())
    different = are_words(column) and 2 * filled >= len(column) and 2 * column.nunique() >= filled
    return different and mean_words(column) >= least_words


def all_different(column: pd.Series[Any]) -> bool:
    """Whether these are strings, in 20 rows or more, of which none occurs twice."""
    return len(column) >= MANY_ROWS and are_words(column) and column.nunique() == column.count()


def identity(column: pd.Series[Any]) -> str:
    """Why a column only tells rows apart; "" where it may tell more. Its values are there and all different, and

    - whole numbers or strings of one word, in a column called id, index, key, uuid, row number, or ending so (user_id,
      PassengerId), or without a name; or, in 20 rows or more,
    - whole numbers that count the rows (see `counters`), or
    - codes: 90 % of them one word of plain characters with a digit, or an address.
    """
    words = are_words(column)
    if not words and whole_numbers(column) is None:
        return ""
    if column.nunique() < len(column):
        return ""
    if counted := count_of_rows(column):
        return counted
    named = IDENTIFIER.fullmatch(str(column.name).strip()) is not None
    if (named and not (words and mean_words(column) >= 2)) or (words and len(column) >= MANY_ROWS and _codes(column)):
        return "all different: it only tells rows apart"
    return ""


def _codes(column: pd.Series[Any]) -> bool:
    values = column.dropna().tolist()
    return sum(CODE.fullmatch(value) is not None for value in values) >= CODE_SHARE * len(values)


def obstacle(column: pd.Series[Any]) -> str:
    """Why a column cannot be one of a table's inputs, or nothing."""
    if pd.api.types.is_complex_dtype(column.dtype):
        return "complex numbers"
    if column.dtype != object:
        return ""
    strange = next((v for v in column if not pd.api.types.is_scalar(v) or isinstance(v, bytes | complex)), None)
    if strange is None:
        return ""
    return "complex numbers" if isinstance(strange, complex) else f"each value a {type(strange).__name__}"
