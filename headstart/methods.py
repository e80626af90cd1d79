"""THE TABLE: a method's name -> (heads, tune, loss). Nothing else.

A row without a tune moves nothing below the head: it names the heads that cross-validation chooses among, None for
those that suit the task (`heads.select`). A row with one trains weights: which and when (`tune`), by which loss.
"""

from __future__ import annotations

from dataclasses import Field, fields, replace
from difflib import get_close_matches
from typing import Any, NamedTuple

from headstart.losses.delta import Delta
from headstart.losses.l2_sp import L2SP
from headstart.losses.supervised import Supervised
from headstart.optimizers import named
from headstart.training import Training
from headstart.tune.bitfit import BitFit
from headstart.tune.full import Full
from headstart.tune.gradual import Gradual
from headstart.tune.head import HeadOnly
from headstart.tune.ia3 import IA3
from headstart.tune.lora import LoRA
from headstart.tune.lp_ft import LPFT
from headstart.tune.soup import Soup
from headstart.tune.stage import Tune
from headstart.tune.top import Top
from headstart.tune.wise_ft import WiSEFT

__all__ = ["METHODS", "Method", "Tuning", "configured", "method"]


_EPOCHS = {"probe": 6, "zero": 15}
"""Of each stage, by how the head begins; a schedule that begins where the probe ends has less to do."""


class Method(NamedTuple):
    """A row of the table: the heads to try on frozen features, or what moves and by which loss; and what it is for."""

    heads: tuple[str, ...] | None
    about: str
    tune: Tune | None = None
    loss: Supervised = Supervised()


class Tuning(NamedTuple):
    """A row with its options set."""

    tune: Tune
    loss: Supervised
    training: Training


METHODS: dict[str, Method] = {
    "probe": Method(None, "frozen features, the head chosen by cross-validation"),
    "ridge": Method(("ridge",), "frozen features, ridge with exact leave-one-out over its strength"),
    "logistic": Method(("logistic",), "frozen features, logistic regression, strength by cross-validation"),
    "prototypes": Method(("prototypes",), "frozen features, nearest class mean: for a few examples a class"),
    "neural": Method(("neural",), "frozen features, Dense 256 ReLU, dropout and softmax with early stopping"),
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
    if tune.scratch:
        raise ValueError(f"method {name!r}: {second} keeps near the source, and {first} begins without one")
    if tune.moves == "nothing":
        raise ValueError(f"method {name!r}: {second} keeps the backbone near the source, and {first} does not move it")
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


def configured(name: str, options: dict[str, Any], seed: int) -> Tuning | None:
    """The row with these options, each a field of its tune, its loss or of `Training`; None where nothing moves.

    Raises ValueError for an option that the row does not have, naming the nearest.
    """
    row = method(name)
    if row.tune is None:
        if options:
            raise ValueError(f"method {name!r} moves no weights and has no option {next(iter(options))!r}")
        return None
    training = Training(seed=seed, epochs=_EPOCHS[row.tune.start])
    parts: list[Any] = [row.tune, row.loss, training]
    places = {field.name: (at, field) for at, part in enumerate(parts) for field in fields(part)}
    for settled in ("scratch", "soup", "seed"):
        places.pop(settled, None)
    for option, value in options.items():
        if option not in places:
            near = get_close_matches(option, list(places), n=1)
            hint = f"; nearest: {near[0]}" if near else ""
            raise ValueError(f"method {name!r} has no option {option!r}{hint}; it has {', '.join(sorted(places))}")
        at, field = places[option]
        parts[at] = replace(parts[at], **{option: _typed(field, value)})
    if parts[2].hidden and row.tune.start == "probe":
        raise ValueError(
            f"hidden = {parts[2].hidden}: method {name!r} starts from the probe's head, which has no layers"
        )
    return Tuning(parts[0], parts[1], named(parts[2]))


def _typed(field: Field[Any], value: Any) -> Any:
    """A value from the command line in the type of the field's default."""
    kind: Any = type(field.default)
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
