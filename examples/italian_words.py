"""Spoken Italian words of a man and a woman, out of two packages of Debian (`make data`): CC-BY-SA-3.0.

    python examples/italian_words.py FOLDER [WORDS]

writes so many words, or all that there are, as FOLDER/man/<word>/<word>.wav and FOLDER/woman/<word>/<word>.wav.
"""

from __future__ import annotations

import io
import sys
import tarfile
from functools import cache
from hashlib import blake2b
from pathlib import Path

__all__ = ["both", "missing", "word_folders", "words", "words_of"]

FOLDER = Path(__file__).resolve().parents[1] / ".data" / "sounds"
SPEAKERS = {"man": "asterisk-core-sounds-it-wav", "woman": "asterisk-prompt-it-menardi-wav"}
MAGIC, HEADER = b"!<arch>\n", 60
LONGEST = 24_000
"""Bytes: 1.5 seconds."""


def missing() -> str:
    """Which packages are not there, and how to get them; "" where all are."""
    lacking = [name for name in SPEAKERS.values() if not sorted(FOLDER.glob(f"{name}_*.deb"))]
    return f"{' and '.join(lacking)}: no .deb in {FOLDER}; make data" if lacking else ""


@cache
def words_of(speaker: str) -> dict[str, bytes]:
    """The bytes of a WAV file by its name without folders. IndexError where the package is not there."""
    package = sorted(FOLDER.glob(f"{SPEAKERS[speaker]}_*.deb"))[-1]
    with tarfile.open(fileobj=io.BytesIO(_data(package.read_bytes()))) as archive:
        files = [member for member in archive.getmembers() if member.isfile() and member.name.endswith(".wav")]
        return {Path(member.name).stem: archive.extractfile(member).read() for member in files}


def both() -> dict[str, tuple[bytes, bytes]]:
    """Words that both say: of the man, of the woman. Prompts of more than a word are among them."""
    man, woman = words_of("man"), words_of("woman")
    return {name: (man[name], woman[name]) for name in sorted(man.keys() & woman.keys())}


def words() -> dict[str, tuple[bytes, bytes]]:
    """Those of up to 1.5 seconds; digits, which are seconds of silence, and copies are left out."""
    pairs, known = {}, set()
    for name, (man, woman) in both().items():
        if not name.isdigit() and max(len(man), len(woman)) < LONGEST and not {man, woman} & known:
            pairs[name] = (man, woman)
            known |= {man, woman}
    return pairs


def word_folders(folder: Path, most: int | None = None) -> tuple[Path, Path]:
    """Write them as a folder of the man and one of the woman, in each a sub-folder a word; `most` words at most."""
    pairs = words()
    for name in sorted(pairs, key=lambda name: blake2b(name.encode()).digest())[:most]:
        for speaker, data in zip(SPEAKERS, pairs[name], strict=True):
            file = folder / speaker / name / f"{name}.wav"
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(data)
    return folder / "man", folder / "woman"


def _data(package: bytes) -> bytes:
    """The archive of files in a .deb, which is an `ar` archive of three."""
    if not package.startswith(MAGIC):
        raise ValueError("no package of Debian")
    at = len(MAGIC)
    while at < len(package):
        name, size = package[at : at + 16].decode().strip(), int(package[at + 48 : at + 58])
        if name.startswith("data.tar"):
            return package[at + HEADER : at + HEADER + size]
        at += HEADER + size + size % 2
    raise ValueError("no data.tar in the package")


if __name__ == "__main__":
    if lacking := missing():
        sys.exit(lacking)
    sys.stdout.write("\n".join(map(str, word_folders(Path(sys.argv[1]), *map(int, sys.argv[2:3])))) + "\n")
