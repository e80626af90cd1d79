"""What a race can try: an arm is a method on a backbone, the options that are searched and where the search begins.

The ranges hold the values that the papers used, and begin with the defaults of the table:

    lr              1e-5 to 1e-3, log: 2e-5 to 5e-5 for Transformers (Devlin et al., 2019; Mosbach et al., 2021), up to
                    1e-3 for convolutions with Adam (Kornblith et al., 2019)
    decay           .65 to 1 a stage (Howard and Ruder, 2018: .38 a layer; Clark et al., 2020, and Bao et al., 2022:
                    .65 to .9)
    stages          1 to 3 of the backbone's last (Yosinski et al., 2014)
    epochs          3 to 12 at most, see `training.options`
    weight, l2-sp   1e-3 to 1, log (Li et al., 2018, table 2)
    rank            4 to 16 (Hu et al., 2021, table 6)
    augment         of pictures, yes or no; mixup 0 or .2 (Zhang et al., 2018)

`gain` and `spread` are what is expected of an arm before it was tried: by which share its loss lies below that of the
probe on the same backbone, and how far that may be off (one standard deviation). They are of the order that
`bench/tuning.py` measured (docs/tuning.md), and give way to what the race itself measures.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from importlib.util import find_spec
from types import MappingProxyType
from typing import Any, NamedTuple

from headstart.backbones.backbone import Backbone
from headstart.evidence.assess import NO_TRANSFER
from headstart.evidence.baselines.no_transfer import MODELS
from headstart.heads.select import HEADS
from headstart.methods.table import method
from headstart.tasks.kind import Kind
from headstart.tasks.modality import Modality

__all__ = ["NO_TRANSFER_ARM", "Arm", "Choice", "Range", "arms_for"]


class Range(NamedTuple):
    """Numbers from low to high; on a log scale, or whole."""

    low: float
    high: float
    log: bool = False
    whole: bool = False


class Choice(NamedTuple):
    """One of a few values."""

    values: tuple[Any, ...]


Searched = Mapping[str, Range | Choice]
_NOTHING: Mapping[str, Any] = MappingProxyType({})


class Arm(NamedTuple):
    """backbone   its name; None for columns
    method     of the table
    tier       0 where nothing moves; the dearer the higher
    searched   options and their ranges; begin: the settings that are tried first, of which missing options are default
    gain, spread   expected before anything was tried, see above
    eligible   whether its model can be kept
    """

    backbone: str | None
    method: str
    tier: int = 0
    searched: Searched = _NOTHING
    begin: tuple[Mapping[str, Any], ...] = (_NOTHING,)
    gain: float = 0.0
    spread: float = 0.1
    eligible: bool = True

    @property
    def key(self) -> str:
        """By which it is stored."""
        return self.method if self.backbone is None else f"{self.method} on {self.backbone}"

    @property
    def reuses(self) -> bool:
        """Whether it stands on what was learnt elsewhere, where its inputs have a backbone."""
        return self.method != NO_TRANSFER

    @property
    def tuned(self) -> bool:
        """Whether weights move."""
        return self.tier > 0

    @property
    def settings(self) -> int | None:
        """How many different trials there are; None for endlessly many."""
        return None if self.searched else 1


NO_TRANSFER_ARM = Arm(None, NO_TRANSFER)
"""What must be beaten; of texts and pictures its model is kept where it is not. Of tables it is an opponent by other
hands (scikit-learn's trees) that cannot be stored, so that it is asked once, in the test."""

_LR = Range(1e-5, 1e-3, log=True)
_EPOCHS = Range(3, 12, whole=True)
_DECAY = Range(0.65, 1.0)
_PICTURES: Searched = {"augment": Choice((True, False)), "mixup": Choice((0.0, 0.2))}

_LIKE_LPFT: dict[str, Range | Choice] = {"lr": _LR, "decay": _DECAY, "epochs": _EPOCHS}
_BEGIN = (
    {"lr": 1e-4, "decay": 0.8, "epochs": 6},
    {"lr": 3e-5, "decay": 0.8, "epochs": 6},
    {"lr": 3e-4, "decay": 0.8, "epochs": 3},
)


class _Tuned(NamedTuple):
    tier: int
    searched: Searched
    begin: tuple[Mapping[str, Any], ...]
    gain: float
    spread: float


_TUNED: dict[str, _Tuned] = {
    "top": _Tuned(
        1,
        _LIKE_LPFT | {"stages": Range(1, 3, whole=True)},
        tuple(start | {"stages": stages} for start, stages in zip(_BEGIN, (1, 2, 1), strict=True)),
        0.05,
        0.1,
    ),
    "lp-ft": _Tuned(2, _LIKE_LPFT, _BEGIN, 0.1, 0.15),
    "wise-ft": _Tuned(2, _LIKE_LPFT, _BEGIN, 0.1, 0.12),
    "l2-sp": _Tuned(
        2,
        _LIKE_LPFT | {"weight": Range(1e-3, 1.0, log=True)},
        tuple(start | {"weight": 0.01} for start in _BEGIN),
        0.1,
        0.13,
    ),
    "fine-tune": _Tuned(
        3, _LIKE_LPFT | {"epochs": Range(6, 20, whole=True)}, ({"lr": 1e-4, "decay": 0.8, "epochs": 15},), 0.05, 0.15
    ),
    "lora": _Tuned(
        2,
        {"lr": _LR, "epochs": _EPOCHS, "rank": Choice((4, 8, 16))},
        ({"lr": 1e-4, "epochs": 6, "rank": 8},),
        0.08,
        0.13,
    ),
}

_TABLE_HEADS = ("trees", "boosting", "kernel", "neural", "incontext")


def arms_for(
    modality: Modality,
    kind: Kind,
    backbones: Sequence[Backbone],
    *,
    methods: Sequence[str] | None = None,
    keep_transfer: bool = False,
) -> tuple[Arm, ...]:
    """Everything that can be tried on such a task, the cheapest tiers first.

    backbones   the candidates; none for columns
    methods     only these, the probe and no-transfer; None: all. ValueError for one that no race tries
    keep_transfer   no-transfer is not tried
    """
    known = {"probe", *_TUNED, *_TABLE_HEADS}
    if methods is not None and (strange := [name for name in methods if name not in known]):
        raise ValueError(f"method {strange[0]!r} is not raced; expected some of {', '.join(sorted(known))}")
    plain = [NO_TRANSFER_ARM] if modality in MODELS and not modality.has_columns and not keep_transfer else []
    arms = [*plain, *(_tables(kind) if modality.has_columns else _tuned_and_probes(modality, backbones))]
    if methods is not None:
        arms = [arm for arm in arms if arm.method in ("probe", NO_TRANSFER, *methods)]
    return tuple(sorted(arms, key=lambda arm: arm.tier))


def _tables(kind: Kind) -> Iterator[Arm]:
    """The head that cross-validation takes, and each by itself: other sides of the same columns, to be averaged."""
    yield Arm(None, "probe")
    for name in _TABLE_HEADS:
        if kind in HEADS[name].kinds:
            yield Arm(None, name, spread=0.08)


def _tuned_and_probes(modality: Modality, backbones: Sequence[Backbone]) -> Iterator[Arm]:
    for backbone in backbones:
        yield Arm(backbone.name, "probe")
        for name, row in _TUNED.items():
            if backbone.module is None or (name == "lora" and find_spec("peft") is None):
                continue
            searched = {**row.searched, **(_PICTURES if modality.has_pixels else {})}
            if "stages" in searched:
                most = min(3, len(backbone.stages))
                if most < 2:
                    continue  # there is no lower part to stay
                searched["stages"] = Range(1, most, whole=True)
            plain = {"augment": True, "mixup": 0.0} if modality.has_pixels else {}
            options = method(name).options()
            begin = tuple({**start, **plain} for start in row.begin)
            if lacking := [option for option in searched if option not in options]:
                raise ValueError(f"method {name!r} has no option {lacking[0]!r}, which the race searches")
            yield Arm(backbone.name, name, row.tier, searched, begin, gain=row.gain, spread=row.spread)
