"""The table of methods: a name -> (heads, tune, loss). Nothing else.

A row without a tune moves nothing below the head: it names the heads that cross-validation chooses among, None for
those that suit the task (`heads.select`). A row with one trains weights: which and when (`tune`), by which loss.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import Field, fields, replace
from difflib import get_close_matches
from typing import Any, NamedTuple, cast

from headstart.adaptation.strategies import STRATEGIES
from headstart.adaptation.strategy import Strategy
from headstart.finetuning.bitfit import BitFit
from headstart.finetuning.full import Full
from headstart.finetuning.gradual import Gradual
from headstart.finetuning.head import HeadOnly
from headstart.finetuning.ia3 import IA3
from headstart.finetuning.lora import LoRA
from headstart.finetuning.lp_ft import LPFT
from headstart.finetuning.soup import Soup
from headstart.finetuning.stage import Tune
from headstart.finetuning.top import Top
from headstart.finetuning.wise_ft import WiSEFT
from headstart.losses.cdan import CDAN
from headstart.losses.dan import DAN
from headstart.losses.dann import DANN
from headstart.losses.deep_coral import DeepCoral
from headstart.losses.delta import Delta
from headstart.losses.graph import Graph
from headstart.losses.l2_sp import L2SP
from headstart.losses.mcc import MCC
from headstart.losses.supervised import Supervised
from headstart.training.optimizers import named
from headstart.training.options import Training
from headstart.training.recipe import Tuning

__all__ = ["METHODS", "Method", "adapts", "configured", "configured_strategy", "method"]


_EPOCHS = {"probe": 6, "zero": 15}
"""Of each stage, by how the head begins; a schedule that begins where the probe ends has less to do."""


class Method(NamedTuple):
    """A row of the table: the heads to try on frozen features, or what moves and by which loss, or how a source task
    comes into it; and what it is for."""

    heads: tuple[str, ...] | None
    about: str
    tune: Tune | None = None
    loss: Supervised = Supervised()
    strategy: Strategy | None = None


def _adapting(about: str, loss: Supervised) -> Method:
    return Method(None, f"with a source: {about}", Full(), loss)


METHODS: dict[str, Method] = {
    "probe": Method(None, "frozen features, the head chosen by cross-validation"),
    "ridge": Method(("ridge",), "frozen features, ridge with exact leave-one-out over its strength"),
    "logistic": Method(("logistic",), "frozen features, logistic regression, strength by cross-validation"),
    "prototypes": Method(("prototypes",), "frozen features, nearest class mean: for a few examples a class"),
    "neural": Method(("neural",), "frozen features, Dense 256 ReLU, dropout and softmax with early stopping"),
    "kernel": Method(("kernel",), "frozen features, a radial kernel, its width by cross-validation"),
    "boosting": Method(("boosting",), "frozen features or columns, boosted trees, how many by cross-validation"),
    "trees": Method(("trees",), "columns, boosted trees on histograms, for many rows too"),
    "head": Method(None, "frozen backbone, the head trained by gradient descent on varied inputs", HeadOnly()),
    "top": Method(None, "the last stages and the head learn, the rest stays", Top()),
    "fine-tune": Method(None, "all weights learn, lower stages more slowly", Full()),
    "gradual": Method(None, "one stage more learns at a time, from the top", Gradual()),
    "lp-ft": Method(None, "the probe first, then all weights from there", LPFT()),
    "l2-sp": Method(None, "all weights learn, drawn to where they came from", LPFT(), L2SP()),
    "delta": Method(None, "all weights learn, what the stages make of the inputs stays near", LPFT(), Delta()),
    "wise-ft": Method(None, "all weights learn, then the best point between them and the source's", WiSEFT()),
    "soup": Method(None, "all weights learn several times, those that help each other are averaged", Soup()),
    "lora": Method(None, "thin matrices beside the layers learn, and are merged (needs peft)", LoRA()),
    "ia3": Method(None, "vectors that stretch the layers' outputs learn, and are merged (needs peft)", IA3()),
    "bitfit": Method(None, "the biases and the head learn", BitFit()),
    "scratch": Method(None, "the same network from random weights: the control", Full(scratch=True)),
    **{name: Method(None, row.about, strategy=row.strategy) for name, row in STRATEGIES.items()},
    "dann": _adapting("features from which an adversary cannot tell the tasks apart", DANN()),
    "cdan": _adapting("the same class by class: the adversary sees features times answers", CDAN()),
    "dan": _adapting("mean embeddings are matched while weights learn", DAN()),
    "deep-coral": _adapting("covariances are matched while weights learn", DeepCoral()),
    "mcc": _adapting("answers for the target confuse no two classes", MCC()),
    "graph": _adapting("rows with like features get like answers", Graph()),
}


def method(name: str) -> Method:
    """The row of this name; of "TUNE+LOSS", such as "gradual+l2-sp", what moves in the one and the loss of the other.

    Raises ValueError naming the rows there are, or why the two do not go together.
    """
    first, plus, second = name.partition("+")
    if not plus:
        return _row(name)
    tune, loss = _row(first).tune, _row(second).loss
    if tune is None or loss.needs == "nothing":
        losses = ", ".join(name for name, row in METHODS.items() if row.loss.needs != "nothing")
        raise ValueError(f"method {name!r}: expected a method that moves weights, then + and one of {losses}")
    adapts = loss.needs == "target"
    if tune.scratch and not adapts:
        raise ValueError(f"method {name!r}: {second} keeps near the source, and {first} begins without one")
    if tune.moves == "nothing":
        does = "adapts the backbone" if adapts else "keeps the backbone near the source"
        raise ValueError(f"method {name!r}: {second} {does}, and {first} does not move it")
    if tune.moves == "adapters" and loss.needs == "source":
        raise ValueError(
            f"method {name!r}: {second} draws weights to those of the source, and {first} moves none of them; "
            f"give {first!r} with --option l2=0.01"
        )
    return Method(None, f"{_row(first).about}; {_row(second).about}", tune, loss)


def _row(name: str) -> Method:
    if name not in METHODS:
        near = get_close_matches(name, list(METHODS), n=1)
        hint = f"; nearest: {near[0]}" if near else ""
        raise ValueError(f"method {name!r} is unknown{hint}; expected one of: {', '.join(METHODS)}")
    return METHODS[name]


def adapts(name: str) -> bool:
    """Whether the row moves weights towards a target task, and so draws on a source."""
    return method(name).loss.needs == "target"


def configured_strategy(name: str, options: dict[str, Any]) -> Strategy | None:
    """How the row draws on a source task, its step with these options; None for a row that draws on none.

    Raises ValueError for an option that the step does not have, naming the nearest.
    """
    strategy = method(name).strategy
    if strategy is None or not options:
        return strategy
    places = {} if strategy.align is None else {field.name: field for field in fields(cast(Any, strategy.align))}
    for option in options:
        _refuse_unknown(name, option, places)
    set_ = {option: _typed(places[option], value) for option, value in options.items()}
    return strategy._replace(align=replace(cast(Any, strategy.align), **set_))


def configured(name: str, options: dict[str, Any], seed: int) -> Tuning | None:
    """The row with these options, each a field of its tune, its loss or of `Training`; None where nothing moves.

    Raises ValueError for an option that the row does not have, naming the nearest.
    """
    row = method(name)
    if row.tune is None:
        if options and row.strategy is None:
            raise ValueError(f"method {name!r} moves no weights and has no option {next(iter(options))!r}")
        return None
    training = Training(seed=seed, epochs=_EPOCHS[row.tune.start])
    parts: list[Any] = [row.tune, row.loss, training]
    places = {field.name: (at, field) for at, part in enumerate(parts) for field in fields(part)}
    for settled in ("scratch", "soup", "seed"):
        places.pop(settled, None)
    for option, value in options.items():
        _refuse_unknown(name, option, places)
        at, field = places[option]
        parts[at] = replace(parts[at], **{option: _typed(field, value)})
    if parts[2].hidden and row.tune.start == "probe":
        raise ValueError(
            f"hidden = {parts[2].hidden}: method {name!r} starts from the probe's head, which has no layers"
        )
    if parts[2].mixup and parts[1].needs == "target":
        raise ValueError(f"mixup = {parts[2].mixup}: method {name!r} compares two tasks, and mixed rows are of both")
    return Tuning(parts[0], parts[1], named(parts[2]))


def _refuse_unknown(name: str, option: str, places: Collection[str]) -> None:
    if option not in places:
        near = get_close_matches(option, list(places), n=1)
        hint = f"; nearest: {near[0]}" if near else ""
        raise ValueError(
            f"method {name!r} has no option {option!r}{hint}; it has {', '.join(sorted(places)) or 'none'}"
        )


def _typed(field: Field[Any], value: Any) -> Any:
    """A value from the command line in the type of the field's default."""
    kind: Any = type(field.default)
    if field.default is None:  # "float | None": its type stands before the bar
        kind = int if str(field.type).startswith("int") else float
    if not isinstance(value, str) or kind is str:
        if not isinstance(value, kind) and not (kind is float and isinstance(value, int)):
            raise ValueError(f"{field.name} = {value!r}: expected {kind.__name__}")
        return value
    if kind is bool:
        if value.lower() not in ("yes", "no", "true", "false"):
            raise ValueError(f"{field.name} = {value!r}: expected yes or no")
        return value.lower() in ("yes", "true")
    try:
        return kind(value)
    except ValueError:
        raise ValueError(f"{field.name} = {value!r}: expected {kind.__name__}") from None
