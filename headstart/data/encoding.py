"""Which encoding a file is written in, decided once by all of its bytes: of a CSV, of JSON lines, of a .txt file.

1. A mark at the start says UTF-8, UTF-16 or UTF-32. Without one, NUL bytes in every other place say UTF-16.
2. What is valid UTF-8 is UTF-8. So is a file in which more characters are valid UTF-8 than bytes are not: these bytes
   are damage, and stay in the text as lone surrogates (PEP 383), so that only their own rows are lost.
3. Else it is Western text in one byte a character. That is cp1252, with the five bytes that cp1252 leaves open as
   Latin-1 has them, unless Mac Roman, cp850, cp1250 or ISO 8859-2 make more of the bytes between small letters small
   letters too.
4. Letters of other scripts (Cyrillic, Chinese, ...) stand in long runs of such bytes: these are refused by name, since
   several encodings fit and none is sure.
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterator
from typing import NamedTuple

from headstart.errors import DataError
from headstart.messages import few

__all__ = ["Decoded", "damage", "decode"]

MARKS = {
    codecs.BOM_UTF8: "utf-8-sig",
    codecs.BOM_UTF32_LE: "utf-32",
    codecs.BOM_UTF32_BE: "utf-32",
    codecs.BOM_UTF16_LE: "utf-16",
    codecs.BOM_UTF16_BE: "utf-16",
}
WESTERN = ("cp1252", "mac_roman", "cp850", "cp1250", "iso8859_2")
OTHERS = (
    "gb18030", "big5", "shift_jis", "euc-jp", "cp949", "cp1251", "koi8-r", "cp866", "cp1253", "cp1255", "cp1256",
)  # fmt: skip
PACKED = {
    b"PK\x03\x04": "a ZIP archive or an Excel workbook",
    b"\xd0\xcf\x11\xe0": "an old Excel workbook",
    b"\x1f\x8b\x08": "packed with gzip, and its name does not end in .gz",
    b"PAR1": "Parquet, and its name does not end in .parquet",
    b"%PDF": "a PDF",
    b"\x89PNG": "a picture",
}
CP1252 = "".join(bytes([byte]).decode("cp1252", "ignore") or chr(byte) for byte in range(256))
SURROGATE = re.compile("[\udc80-\udcff]")
OPEN_IN_CP1252 = re.compile(rb"[\x81\x8d\x8f\x90\x9d]")
LONG_RUN = re.compile(rb"[\x80-\xff]{3,}")
INNER = re.compile(rb"(?<=[a-z])[\x80-\xff]{1,2}(?=[a-z])|(?<=[A-Z])[\x80-\xff]{1,2}(?=[A-Z])")
CLEARLY = 0.1
FEWEST_IN_RUNS = 6
SHOWN_LETTERS = 12


class Decoded(NamedTuple):
    """The text of a file, its encoding, and what to say about it ("" for plain UTF-8)."""

    text: str
    encoding: str
    note: str


def decode(data: bytes) -> Decoded:
    """The text in a file's bytes, without its mark. Raises DataError where they are no text that can be read surely."""
    if kind := next((kind for start, kind in PACKED.items() if data.startswith(start)), None):
        raise DataError(f"the file is no text: it is {kind}. Name it for what it is, or save it as CSV UTF-8")
    if (marked := next((name for mark, name in MARKS.items() if data.startswith(mark)), None)) is not None:
        return _marked(data, marked)
    if (unmarked := _without_mark(data)) is not None:
        return unmarked
    text = data.decode("utf-8", "surrogateescape")
    damaged = len(SURROGATE.findall(text))
    if not damaged or sum(letter >= "\x80" for letter in text) >= 2 * damaged:
        return Decoded(text, "utf-8", "")
    _require_western(data)
    name = _western(data)
    text = data.decode(name) if name != "cp1252" else codecs.charmap_decode(data, "strict", CP1252)[0]
    words = dict.fromkeys(re.findall(r"\w*[^\W\x00-\x7f]\w*", text))
    shown = f", read as {few(words, 3)}" if words else ""
    return Decoded(text, name, f"encoding: {name} (bytes that are not UTF-8{shown})")


