"""The public `report`: a saved model, or a fitted one, as one page of HTML."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from headstart.artefact.backbone_folder import holds_backbone
from headstart.errors import ArtefactError
from headstart.reports.page import make_page
from headstart.reports.subject import subject_of
from headstart.reports.words import words_of
from headstart.study.destination import Destination

if TYPE_CHECKING:
    from headstart.study.multi_task import MultiTask
    from headstart.transfer import Transfer

__all__ = ["page_place", "report"]

_SUFFIXES = (".html", ".htm")


def report(
    model: str | os.PathLike[str] | Transfer | MultiTask,
    out: str | os.PathLike[str] | None = None,
    *,
    lang: str = "en",
    curve: str | os.PathLike[str] | None = None,
    overwrite: bool = False,
) -> Path:
    """Write the report of a model and return its absolute path.

    model      the folder of a saved model, or a fitted `Transfer` or `MultiTask`
    out        a .html; None: beside the folder, under its name
    lang       "en" or "zh"
    curve      the .svg that `headstart curve --out` drew, to stand in the page
    overwrite  replace the file that is there

    Rows of the data are read again where they lay, and left out, which the page says, where they are gone or changed.
    Raises ArtefactError where there is no whole model, ValueError for another language, for a file that is there
    already or cannot be written, and OSError where the disk refuses.
    """
    words = words_of(lang)
    place = page_place(model, out, overwrite=overwrite)
    subject = subject_of(model)
    place.put(make_page(subject, words, curve=curve).encode("utf-8", "backslashreplace"))
    return place.path


def page_place(
    model: str | os.PathLike[str] | Transfer | MultiTask, out: str | os.PathLike[str] | None, *, overwrite: bool
) -> Destination:
    """Where the page goes, asked before any work is done. Raises ValueError as `report` does."""
    if isinstance(model, str | os.PathLike):
        folder = Path(os.path.abspath(model))
        if holds_backbone(folder):
            raise ArtefactError(f"{model} is a pretrained backbone, which no held-out rows speak of: headstart show")
        target = folder.with_name(f"{folder.name}.html") if out is None else Path(out)
    elif out is None:
        raise ValueError("a model in memory has no folder beside which its report could lie: give out='report.html'")
    else:
        target = Path(out)
    if target.exists() and not target.is_dir() and not overwrite:
        raise ValueError(f"{target} is there already: name another file, or ask to overwrite it (--overwrite)")
    return Destination(target, formats=_SUFFIXES)
