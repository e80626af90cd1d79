"""What is known of a pretraining: as JSON, and as a page for a terminal."""

from __future__ import annotations

import math
from typing import Any

from headstart.backbones.backbone import Backbone
from headstart.pretraining.material import Material
from headstart.pretraining.unlabelled import Learnt
from headstart.pretraining.watch import Health

__all__ = ["facts_of", "page_of"]

_SHOWN = 6


def facts_of(learnt: Learnt, material: Material, began: Backbone, seed: int) -> dict[str, Any]:
    """A JSON object.

    began    the backbone that was begun from, as it is named and known
    curves   by epoch: the loss, and what the embeddings told; see `watch.Health`
    """
    return {
        "began": {"name": began.name, "fingerprint": began.fingerprint, "random": "weights=random" in began.name},
        "rows": len(material.rows),
        "copies": material.copies,
        "set_aside": len(material.rows.task.set_aside),
        "of": material.rows.task.modality.noun,
        "epochs": len(learnt.curves),
        "parameters": learnt.parameters,
        "seed": seed,
        "seconds": round(learnt.seconds, 1),
        "first": None if learnt.first is None else _known(learnt.first),
        "curves": [
            {"epoch": curve.epoch + 1, "loss": curve.train}
            | (_known(learnt.history[place]) if place < len(learnt.history) else {})
            for place, curve in enumerate(learnt.curves)
        ],
        "notes": list(learnt.notes),
    }


def _known(health: Health) -> dict[str, float | None]:
    """What is not known is None."""
    return {name: None if math.isnan(value) else value for name, value in health._asdict().items()}


def page_of(method: str, facts: dict[str, Any]) -> str:
    """At most 80 columns."""
    copies = f" ({facts['copies']:,} copies left out)" if facts["copies"] else ""
    lines = [
        f"{method} on {facts['rows']:,} {facts['of']}{copies}, {facts['epochs']} epochs, {facts['seconds']:.0f} s",
        f"began from {facts['began']['name']}",
        "",
        f"{'':<10}{'loss':>9}{'rank':>9}{'alignment':>11}{'uniformity':>12}{'neighbours':>12}",
    ]
    if facts["first"] is not None:
        lines.append(_line("at first", None, facts["first"]))
    curves = facts["curves"]
    last = len(curves) - 1
    shown = range(last + 1) if last < _SHOWN else [place * last // (_SHOWN - 1) for place in range(_SHOWN)]
    lines += [_line(f"epoch {curves[place]['epoch']}", curves[place]["loss"], curves[place]) for place in shown]
    lines += ["", _meaning(facts), *(f"note: {note}" for note in facts["notes"])]
    return "\n".join(lines)


def _line(name: str, loss: float | None, health: dict[str, Any]) -> str:
    cells = [(loss, 9, ".3f"), *((health.get(field), wide, form) for field, wide, form in _COLUMNS)]
    return f"{name:<10}" + "".join(f"{_figure(value, form):>{wide}}" for value, wide, form in cells)


_COLUMNS = (("rank", 9, ".1f"), ("alignment", 11, ".3f"), ("uniformity", 12, ".2f"), ("neighbours", 12, ".3f"))


def _figure(value: float | None, form: str) -> str:
    return "-" if value is None else format(value, form)


def _meaning(facts: dict[str, Any]) -> str:
    """What the columns say, in words."""
    words = (
        "rank: in how many directions the embeddings lie; alignment: how far two views\n"
        "of a row are apart (less is better); uniformity: how evenly all are spread\n"
        "(less is better); neighbours: accuracy of nearest neighbours, by labels that\n"
        "were not learnt from. What it is worth: headstart fit DATA --backbone file:OUT"
    )
    return words if facts["first"] is not None else "What it is worth: headstart fit DATA --backbone file:OUT"
