"""Reports: one page of HTML for a fitted model, which opens without a network and needs no script.

`report` writes it from a saved model, and `make_page` gives its text; `verdict` says the verdict in a language.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from headstart.face import face

if TYPE_CHECKING:
    from headstart.reports.page import make_page
    from headstart.reports.report import report
    from headstart.reports.words import LANGUAGES, Words

__all__ = ["LANGUAGES", "Words", "make_page", "report"]

face(__name__, {"LANGUAGES": "words", "Words": "words", "make_page": "page", "report": "report"})
