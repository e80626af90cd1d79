"""Numbers as people and spreadsheets write them: 45,120 or 1.234,5 or $ 12 or 12 %.

A column has one decimal mark, point or comma, the one by which more of its cells read. The other mark, a space or an
apostrophe may set off thousands. "1,234" alone reads either way: then the comma sets off thousands, unless the column
is known to have decimal commas. A currency, % or a unit such as kg is taken off where all cells have the same, and
brackets around a number make it negative.

Digits with a leading zero, or more than 18 of them, are codes; so are numbers that all begin with + and telephone
numbers (all of one length of 7 digits or more, in groups set apart by spaces).
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping
from typing import Literal, NamedTuple, get_args

__all__ = ["Decimal", "Numbers", "read_numbers"]

Decimal = Literal[".", ","]

_CODE = r"[+-]?(?:0[0-9]+|[0-9]{19,})"
_PLAIN = r"[+-]?(?:(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]{1,4})?|[iI][nN][fF](?:[iI][nN][iI][tT][yY])?)"
CODE, PLAIN, INTEGER = re.compile(_CODE), re.compile(_PLAIN), re.compile(r"[+-]?[0-9]+")
CODE_LINE, OTHER_LINE = re.compile(rf"^{_CODE}$", re.M), re.compile(rf"^(?!{_PLAIN}$)", re.M)
CURRENCY = r"(?:US\$|R\$|[$€£¥₹₩₽₺฿₫₪]|EUR|USD|GBP|CHF|JPY|INR|CNY|Rs\.?|kr|zł)"
UNIT = r"(?:%|‰|[°A-Za-zµμΩ][A-Za-zµμΩ°²³/]{0,7})"
WRITTEN = re.compile(
    rf"(?P<sign>[+-]?) ?(?P<before>{CURRENCY}?) ?(?P<inner>[+-]?)"
    rf"(?P<digits>[0-9][0-9.,' ]*|[.,][0-9]+)(?P<exponent>[eE][+-]?[0-9]{{1,4}})?"
    rf" ?(?P<after>(?:{CURRENCY}|{UNIT})?)"
)
_HEAD, _BLOCK = "[1-9][0-9]{0,2}", "[0-9]{3}"
DIGITS: dict[Decimal, re.Pattern[str]] = {
    mark: re.compile(
        rf"(?:[0-9]+(?:{re.escape(mark)}[0-9]+)?|{re.escape(mark)}[0-9]+"
        rf"|{_HEAD}(?:(?P<gap>[{group}' ]){_BLOCK}(?:(?P=gap){_BLOCK})*)(?:{re.escape(mark)}[0-9]+)?"
        rf"|[1-9][0-9]?(?:{group}[0-9]{{2}})+{group}{_BLOCK}(?:{re.escape(mark)}[0-9]+)?)"
    )
    for mark, group in zip(get_args(Decimal), (",", r"\."), strict=True)
}
ADDRESS = re.compile(r"[0-9]{1,3}(\.[0-9]{1,3}){3}")
DIALLED = re.compile(r"\+[0-9][0-9 ()/-]{6,}")
PHONE_DIGITS = 7
UNIT_ROWS = 10
UNIT_SHARE = 0.95
SIGNS = str.maketrans({
    "\u2212": "-", "\u2013": "-", "\uff0d": "-", "\uff0b": "+", "\u2019": "'", "\uff0c": ",", "\uff0e": ".",
    "\uff05": "%", **{chr(0xFF10 + digit): str(digit) for digit in range(10)},
})  # fmt: skip


class Numbers(NamedTuple):
    """The value of each word that is a number, the column's decimal mark, and how the words differ from plain numbers.

    unit     a currency, % or another unit that was taken off; "" for none
    grouped  what sets off thousands; "" for nothing
    """

    values: dict[str, int | float]
    decimal: Decimal
    unit: str = ""
    grouped: str = ""


class _Cell(NamedTuple):
    value: int | float
    unit: str
    gap: str
    length: int


def read_numbers(
    words: Mapping[str, int], *, earlier_mark: Decimal | None = None, comma: bool = False
) -> Numbers | None:
    """Distinct words and how often each occurs -> those that are numbers; None where the column is one of codes.

    earlier_mark   the decimal mark of an earlier reading of the column: it decides where both would do, and codes are
                   numbers
    comma          whether the file is of a kind that often has decimal commas
    """
    lines = "\n".join(words)  # one search over all of them is many times as fast as one a word
    if earlier_mark is None and (CODE_LINE.search(lines) or _are_signed(words)):
        return None
    if earlier_mark is None and not OTHER_LINE.search(lines):
        return Numbers({word: int(word) if INTEGER.fullmatch(word) else float(word) for word in words}, ".")
    folded = {word: _folded(word) for word in words}
    cells: dict[Decimal, dict[str, _Cell]] = {mark: {} for mark in DIGITS}
    for word, text in folded.items():
        for mark in cells:
            if (cell := _cell(text, mark, lenient=earlier_mark is not None)) is not None:
                cells[mark][word] = cell
    mark = _decimal(words, cells, earlier_mark, comma)
    unit, read = _of_one_unit(words, cells[mark], demanding=earlier_mark is None)
    if earlier_mark is None and _are_phones(read, len(words)):
        return None
    gaps = Counter(cell.gap for cell in read.values() if cell.gap)
    values = {word: cell.value for word, cell in read.items()}
    return Numbers(values, mark, unit, gaps.most_common(1)[0][0] if gaps else "")


def _folded(word: str) -> str:
    """One kind of space, minus, apostrophe and digits; a number in brackets with a minus."""
    text = " ".join(word.translate(SIGNS).split())
    inside = text[1:-1].strip() if text.startswith("(") and text.endswith(")") else ""
    return f"-{inside}" if inside and inside[0] not in "+-" else text


def _cell(text: str, mark: Decimal, *, lenient: bool) -> _Cell | None:
    if PLAIN.fullmatch(text) and (mark == "." or "." not in text):
        return _Cell(int(text) if INTEGER.fullmatch(text) else float(text), "", "", 0)
    match = WRITTEN.fullmatch(text)
    if match is None or (match["sign"] and match["inner"]) or (match["before"] and match["after"]):
        return None
    digits = match["digits"].strip()
    shape = DIGITS[mark].fullmatch(digits)
    if shape is None or ADDRESS.fullmatch(digits):
        return None
    other = "," if mark == "." else "."
    gap = shape["gap"] or (other if other in digits else "")
    plain = re.sub(f"[{re.escape(other)}' ]", "", digits).replace(mark, ".")
    if CODE.fullmatch(plain.partition(".")[0]) and not lenient:
        return None
    number = f"{match['sign'] or match['inner']}{plain}{match['exponent'] or ''}"
    value = int(number) if INTEGER.fullmatch(number) else float(number)
    return _Cell(value, match["before"] or match["after"], gap, sum(map(str.isdigit, digits)))


def _decimal(
    words: Mapping[str, int], cells: Mapping[Decimal, Mapping[str, _Cell]], earlier_mark: Decimal | None, comma: bool
) -> Decimal:
    count = {mark: sum(words[word] for word in read) for mark, read in cells.items()}
    if count["."] != count[","]:
        return "." if count["."] > count[","] else ","
    if earlier_mark is not None or not any("," in word for word in cells[","]):
        return earlier_mark or "."
    if not comma:
        return "."
    bare = [abs(cell.value) for word, cell in cells["."].items() if "," not in word]
    return "." if bare and max(bare) < 1000 else ","


def _of_one_unit(
    words: Mapping[str, int], cells: Mapping[str, _Cell], *, demanding: bool
) -> tuple[str, dict[str, _Cell]]:
    """The unit of most cells, and the cells that have it, or none beside a currency."""
    count: Counter[str] = Counter()
    for word, cell in cells.items():
        count[cell.unit] += words[word]
    units = Counter({unit: number for unit, number in count.items() if unit})
    if not units:
        return "", dict(cells)
    unit = units.most_common(1)[0][0]
    money = re.fullmatch(CURRENCY, unit) is not None
    few = count.total() < UNIT_ROWS or units[unit] < UNIT_SHARE * count.total() or len(cells) < 3
    if demanding and not money and unit not in "%‰" and few:
        return "", {word: cell for word, cell in cells.items() if not cell.unit}
    bare_too = money or not demanding
    unit_cells = {
        word: cell
        for word, cell in cells.items()
        if cell.unit == unit or (not cell.unit and (bare_too or cell.value == 0))
    }
    return unit, unit_cells


def _are_signed(words: Mapping[str, int]) -> bool:
    """Whether at least half are telephone numbers with the code of a country."""
    return 2 * sum(DIALLED.fullmatch(word) is not None for word in words if word[:1] == "+") >= max(1, len(words))


def _are_phones(read: Mapping[str, _Cell], count: int) -> bool:
    spaced = [cell for cell in read.values() if cell.gap == " "]
    lengths = {cell.length for cell in spaced}
    return len(spaced) > 4 and len(spaced) == count and len(lengths) == 1 and min(lengths) >= PHONE_DIGITS
