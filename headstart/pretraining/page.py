"""What is known of a pretraining: as JSON, and as a page for a terminal."""

from __future__ import annotations

import math
from typing import Any

from headstart.evidence.lines import wrapped
from headstart.pretraining.material import Material
from headstart.pretraining.row import Learnt
from headstart.pretraining.watch import Health

__all__ = ["facts_of", "page_of"]

_SHOWN = 6


def facts_of(learnt: Learnt, material: Material, name: str, fingerprint: str, seed: int) -> dict[str, Any]:
    """A JSON object.

    name, fingerprint   of the backbone that was begun from
    curves   by epoch: the loss, and what the embeddings told (see `watch.Health`) or the loss of rows held out
    """
    task, held_out = material.rows.task, learnt.held_out
    return {
        "began": {"name": name, "fingerprint": fingerprint, "random": "weights=random" in name},
        "rows": len(material.rows),
        "copies": material.copies,
        "set_aside": len(task.set_aside),
        "of": task.modality.noun,
        "epochs": len(learnt.curves),
        "parameters": learnt.parameters,
        "seed": seed,
        "seconds": round(learnt.seconds, 1),
        "first": None if learnt.first is None else _known(learnt.first),
        "held_out": held_out,
        "curves": [
            {"epoch": curve.epoch + 1, "loss": curve.train}
            | (_known(learnt.history[place]) if learnt.first else {"validation": curve.val if held_out else None})
            for place, curve in enumerate(learnt.curves)
        ],
        "notes": [*task.notes, *learnt.notes],
    }


def _known(health: Health) -> dict[str, float | None]:
    """What is not known is None."""
    return {name: None if math.isnan(value) else value for name, value in health._asdict().items()}


def page_of(method: str, record: dict[str, Any]) -> str:
    """Of what `facts_of` gives: at most 80 columns."""
    copies = f" ({record['copies']:,} copies left out)" if record["copies"] else ""
    unlabelled = record["first"] is not None
    columns = _EMBEDDINGS if unlabelled else _HELD_OUT
    lines = [
        f"{method} on {record['rows']:,} {record['of']}{copies}, {record['epochs']} epochs, {record['seconds']:.0f} s",
        f"began from {record['began']['name']}",
        "",
        f"{'':<10}{'loss':>9}" + "".join(f"{name:>{len(name) + 3}}" for name in columns),
    ]
    if unlabelled:
        lines.append(_line("at first", None, record["first"], columns))
    curves = record["curves"]
    last = len(curves) - 1
    shown = range(last + 1) if last < _SHOWN else [place * last // (_SHOWN - 1) for place in range(_SHOWN)]
    lines += [_line(f"epoch {curves[at]['epoch']}", curves[at]["loss"], curves[at], columns) for at in shown]
    if "accuracy" in record["held_out"]:
        held_out = record["held_out"]
        lines += [
            "",
            f"labels of {held_out['rows']:,} rows held out, told by its head: accuracy {held_out['accuracy']:.3f}",
        ]
    notes = [line for note in record["notes"] for line in wrapped(note, indent="  ")]
    return "\n".join([*lines, "", *(_MEANING if unlabelled else ()), _NEXT, *notes])


_EMBEDDINGS = {"rank": ".1f", "alignment": ".3f", "uniformity": ".2f", "neighbours": ".3f"}
_HELD_OUT = {"validation": ".3f"}
_MEANING = (
    "rank: in how many directions the embeddings lie; alignment: how far two views",
    "of a row are apart (less is better); uniformity: how evenly all are spread",
    "(less is better); neighbours: accuracy of nearest neighbours, by labels that",
    "were not learnt from",
)
_NEXT = "what it is worth: headstart fit DATA --backbone file:OUT"


def _line(name: str, loss: float | None, values: dict[str, Any], columns: dict[str, str]) -> str:
    cells = [f"{_figure(values.get(column), form):>{len(column) + 3}}" for column, form in columns.items()]
    return f"{name:<10}{_figure(loss, '.3f'):>9}" + "".join(cells)


def _figure(value: float | None, form: str) -> str:
    return "-" if value is None else format(value, form)
