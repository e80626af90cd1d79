"""What the words after `--candidates` mean: names of backbones, as far as they are on this machine.

bundled        those that come in packages, for the data's modality
small          those, and what lies in the hub's folder on this machine, of at most 100 MB of weights
timm:PATTERN   networks of timm whose weights lie in the hub's folder, with * for any letters: timm:resnet*
FILE           one of these a line; "#" begins a remark
a,b,c          names of backbones, or any of these
"""

from __future__ import annotations

from collections.abc import Iterator
from fnmatch import fnmatchcase
from pathlib import Path
from typing import NamedTuple

from headstart.automl.candidates import BUNDLED
from headstart.backbones.hub import Stored, stored
from headstart.errors import DataError
from headstart.messages import few, nearest_hint
from headstart.tasks import Modality
from headstart.tasks.task import SetAside

__all__ = ["SMALL_BYTES", "Wanted", "wanted"]

SMALL_BYTES = 100_000_000
GROUPS = ("bundled", "small")
_SHOWN = 5


class Wanted(NamedTuple):
    """names      of backbones, each once where a group names it
    left_out   what matches a pattern and is not on this machine
    """

    names: tuple[str, ...]
    left_out: tuple[SetAside, ...] = ()


def wanted(words: str, modality: Modality) -> Wanted:
    """The candidates that these words name, for inputs of this modality.

    DataError where a file cannot be read or holds no name; ValueError where nothing is named, a pattern matches
    nothing, or a name is given twice
    """
    text = words.strip()
    lines = _lines(Path(text)) if _is_file(text) else [word.strip() for word in text.split(",")]
    lines = [line for line in lines if line]
    if not lines:
        raise ValueError("--candidates names none: expected bundled, small, timm:PATTERN, a file, or names: a,b,c")
    twice = [line for line in dict.fromkeys(lines) if lines.count(line) > 1]
    if twice:
        raise ValueError(f"--candidates names {', '.join(twice)} twice: name each one once")
    names: list[str] = []
    left_out: list[SetAside] = []
    for line in lines:
        expanded = _expanded(line, modality)
        names += [name for name in expanded.names if name not in names]
        left_out += expanded.left_out
    return Wanted(tuple(names), tuple(left_out))


def _expanded(word: str, modality: Modality) -> Wanted:
    if word == "bundled":
        return Wanted(BUNDLED.get(modality, ()))
    if word == "small":
        return _small(modality)
    if word.startswith("timm:") and "*" in word.partition("@")[0] and not Path(word).exists():
        return _matching(word.removeprefix("timm:"))
    if ":" not in word and not Path(word).exists() and (hint := nearest_hint(word, GROUPS)):
        raise ValueError(f"--candidates {word}: neither a group, a file, a folder nor hub:name{hint}")
    return Wanted((word,))


def _small(modality: Modality) -> Wanted:
    """Bundled ones are all small."""
    others = [item for item in stored() if item.modality == modality]
    small = [item.name for item in others if item.bytes <= SMALL_BYTES]
    why = f"its weights are over {SMALL_BYTES // 1_000_000} MB: name it to rank it"
    large = [SetAside(item.name, f"{why} ({item.bytes / 1e6:,.0f} MB)") for item in others if item.bytes > SMALL_BYTES]
    return Wanted((*BUNDLED.get(modality, ()), *small), tuple(large))


def _matching(pattern: str) -> Wanted:
    """Of timm's networks: those on this machine, and what else timm knows of this name."""
    import timm

    present = [item for item in stored() if item.hub == "timm" and _matches(item, pattern)]
    known = [
        name for name in timm.list_pretrained() if fnmatchcase(name, pattern) or fnmatchcase(_plain(name), pattern)
    ]
    lacking = [name for name in known if f"timm:{name}" not in {item.name for item in present}]
    if not present:
        also = f"; timm knows {len(lacking):,} of this name, such as {few(lacking, 3)}" if lacking else ""
        raise ValueError(
            f"--candidates timm:{pattern}: no weights of such a name are on this machine{also}. Name one to be told "
            "how to bring it here, or one with random weights, such as timm:resnet18?weights=random"
        )
    why = f"not on this machine, as are {len(lacking) - 1:,} more of this pattern" if len(lacking) > 1 else ""
    rest = (SetAside(f"timm:{lacking[0]}", why or "not on this machine"),) if lacking else ()
    return Wanted(tuple(item.name for item in present), rest)


def _matches(item: Stored, pattern: str) -> bool:
    name = item.name.removeprefix("timm:")
    return fnmatchcase(name, pattern) or fnmatchcase(_plain(name.rpartition("/")[2]), pattern)


def _plain(name: str) -> str:
    """Without timm's tag."""
    return name.partition(".")[0]


def _is_file(text: str) -> bool:
    try:
        return bool(text) and Path(text).is_file()
    except (OSError, ValueError):  # too long for a path, or no path
        return False


def _lines(path: Path) -> list[str]:
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise DataError(
            f"{path}: cannot be read as a list of candidates ({error}); expected one name a line"
        ) from error
    names = list(_names(text))
    if not names:
        raise DataError(f"{path}: names no candidate; expected one a line, such as bundled:minilm")
    return names


def _names(text: str) -> Iterator[str]:
    for line in text.splitlines():
        name = line.partition("#")[0].strip()
        if name:
            yield name
