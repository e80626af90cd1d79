"""Standard output and standard error as they are found: not UTF-8, closed, full, or a pipe that nobody reads any more.

What cannot be written is replaced, never an error. Signs of our own have a plain form; any other character is written
by its number, as \\u20ac. A reader who has left (`| head`) ends nothing.
"""

from __future__ import annotations

import codecs
import io
import json
import os
import sys
from pathlib import Path
from typing import Any, TextIO

from headstart.messages import printable

__all__ = ["Errors", "complain", "prepare", "show", "show_json", "show_result", "show_saved", "words_of"]

_HANDLER = "headstart.plain"
_PLAIN = {
    "…": "...", "–": "-", "—": "-", "−": "-", "×": "x", "±": "+-", "→": "->", "≥": ">=", "≤": "<=", "·": ".",
    "‘": "'", "’": "'", "“": '"', "”": '"', "•": "*", "\u00a0": " ",
}  # fmt: skip
_LINES, _BLOCKS = range(0x2500, 0x2580), range(0x2580, 0x25A0)
_UPRIGHT = frozenset("│┃║┆┇┊┋╎╏╽╿")


def prepare() -> None:
    """Make standard output and standard error take any text."""
    codecs.register_error(_HANDLER, _replaced)
    for name in ("stdout", "stderr"):
        stream = getattr(sys, name)
        if stream is None:
            setattr(sys, name, open(os.devnull, "w", encoding="utf-8"))  # noqa: SIM115 - as long as the process
        elif hasattr(stream, "reconfigure"):
            stream.reconfigure(errors=_HANDLER)


def show(text: str) -> None:
    """Words on standard output. Raises OSError where the disk behind it refuses."""
    _put(printable(text))


def show_json(value: Any) -> None:
    """One JSON document on standard output, with every character as it is, or where that is not UTF-8 in ASCII."""
    utf8 = codecs.lookup(sys.stdout.encoding or "ascii").name == "utf-8"
    text = json.dumps(value, ensure_ascii=not utf8, allow_nan=False, indent=2)
    try:
        text.encode()
    except UnicodeEncodeError:  # half a character
        text = json.dumps(value, allow_nan=False, indent=2)
    _put(text)


class Errors(io.TextIOBase):
    """Standard error as a stream that never refuses: where nothing can be written any more, nothing is."""

    @property
    def encoding(self) -> str:  # type: ignore[override]
        return sys.stderr.encoding or "ascii"

    def isatty(self) -> bool:
        return sys.stderr.isatty()

    def fileno(self) -> int:
        return sys.stderr.fileno()

    def write(self, text: str) -> int:
        try:
            return sys.stderr.write(text)
        except OSError:
            silence(sys.stderr)
            return len(text)

    def flush(self) -> None:
        try:
            sys.stderr.flush()
        except OSError:
            silence(sys.stderr)


def complain(text: str) -> None:
    """Words on standard error, as far as it takes any."""
    errors = Errors()
    errors.write(printable(text) + "\n")
    errors.flush()


def silence(stream: TextIO) -> None:
    """Send to nowhere what is still to be written, so that the end of the process does not fail at it."""
    try:
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, stream.fileno())
        os.close(nowhere)
    except OSError:  # no file stands behind it
        return


def _put(text: str) -> None:
    try:
        sys.stdout.write(text + "\n")
        sys.stdout.flush()
    except OSError as error:
        silence(sys.stdout)
        if not isinstance(error, BrokenPipeError):
            raise OSError(error.errno, f"cannot be written to: {error.strerror}", "standard output") from error


def _replaced(error: UnicodeError) -> tuple[str | bytes, int]:
    if not isinstance(error, UnicodeEncodeError):
        raise error
    return "".join(map(_plain, error.object[error.start : error.end])), error.end


def _plain(char: str) -> str:
    if ord(char) in _LINES:
        return "|" if char in _UPRIGHT else "-"
    if ord(char) in _BLOCKS:
        return "#"
    return _PLAIN.get(char) or char.encode("ascii", "backslashreplace").decode()


def show_result(result: Any, json: bool) -> None:
    """On standard output: as one JSON document, or in words."""
    if json:
        show_json(result)
    else:
        show(str(result))


def show_saved(record: Any, words: str, out: Path, *, json: bool) -> None:
    """What is known of what is saved in `out`. A stream that does not take it is no failure."""
    try:
        show_result(record if json else words, json)
    except OSError as error:
        complain(f"saved: {out}; {words_of(error)}. To see the evidence: headstart show {out}")


def words_of(error: OSError) -> str:
    """An error of the system in words: of which file, and what."""
    return f"{error.filename}: {error.strerror}" if error.filename else str(error)
