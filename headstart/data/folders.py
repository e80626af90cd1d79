"""A folder of pictures, text files or recordings, one sub-folder a class; or, for prediction, any folder of them."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable
from typing import NamedTuple

from headstart.data import images, text
from headstart.data.draft import Draft
from headstart.data.layout import by_class
from headstart.data.listing import Listing, list_folder
from headstart.data.no_classes import ANNOTATIONS
from headstart.data.pieces import pieces
from headstart.data.sounds import find_sounds, is_sound_name
from headstart.errors import DataError
from headstart.messages import shown
from headstart.tasks import AUDIO, IMAGE, TEXT, Modality
from headstart.tasks.task import SetAside

__all__ = ["read_folder"]

TABLES = (".csv", ".tsv", ".jsonl", ".parquet", ".gz", ".bz2")
SAYING = ANNOTATIONS | {"label", "labels"}


class _Files(NamedTuple):
    """What counts as an input."""

    modality: Modality
    noun: str
    fits: Callable[[str], bool]


PICTURES = _Files(IMAGE, "picture", images.is_picture_name)
TEXTS = _Files(TEXT, "text file", text.is_text_name)
SOUNDS = _Files(AUDIO, "recording", is_sound_name)
FILES: dict[str, _Files] = {IMAGE: PICTURES, TEXT: TEXTS, AUDIO: SOUNDS}
FEW = 0.1
"""The share of pictures beside recordings (covers of albums), or the other way round, that makes no second kind."""


def read_folder(root: str, *, modality: Modality | None = None, need_target: bool = True) -> Draft:
    """All pictures, all text files or all recordings, whichever are more unless `modality` says; classes from the
    sub-folders.

    Pictures are listed, not opened. Raises DataError where there are none, or none in a class that is needed, and where
    there are both pictures and recordings.
    """
    listing = list_folder(root)
    if modality is not None and modality.has_columns:
        raise DataError(
            f"{shown(root)!r} is a folder, and the model reads tables: name the .csv or .parquet file itself"
        )
    wanted = _wanted(listing, modality)
    files = [file for file in listing.files if wanted.fits(file)]
    if not files:
        raise DataError(_nothing_found(listing, wanted.noun if modality else "picture, no recording and no text file"))
    others, notes = _others(listing, files, wanted)
    draft = Draft(inputs=[], modality=wanted.modality, names=[], set_aside=[*listing.set_aside, *others])
    draft.notes += [*listing.notes, *notes]
    if need_target:
        labelled = by_class(listing, files, wanted.noun)
        files, draft.targets, draft.split = labelled.files, labelled.classes, labelled.split
        draft.set_aside += labelled.set_aside
        draft.notes += labelled.notes
    else:
        draft.places, draft.set_aside = _among(files, draft.set_aside, wanted)
    draft.names = [shown(file) for file in files]
    draft.inputs = [os.path.join(root, file) for file in files]
    if wanted is TEXTS:
        draft.inputs, draft.broken, encodings = text.read_texts(draft.inputs)
        draft.notes += encodings
        draft.notes += text.empty_note(draft.inputs, draft.broken)
    elif wanted is SOUNDS:
        draft.inputs, draft.broken = find_sounds(draft.inputs)
        draft.group, rule = pieces(draft.inputs, draft.targets)
        draft.notes += [f"group: {rule}"] if rule else []
    return draft


def _among(files: list[str], set_aside: list[SetAside], wanted: _Files) -> tuple[list[int], list[SetAside]]:
    """The positions of files where those that are called as inputs are and are none, such as a link that leads
    nowhere, are rows too; and what is set aside, with the positions of these."""
    lost = {item.name: item for item in set_aside if wanted.fits(item.name)}
    ordered = sorted([(name.split("/"), name) for name in lost] + [(file.split("/"), "") for file in files])
    places = {name: place for place, (_, name) in enumerate(ordered) if name}
    return (
        [place for place, (_, name) in enumerate(ordered) if not name],
        [item._replace(place=places.get(item.name, item.place)) for item in set_aside],
    )


def _others(listing: Listing, files: list[str], wanted: _Files) -> tuple[list[SetAside], list[str]]:
    """Files that are no inputs: by name where inputs lie beside them or below, else counted by their top folder."""
    holding = {""}
    for file in files:
        parts = file.split("/")[:-1]
        holding.update("/".join(parts[:depth]) for depth in range(1, len(parts) + 1))
    named, elsewhere = [], Counter[str]()
    for file in listing.files:
        folder = file.rpartition("/")[0]
        if folder in holding and not wanted.fits(file):
            named.append(SetAside(shown(file), f"not a {wanted.noun}, by its suffix"))
        elif folder not in holding:
            elsewhere[_first_without(folder, holding)] += 1
    notes = [f"left out: {shown(top)!r}, {count} files and no {wanted.noun}" for top, count in elsewhere.items()]
    return named, notes


def _first_without(folder: str, holding: set[str]) -> str:
    parts = folder.split("/")
    paths = ["/".join(parts[:depth]) for depth in range(1, len(parts) + 1)]
    return next(path for path in paths if path not in holding)


def _wanted(listing: Listing, modality: Modality | None) -> _Files:
    """Texts that say what is in a picture or a recording (labels/1.txt, or 1.txt beside 1.png) do not count beside it.
    DataError where there are many of both pictures and recordings."""
    if modality is not None:
        if modality not in FILES:
            raise DataError(f"{shown(listing.root)!r} is a folder, and {modality} inputs are not read from folders")
        return FILES[modality]
    pictures, sounds = ([file for file in listing.files if kind.fits(file)] for kind in (PICTURES, SOUNDS))
    fewer, more = sorted(map(len, (pictures, sounds)))
    if fewer > FEW * more:
        raise DataError(
            f"{shown(listing.root)!r} holds both {len(pictures):,} pictures and {len(sounds):,} recordings: say which "
            "are meant, --modality image or --modality audio, and the others are set aside"
        )
    described = {os.path.splitext(file)[0] for file in (*pictures, *sounds)}
    texts = [os.path.splitext(file)[0] for file in listing.files if text.is_text_name(file)]
    of_others = [name for name in texts if name in described or any(part in SAYING for part in _folders(name))]
    if len(texts) - (len(of_others) if more else 0) > more:
        return TEXTS
    return SOUNDS if len(sounds) > len(pictures) else PICTURES


def _folders(file: str) -> list[str]:
    return file.lower().split("/")[:-1]


def _nothing_found(listing: Listing, noun: str) -> str:
    root = shown(listing.root)
    expected = (
        "expected pictures (.jpg, .png, ...), recordings (.wav, .flac, ...) or .txt files, in one sub-folder a class"
    )
    counts = Counter(os.path.splitext(file)[1].lower() or "no suffix" for file in listing.files)
    if not counts:
        return f"no files in {root!r}: {expected}"
    suffixes = ", ".join(f"{count} {shown(suffix)}" for suffix, count in counts.most_common(5))
    tables = [file for file in listing.files if file.endswith(TABLES)]
    hint = f"; for a table, name the file itself: {root}/{shown(tables[0])}" if tables else ""
    return f"no {noun} in {root!r} ({suffixes}): {expected}{hint}"
