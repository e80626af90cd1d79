"""The rows of the table of methods that draw on a source task without moving weights: a name -> (about, way)."""

from __future__ import annotations

from typing import NamedTuple

from headstart.adaptation.alignment.augment import FeatureAugmentation
from headstart.adaptation.alignment.coral import Coral
from headstart.adaptation.alignment.jdot import JDOT
from headstart.adaptation.alignment.likeness import Likeness
from headstart.adaptation.alignment.linear_transport import LinearTransport
from headstart.adaptation.alignment.step import Align
from headstart.adaptation.alignment.subspace import SubspaceAlignment
from headstart.adaptation.alignment.transport import Transport
from headstart.adaptation.reweighting.balanced import BalancedWeights
from headstart.adaptation.reweighting.bbse import BBSE
from headstart.adaptation.reweighting.discriminator import DiscriminatorWeights
from headstart.adaptation.reweighting.kliep import KLIEP
from headstart.adaptation.reweighting.kmm import KMM
from headstart.adaptation.reweighting.mlls import MLLS
from headstart.adaptation.reweighting.nearest_neighbours import NearestNeighbourWeights
from headstart.adaptation.reweighting.rulsif import ULSIF, RuLSIF
from headstart.adaptation.strategy import Strategy

__all__ = ["STRATEGIES", "UNADAPTED", "Row"]

UNADAPTED = ("source-only", "target-only", "pooled")
"""Those that do not adapt: what an adaptation must beat."""


class Row(NamedTuple):
    """What it is for, and how the rows of both tasks come into one fit."""

    about: str
    strategy: Strategy


def _step(about: str, align: Align) -> Row:
    return Row(f"with a source: {about}", Strategy(align=align))


STRATEGIES: dict[str, Row] = {
    "auto": Row("with a source: the best way that is not adapted, unless another is better", Strategy(guarded=True)),
    "source-only": Row("with a source: learn from its rows, answer for the target", Strategy()),
    "target-only": Row("with a source: leave it aside", Strategy(source=False, target=True)),
    "pooled": Row("with a source: its rows and the labelled target rows alike", Strategy(target=True)),
    "coral": _step("means and covariances are matched", Coral()),
    "subspace": _step("subspaces are matched", SubspaceAlignment()),
    "likeness": _step("rows by their likeness to all rows of both", Likeness()),
    "linear-transport": _step("the best linear map between two Gaussians", LinearTransport()),
    "transport": _step("a transport plan moves the source rows", Transport()),
    "jdot": _step("a plan that moves features and answers", JDOT()),
    "augment": _step("shared and own copies of the columns; needs target labels", FeatureAugmentation()),
    "balanced": _step("source and target rows weigh alike; needs target labels", BalancedWeights()),
    "kmm": _step("weights of source rows by kernel means", KMM()),
    "ulsif": _step("weights by a least-squares ratio", ULSIF()),
    "rulsif": _step("weights by a least-squares ratio that is bounded", RuLSIF()),
    "kliep": _step("weights by the nearest ratio in the sense of Kullback and Leibler", KLIEP()),
    "neighbours": _step("weights by nearest neighbours", NearestNeighbourWeights()),
    "discriminator": _step("weights by telling the tasks apart", DiscriminatorWeights()),
    "bbse": _step("other shares of the classes, by the confusion matrix", BBSE()),
    "mlls": _step("other shares of the classes, by likelihood", MLLS()),
}
