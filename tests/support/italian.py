"""Spoken Italian words of a man and a woman, out of two packages of Debian (`make data`): CC-BY-SA-3.0."""

from __future__ import annotations

import io
import tarfile
from functools import cache
from pathlib import Path

import pytest

FOLDER = Path(__file__).parents[2] / ".data" / "sounds"
SPEAKERS = {"carlo": "asterisk-core-sounds-it-wav", "menardi": "asterisk-prompt-it-menardi-wav"}
MAGIC, HEADER = b"!<arch>\n", 60


@cache
def words_of(speaker: str) -> dict[str, bytes]:
    """The bytes of a WAV file by its name without folders; skips where the package is not there."""
    packages = sorted(FOLDER.glob(f"{SPEAKERS[speaker]}_*.deb"))
    if not packages:
        pytest.skip(f"{SPEAKERS[speaker]}_*.deb is not in {FOLDER}: make data")
    with tarfile.open(fileobj=io.BytesIO(_data(packages[-1].read_bytes()))) as archive:
        files = [member for member in archive.getmembers() if member.isfile() and member.name.endswith(".wav")]
        return {Path(member.name).stem: archive.extractfile(member).read() for member in files}


def both() -> dict[str, tuple[bytes, bytes]]:
    """Words that both say: of the man, of the woman. Prompts of more than a word are not among them."""
    man, woman = words_of("carlo"), words_of("menardi")
    return {name: (man[name], woman[name]) for name in sorted(man.keys() & woman.keys())}


def _data(package: bytes) -> bytes:
    """The archive of files in a .deb, which is an `ar` archive of three."""
    assert package.startswith(MAGIC)
    at = len(MAGIC)
    while at < len(package):
        name, size = package[at : at + 16].decode().strip(), int(package[at + 48 : at + 58])
        if name.startswith("data.tar"):
            return package[at + HEADER : at + HEADER + size]
        at += HEADER + size + size % 2
    raise ValueError("no data.tar in the package")
