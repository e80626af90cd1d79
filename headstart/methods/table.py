"""The table of methods: a name -> a row that knows what it is for, its options, and how it is fitted."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from headstart.adaptation.strategies import STRATEGIES, Row
from headstart.artefact import Model
from headstart.backbones.backbone import Backbone
from headstart.features.extract import Extraction
from headstart.features.feature_set import FeatureSet
from headstart.finetuning.bitfit import BitFit
from headstart.finetuning.full import Full
from headstart.finetuning.gradual import Gradual
from headstart.finetuning.head import HeadOnly
from headstart.finetuning.ia3 import IA3
from headstart.finetuning.lora import LoRA
from headstart.finetuning.lp_ft import LPFT
from headstart.finetuning.soup import Soup
from headstart.finetuning.top import Top
from headstart.finetuning.wise_ft import WiSEFT
from headstart.listener import LOGGED, Listener
from headstart.losses.attention import Attention
from headstart.losses.cdan import CDAN
from headstart.losses.dan import DAN
from headstart.losses.dann import DANN
from headstart.losses.decoupled import Decoupled
from headstart.losses.deep_coral import DeepCoral
from headstart.losses.delta import Delta
from headstart.losses.graph import Graph
from headstart.losses.hints import Hints
from headstart.losses.l2_sp import L2SP
from headstart.losses.mcc import MCC
from headstart.losses.relational import Relational
from headstart.losses.soft_targets import SoftTargets
from headstart.losses.supervised import Supervised
from headstart.messages import nearest_hint
from headstart.methods.adaptation import Adaptation, Guard
from headstart.methods.finetune import FineTune
from headstart.methods.joint import Joint
from headstart.methods.method import Data, Method
from headstart.methods.model import model_of
from headstart.methods.no_transfer import NoTransfer
from headstart.methods.plan import Plan
from headstart.methods.probe import Probe
from headstart.methods.teaching import Teaching
from headstart.methods.uncertainty import uncertainty_of
from headstart.multitask.cagrad import CAGrad
from headstart.multitask.dwa import DWA
from headstart.multitask.gradnorm import GradNorm
from headstart.multitask.imtl import IMTL
from headstart.multitask.nash_mtl import NashMTL
from headstart.multitask.pcgrad import PCGrad
from headstart.multitask.uncertainty import Uncertainty
from headstart.multitask.weighing import Weighing
from headstart.multitask.weighted import Weighted
from headstart.training.batches import PLAIN

__all__ = ["METHODS", "configured", "fit_model", "method", "row_of", "without_teacher"]


def _adapting(about: str, loss: Supervised) -> FineTune:
    return FineTune(f"with a source: {about}", Full(), loss)


def _weighing(about: str, loss: Weighing) -> FineTune:
    return FineTune(f"several targets: {about}", LPFT(), loss)


def _taught(about: str, loss: Supervised) -> FineTune:
    return FineTune(f"with a teacher: {about}", LPFT(), loss)


def _row_of(row: Row) -> Adaptation | Guard:
    return Guard(row.about) if row.strategy.guarded else Adaptation(row.about, row.strategy)


METHODS: dict[str, Method] = {
    "probe": Probe("frozen features, the head chosen by cross-validation"),
    "ridge": Probe("frozen features, ridge with exact leave-one-out over its strength", ("ridge",)),
    "logistic": Probe("frozen features, logistic regression, strength by cross-validation", ("logistic",)),
    "prototypes": Probe("frozen features, nearest class mean: for a few examples a class", ("prototypes",)),
    "lda": Probe("frozen features, nearest class mean, measured by the spread within classes", ("lda",)),
    "neural": Probe("frozen features, Dense 256 ReLU, dropout and softmax with early stopping", ("neural",)),
    "kernel": Probe("frozen features, a radial kernel, its width by cross-validation", ("kernel",)),
    "boosting": Probe("frozen features or columns, boosted trees, how many by cross-validation", ("boosting",)),
    "trees": Probe("columns, boosted trees on histograms, for many rows too", ("trees",)),
    "no-transfer": NoTransfer("nothing is reused: TF-IDF of texts, descriptions of pictures, columns as they are"),
    "joint": Joint("frozen features, ridge on features that several targets, or classes, share"),
    "incontext": Probe("columns or frozen features, a network that reads the labelled rows as context", ("incontext",)),
    "head": FineTune("frozen backbone, the head trained by gradient descent on varied inputs", HeadOnly()),
    "top": FineTune("the last stages and the head learn, the rest stays", Top()),
    "fine-tune": FineTune("all weights learn, lower stages more slowly", Full()),
    "gradual": FineTune("one stage more learns at a time, from the top", Gradual()),
    "lp-ft": FineTune("the probe first, then all weights from there", LPFT()),
    "l2-sp": FineTune("all weights learn, drawn to where they came from", LPFT(), L2SP()),
    "delta": FineTune("all weights learn, what the stages make of the inputs stays near", LPFT(), Delta()),
    "wise-ft": FineTune("all weights learn, then the best point between them and the source's", WiSEFT()),
    "soup": FineTune("all weights learn several times, those that help each other are averaged", Soup()),
    "lora": FineTune("thin matrices beside the layers learn, and are merged (needs peft)", LoRA()),
    "ia3": FineTune("vectors that stretch the layers' outputs learn, and are merged (needs peft)", IA3()),
    "bitfit": FineTune("the biases and the head learn", BitFit()),
    "scratch": FineTune("the same network from random weights: the control", Full(scratch=True)),
    "distil": _taught("its answers at a temperature are learnt, by rows without a label too", SoftTargets()),
    "hints": _taught("features from which its features can be foretold", Hints()),
    "attention": _taught("the stages of a network for pictures look where its stages look", Attention()),
    "relational": _taught("features of rows lie to each other as its features do", Relational()),
    "decoupled": _taught("what it says of the right class, and of the others apart", Decoupled()),
    **{name: _row_of(row) for name, row in STRATEGIES.items()},
    "dann": _adapting("features from which an adversary cannot tell the tasks apart", DANN()),
    "cdan": _adapting("the same class by class: the adversary sees features times answers", CDAN()),
    "dan": _adapting("mean embeddings are matched while weights learn", DAN()),
    "deep-coral": _adapting("covariances are matched while weights learn", DeepCoral()),
    "mcc": _adapting("answers for the target confuse no two classes", MCC()),
    "graph": _adapting("rows with like features get like answers", Graph()),
    "weighted": _weighing("their losses are added, each with a weight", Weighted()),
    "uncertainty": _weighing("each counts by the noise that is learnt of it", Uncertainty()),
    "dwa": _weighing("what gets better more slowly counts more", DWA()),
    "gradnorm": _weighing("weights by which gradients have like norms", GradNorm()),
    "pcgrad": _weighing("gradients lose what opposes others", PCGrad()),
    "cagrad": _weighing("near the mean gradient, the worst-off is served", CAGrad()),
    "nash-mtl": _weighing("the step on which they agree in a bargain", NashMTL()),
    "imtl": _weighing("the step goes as far along each gradient", IMTL()),
}


def method(name: str) -> Method:
    """The row of this name; of "TUNE+LOSS", such as "gradual+l2-sp", what moves in the one and the loss of the other.

    Raises ValueError naming the rows there are, or why the two do not go together.
    """
    first, plus, second = name.partition("+")
    if not plus:
        return _row(name)
    moving, regular = _row(first), _row(second)
    if not isinstance(moving, FineTune) or not isinstance(regular, FineTune) or regular.loss.needs == "nothing":
        losses = ", ".join(
            name for name, row in METHODS.items() if isinstance(row, FineTune) and row.loss.needs != "nothing"
        )
        raise ValueError(f"method {name!r}: expected a method that moves weights, then + and one of {losses}")
    tune, loss = moving.tune, regular.loss
    adapts = loss.needs in ("target", "teacher")
    if tune.scratch and not adapts and loss.needs != "tasks":
        raise ValueError(f"method {name!r}: {second} keeps near the source, and {first} begins without one")
    if tune.moves == "nothing" and loss.needs == "tasks":
        raise ValueError(
            f"method {name!r}: {second} weighs what several targets share, and {first} moves nothing of it"
        )
    if tune.moves == "nothing" and not (loss.needs == "teacher" and loss.learns_from == "answers"):
        does = "keeps the backbone near the source"
        if adapts:
            does = "adapts the backbone" if loss.needs == "target" else f"teaches it the {loss.learns_from} of another"
        raise ValueError(f"method {name!r}: {second} {does}, and {first} does not move it")
    if tune.moves == "adapters" and loss.needs == "source":
        raise ValueError(
            f"method {name!r}: {second} draws weights to those of the source, and {first} moves none of them; "
            f"give {first!r} with --option l2=0.01"
        )
    return FineTune(f"{moving.about}; {regular.about}", tune, loss)


def _row(name: str) -> Method:
    if name not in METHODS:
        hint = nearest_hint(name, METHODS)
        raise ValueError(f"method {name!r} is unknown{hint}; expected one of: {', '.join(METHODS)}")
    return METHODS[name]


def configured(name: str, options: Mapping[str, Any], seed: int = 0) -> Method:
    """The row of this name with these options set. Raises ValueError for an option that it does not have."""
    return method(name).configured(name, options, seed)


def without_teacher(plan: Plan) -> Plan:
    """The plan of the same student that learns from labels alone: what a teacher must improve on."""
    first, plus, _ = plan.method.partition("+")
    row = _row(first)
    if not plus and isinstance(row, FineTune):
        first = next(
            name
            for name, other in METHODS.items()
            if isinstance(other, FineTune) and other.tune == row.tune and other.loss == Supervised()
        )
    return plan.without_teacher(first, method(first).options())


def row_of(plan: Plan) -> Method:
    """The row of a plan with its options set."""
    return configured(plan.method, plan.options, plan.seed)


def fit_model(
    rows: FeatureSet,
    backbone: Backbone | None,
    plan: Plan,
    *,
    extraction: Extraction = PLAIN,
    listener: Listener = LOGGED,
    teaching: Teaching | None = None,
) -> Model:
    """Fit the plan's method on all rows, whose targets must be known.

    teaching   of a method that learns from a teacher
    extraction, listener   of a method that moves weights: where to calculate, and who hears of each epoch
    """
    row = row_of(plan)
    if row.needs_source:
        raise ValueError(
            f"method {plan.method!r} draws on a source task: give one to headstart.fit, or as source to Transfer.fit"
        )
    fitted = row.fit(plan, Data(rows, backbone, (extraction, listener), teaching))
    model = model_of(fitted, plan, rows, classes=rows.task.classes, columns=rows.task.columns)
    moved = fitted.backbone is not None and backbone is not None and fitted.backbone is not backbone
    return replace(model, uncertainty=uncertainty_of(fitted, rows, moved=moved))
