"""The verbs that show what is there: `show`, `methods` and `cache`.

Heavy libraries are imported inside the verbs, so that help answers at once.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from headstart.cli.arguments import AsJson, Model
from headstart.cli.streams import show_result

__all__ = ["cache", "methods", "show"]


def show(model: Model, json: AsJson = False) -> None:
    """Show the evidence that a saved MODEL carries, or what is known of a pretrained backbone."""
    from headstart.artefact.backbone_folder import holds_backbone, read_pretraining
    from headstart.artefact.evidence import read_evidence
    from headstart.artefact.multi_task_folder import holds_multi_task, read_multi_task_evidence
    from headstart.evidence.evidence import Evidence
    from headstart.evidence.multi_task import MultiTaskEvidence

    if holds_backbone(model):
        made = read_pretraining(model)
        show_result(made._asdict() if json else f"a backbone made by {made.method}\n{made.page}", json)
        return
    evidence: Evidence | MultiTaskEvidence
    if holds_multi_task(model):
        evidence = MultiTaskEvidence.from_json(read_multi_task_evidence(model))
    else:
        evidence = read_evidence(Path(model))
    show_result(evidence.to_json() if json else str(evidence), json)


def methods(
    name: Annotated[str | None, typer.Argument(help="A method, or a pair such as gradual+l2-sp")] = None,
    json: AsJson = False,
) -> None:
    """List the methods, or show one with its options."""
    from headstart.methods.describe import describe, listing
    from headstart.methods.table import METHODS

    if name is not None:
        row = describe(name)
        show_result(row.to_json() if json else str(row), json)
    else:
        show_result([describe(row).to_json() for row in METHODS] if json else listing(), json)


def cache(
    clear: Annotated[bool, typer.Option("--clear", help="Delete every cached feature")] = False,
    json: AsJson = False,
) -> None:
    """Show, or clear, the features kept from earlier runs."""
    from headstart.features.cache.cache import Cache

    store = Cache()
    if clear:
        freed = store.clear()
        show_result({"freed_bytes": freed} if json else f"freed {freed / 1e6:.1f} MB in {store.folder}", json)
    else:
        holdings = store.describe()
        show_result([holding.to_json() for holding in holdings] if json else _listing(holdings, store), json)


def _listing(holdings: Any, store: Any) -> str:
    """The cache in words: a line for each kind of rows, and the sum."""
    from headstart.features.cache.cache import ANSWERS

    lines = []
    for holding in holdings:
        what = " ".join(filter(None, (holding.label, holding.kind, holding.engine, holding.precision)))
        unit = "files" if holding.kind == ANSWERS else "rows"
        lines.append(f"{holding.bytes / 1e6:>9,.1f} MB  {holding.rows:>9,} {unit:<5}  {what}")
    total = sum(holding.bytes for holding in holdings) / 1e6
    limit = store.limit_bytes / 1e6
    return "\n".join([*lines, f"{total:>9,.1f} MB in {store.folder}, of at most {limit:,.0f} MB"])
