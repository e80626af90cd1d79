"""The verb `report`, and the report that `fit` writes beside a model.

Heavy libraries are imported inside the verbs, so that help answers at once.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NamedTuple

import typer

from headstart.cli.arguments import AsJson, Model
from headstart.cli.streams import show_result

if TYPE_CHECKING:
    from headstart.evidence.origin import Origin

__all__ = ["Lang", "Page", "Provenance", "Report", "command_origin", "page_beside", "report"]

Lang = Annotated[str, typer.Option("--lang", help="Language of the report and of the verdict: en or zh")]
Provenance = Annotated[
    bool,
    typer.Option("--provenance/--no-provenance", help="Keep the paths of the data, its names and the command"),
]
Report = Annotated[bool, typer.Option("--report", help="Write the report too, beside --out: NAME.html")]


def report(
    model: Model,
    out: Annotated[Path | None, typer.Option("--out", help="The .html to write; default: MODEL.html")] = None,
    lang: Lang = "en",
    open: Annotated[bool, typer.Option("--open", help="Show it in the browser")] = False,
    curve: Annotated[
        Path | None, typer.Option("--curve", help="The .svg of `headstart curve --out`, to stand in the report")
    ] = None,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace the file that is there")] = False,
    json: AsJson = False,
) -> None:
    """Write what is known of a saved MODEL as one page of HTML that needs no network."""
    from headstart.reports.report import report as write

    path = write(model, out, lang=lang, curve=curve, overwrite=overwrite)
    answer = _verdict(Path(model), lang)
    if open:
        import webbrowser

        webbrowser.open(path.as_uri())
    words = f"{answer}\n\nreport: {path}" if answer else f"report: {path}"
    show_result({"report": str(path), "verdict": answer} if json else words, json)


def _verdict(model: Path, lang: str) -> str:
    """In sentences; "" without evidence that can be read."""
    from headstart.reports.subject import subject_of

    evidence = subject_of(model).evidence
    return "" if evidence is None else in_sentences(evidence, lang)


def in_sentences(evidence: Any, lang: str) -> str:
    """The verdict of some evidence."""
    from headstart.evidence.multi_task import MultiTaskEvidence
    from headstart.reports.several import sharing_in
    from headstart.reports.verdict import verdict_in
    from headstart.reports.words import words_of

    words = words_of(lang)
    verdict = sharing_in(words, evidence) if isinstance(evidence, MultiTaskEvidence) else verdict_in(words, evidence)
    return "".join(f"{part}{words('stop')}" for part in verdict).strip()


class Page(NamedTuple):
    """The report that a fit is to write beside its model.

    path   None: none
    """

    path: Path | None
    lang: str
    overwrite: bool

    def write(self, model: Path) -> dict[str, str]:
        """Write it; where it is, as JSON."""
        from headstart.reports.report import report

        if self.path is None:
            return {}
        return {"report": str(report(model, self.path, lang=self.lang, overwrite=self.overwrite))}

    def words(self, evidence: Any, model: Path, written: dict[str, str]) -> str:
        """All that a person is told after a fit: in another language than English the verdict in that one first."""
        first = "" if self.lang == "en" else f"{in_sentences(evidence, self.lang)}\n\n"
        return "\n".join([f"{first}{evidence}\n", f"saved: {model}", *(f"report: {at}" for at in written.values())])


def page_beside(model: Path, *, wanted: bool, lang: str, overwrite: bool) -> Page:
    """What a fit is to write, checked before it begins. ValueError where it cannot be written, or for another
    language."""
    from headstart.reports.words import words_of

    words_of(lang)
    if not wanted:
        return Page(None, lang, overwrite)
    from headstart.reports.report import page_place

    return Page(page_place(model, None, overwrite=overwrite).path, lang, overwrite)


def command_origin(data: str, **given: Any) -> Origin:
    """What command makes a model of which data, see `study.origin`."""
    from headstart.study.origin import origin_of

    return origin_of(data, command=("headstart", *sys.argv[1:]), **given)