def damage(text: str) -> str:
    """What is wrong with a piece of a decoded text, or nothing."""
    if strange := SURROGATE.search(text):
        return f"not UTF-8 (byte 0x{ord(strange.group()) - 0xDC00:02x}): save the file as UTF-8"
    if "\0" in text:
        return "holds a NUL byte: the file is damaged, binary, or UTF-16 without its mark"
    return ""


def _marked(data: bytes, name: str) -> Decoded:
    if name == "utf-8-sig":
        text = data.decode(name, "surrogateescape").lstrip("\ufeff")  # tools that append to a file mark it twice
        return Decoded(text, name, "encoding: utf-8-sig (its mark is left out)")
    try:
        return Decoded(data.decode(name), name, f"encoding: {name} (by its mark)")
    except UnicodeDecodeError as error:
        encoding = name.upper()
        raise DataError(f"the file starts as {encoding} and is not ({error.reason}): save it as UTF-8") from error


def _without_mark(data: bytes) -> Decoded | None:
    """UTF-16 that lacks its mark: no NUL in one half of the places, many in the other, and no text as it stands."""
    if b"\0" not in data or len(data) % 2:
        return None
    for name, letters, nuls in (("utf-16-le", data[::2], data[1::2]), ("utf-16-be", data[1::2], data[::2])):
        if b"\0" in letters or 10 * nuls.count(b"\0") < len(nuls):
            continue
        try:
            text = data.decode(name)
        except UnicodeDecodeError:
            continue
        if re.search("[\r\n]", text) or not re.search(b"[\r\n]", data):
            return Decoded(text, name, f"encoding: {name} (every other byte is NUL; it lacks its mark)")
    return None


def _western(data: bytes) -> str:
    """The encoding in which the most bytes between small letters are small ones, between capitals capitals.

    One other than cp1252 must do clearly better, unless there are bytes that cp1252 leaves open.
    """
    inner = [(data[at.start() - 1 : at.start()].islower(), at.group()) for at in INNER.finditer(data)]

    def fits(name: str) -> int:
        read = [(lower, letters.decode(name, "replace").replace("’", "")) for lower, letters in inner]
        return sum(not word or (word.islower() if lower else word.isupper()) for lower, word in read)

    best = max(WESTERN, key=fits)
    clear = OPEN_IN_CP1252.search(data) or fits(best) - fits("cp1252") > CLEARLY * len(inner)
    return best if clear else "cp1252"


def _require_western(data: bytes) -> None:
    """Raises DataError where most of the bytes that are not ASCII stand three or more in a row, and differ."""
    high = len(re.findall(rb"[\x80-\xff]", data))
    in_runs = sum(len(run.group()) for run in LONG_RUN.finditer(data) if len(set(run.group())) > 1)
    if in_runs < FEWEST_IN_RUNS or 2 * in_runs <= high:
        return
    readings = list(_readings(data))
    fits = "".join(f" Read as {name} it holds {words!r}." for name, words in readings)
    name = readings[0][0] if readings else "gb18030"
    raise DataError(
        f"the text is not UTF-8, and not in Latin letters.{fits} Convert it from the encoding that reads right, with: "
        f"iconv -f {name} -t utf-8 OLD > NEW; or in Python read it with encoding={name!r} and pass the table or texts"
    )


def _readings(data: bytes) -> Iterator[tuple[str, str]]:
    """The encodings in which all of the file reads as letters for the most part, and how its first word reads."""
    for name in OTHERS:
        try:
            text = data.decode(name)
        except UnicodeDecodeError:
            continue
        words = re.findall(r"[^\x00-\x7f]+", text)
        strange = "".join(words)
        cased = sum(letter.islower() for letter in strange) - sum(letter.isupper() for letter in strange)
        if cased >= 0 and 10 * sum(map(str.isalpha, strange)) >= 7 * len(strange):
            yield name, max(words[:5], key=len)[:SHOWN_LETTERS]
