"""Draw the evidence of a saved model: the model beside its baselines, and the F1 of each class.

python examples/draw_evidence.py MODEL/evidence.json evidence.png
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import matplotlib
from matplotlib.axes import Axes

matplotlib.use("Agg")
BLUE, GREY = "#2166ac", "#9a9a9a"


def compare(axes: Axes, evidence: dict[str, Any]) -> None:
    """The headline score of each contender with its 95 % interval."""
    usual = {"regression": "r2", "multilabel": "macro_f1"}.get(evidence["kind"], "balanced_accuracy")
    metric = evidence.get("goal", {}).get("metric", usual)
    found = {"this model": evidence["metrics"], **evidence["baselines"]}
    for row, (name, scores) in enumerate(reversed(found.items())):
        score, colour = scores[metric], BLUE if name == "this model" else GREY
        axes.barh(row, score["value"], color=colour, height=0.62)
        axes.plot([score["low"], score["high"]], [row, row], color="black", linewidth=1.4)
        axes.text(score["high"] + 0.02, row, f"{score['value']:.2f}", va="center")
    axes.set_yticks(range(len(found)), list(reversed(found)))
    axes.set_xlim(0, 1)
    axes.set_xlabel(f"{metric.replace('_', ' ')}, 95 % intervals")
    axes.set_title(f"{evidence['n_test']:,} held-out rows; transfer: {evidence['verdict']}", loc="left")


def each_class(axes: Axes, evidence: dict[str, Any]) -> None:
    """F1 of each class on the held-out rows, the best on top."""
    ranked = sorted(evidence["classes"], key=lambda one: one["f1"])
    axes.barh(range(len(ranked)), [one["f1"] for one in ranked], color=BLUE, height=0.7)
    axes.set_yticks(range(len(ranked)), [f"{one['label']} ({one['support']:g})" for one in ranked])
    axes.set_xlim(0, 1)
    axes.set_xlabel("F1 of each class (held-out rows)")


def main(source: Path, picture: Path) -> None:
    """Read evidence.json and write the picture."""
    from matplotlib import pyplot

    evidence = json.loads(source.read_text("utf-8"))
    pyplot.rcParams.update({"font.size": 9, "axes.spines.top": False, "axes.spines.right": False})
    height = max(2.4, 0.17 * len(evidence["classes"]) + 0.9)
    figure, (left, right) = pyplot.subplots(1, 2, figsize=(9.6, height), layout="constrained")
    compare(left, evidence)
    each_class(right, evidence)
    figure.savefig(picture, dpi=130)


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
