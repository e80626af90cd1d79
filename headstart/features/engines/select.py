"""Which engine and precision, by this rule:

1. A CUDA device: torch in bfloat16 (in float32 where that is asked for).
2. On a CPU, what can run here (`support.py`) among the engines and precisions that were asked for, in this order:
   torch float32, OpenVINO float32, torch bfloat16 (where there is no OpenVINO), OpenVINO bfloat16.
   One of them: that one. None: torch float32.
3. What was measured for this network on this machine before is chosen again.
4. Fewer than `FEW` inputs: the first of them, since measuring and compiling would take longer than they do.
5. Each is run on the probe batch. A later one is preferred if it is `FASTER` times as fast as the best before it.

The last step gives the same choice in later processes because it is remembered in the cache folder.
"""

from __future__ import annotations

import json

from blake3 import blake3

from headstart.backbones.backbone import Backbone
from headstart.data.installed import installed_version
from headstart.features.cache.memory import Memory
from headstart.features.engines import processor
from headstart.features.engines.agreement import agrees, compare, probe, run, seconds
from headstart.features.engines.engine import Agreement, Choice, Engine, EngineName, Precision, Unfit
from headstart.features.engines.openvino_engine import OpenVINOEngine
from headstart.features.engines.support import obstacle
from headstart.features.engines.torch_engine import TorchEngine
from headstart.features.engines.wish import Wish

__all__ = [
    "FASTER",
    "FEW",
    "SAFE",
    "Wish",
    "agreement",
    "build",
    "built",
    "known_agreement",
    "measure",
    "remember",
    "settle",
]

FEW = 256
FASTER = 1.15
SAFE = Choice("torch", "float32", "cpu", "it runs everywhere")
_ORDER: tuple[tuple[EngineName, Precision], ...] = (
    ("torch", "float32"),
    ("openvino", "float32"),
    ("torch", "bfloat16"),
    ("openvino", "bfloat16"),
)


def settle(backbone: Backbone, rows: int, wish: Wish, memory: Memory) -> Choice | None:
    """The choice for so many inputs where nothing has to be measured for it; None where it has."""
    if wish.cuda is not None:
        precision: Precision = "float32" if wish.precision == "float32" else "bfloat16"
        return Choice("torch", precision, wish.cuda, "a CUDA device is there")
    remembered = memory.recall(*_subject(backbone, wish))
    if remembered is not None:
        return Choice(remembered["name"], remembered["precision"], "cpu", remembered["why"])
    if wish.engine == "auto" and rows < FEW and wish.precision != "bfloat16":
        return Choice("torch", "float32", "cpu", f"fewer than {FEW} inputs")
    candidates = _able(wish, memory, try_it=False)
    if candidates is None or (len(candidates[0]) > 1 and rows >= FEW):
        return None
    return _first(*candidates)


def measure(backbone: Backbone, rows: int, wish: Wish, memory: Memory, lanes: int) -> tuple[Choice, Engine]:
    """The choice by trying and running each candidate, remembered; and the chosen engine, ready to run."""
    able, reasons = _able(wish, memory) or ([], [])
    if len(able) < 2 or rows < FEW:
        choice = _first(able, reasons)
        return choice, build(choice, backbone, lanes)
    inputs = probe(backbone)
    best: tuple[float, Choice, Engine] | None = None
    for name, precision in able:
        choice = Choice(name, precision, "cpu", "")
        try:
            engine, _ = built(choice, backbone, lanes, memory)
        except Unfit as error:
            reasons.append(str(error))
            continue
        took = seconds(engine, inputs)
        reasons.append(f"{name} {precision} {1000 * took:.3g} ms an input and core")
        if best is None or best[0] / took >= FASTER:
            best = (took, choice, engine)
    if best is None:
        return SAFE._replace(why="; ".join(reasons)), build(SAFE, backbone, lanes)
    chosen = best[1]._replace(why="measured: " + "; ".join(reasons))
    memory.remember(
        *_subject(backbone, wish), value={"name": chosen.name, "precision": chosen.precision, "why": chosen.why}
    )
    return chosen, best[2]


def build(choice: Choice, backbone: Backbone, lanes: int, *, anew: bool = False) -> Engine:
    """The engine, ready to run. `Unfit` where it cannot be had.

    anew   see `OpenVINOEngine`
    """
    if choice.name == "openvino":
        return OpenVINOEngine(backbone, choice.precision, lanes, anew=anew)
    return TorchEngine(backbone, choice.precision, choice.device)


def built(choice: Choice, backbone: Backbone, lanes: int, memory: Memory) -> tuple[Engine, Agreement | None]:
    """The engine, and how well it agrees, as in `agreement`; where the graph of another network was used and it does
    not, converted from its own. `Unfit` where it cannot be had or does not agree."""
    engine = build(choice, backbone, lanes)
    if isinstance(engine, OpenVINOEngine) and engine.refilled and known_agreement(choice, backbone, memory) is None:
        measured = _measured(engine, backbone)
        if agrees(measured, choice.precision):
            return engine, _remembered(measured, choice, backbone, memory)
        engine = build(choice, backbone, lanes, anew=True)
    return engine, agreement(choice, engine, backbone, memory)


def agreement(choice: Choice, engine: Engine, backbone: Backbone, memory: Memory) -> Agreement | None:
    """How well it agrees with torch float32 on the probe batch, remembered; None for torch float32 on the CPU itself.

    `Unfit` where it does not agree.
    """
    measured = known_agreement(choice, backbone, memory)
    if measured is None and choice[:3] != SAFE[:3]:
        return _remembered(_measured(engine, backbone), choice, backbone, memory)
    return measured


def _measured(engine: Engine, backbone: Backbone) -> Agreement:
    inputs = probe(backbone)
    reference = TorchEngine(backbone, "float32", "cpu")
    return compare(run(reference, reference.lane(), inputs), run(engine, engine.lane(), inputs))


def _remembered(measured: Agreement, choice: Choice, backbone: Backbone, memory: Memory) -> Agreement:
    memory.remember(*_pair(choice, backbone), value=measured._asdict())
    return _within_limits(measured, choice)


def remember(measured: Agreement, choice: Choice, backbone: Backbone, memory: Memory) -> None:
    """Keep how well an engine agrees that another process measured on a processor of the same kind."""
    memory.remember(*_pair(choice, backbone), value=measured._asdict())


def known_agreement(choice: Choice, backbone: Backbone, memory: Memory) -> Agreement | None:
    """The same as far as it is remembered, without running anything."""
    record = memory.recall(*_pair(choice, backbone))
    return None if record is None else _within_limits(Agreement(**record), choice)


def _within_limits(agreement: Agreement, choice: Choice) -> Agreement:
    if not agrees(agreement, choice.precision):
        raise Unfit(
            f"{choice} does not agree with torch float32 on a probe batch "
            f"(cosine {agreement.cosine:.4f}, centred {agreement.centred:.4f}, error {agreement.error:.2g})"
        )
    return agreement


def _pair(choice: Choice, backbone: Backbone) -> tuple[str, ...]:
    """What an agreement holds for."""
    return "agreement", backbone.fingerprint, *choice[:3], *_versions(), processor.identity()


def _able(
    wish: Wish, memory: Memory, *, try_it: bool = True
) -> tuple[list[tuple[EngineName, Precision]], list[str]] | None:
    """What was asked for and can run here, in order, and why the rest of it cannot; None where not all was tried."""
    able: list[tuple[EngineName, Precision]] = []
    obstacles = []
    for name, precision in _ORDER:
        requested = wish.engine in ("auto", name) and wish.precision in ("auto", precision)
        if not requested or (wish.engine == "auto" and name == "torch" and ("openvino", "float32") in able):
            continue
        why = obstacle(name, precision, memory, try_it=try_it)
        if why is None:
            return None
        if why:
            obstacles.append(why)
        else:
            able.append((name, precision))
    return able, list(dict.fromkeys(obstacles))


def _first(able: list[tuple[EngineName, Precision]], obstacles: list[str]) -> Choice:
    """Where there is nothing to measure."""
    if not able:
        return SAFE._replace(why="; ".join(obstacles))
    why = "asked for" if len(able) == 1 else f"fewer than {FEW} inputs"
    return Choice(*able[0], "cpu", "; ".join([why, *obstacles]))


def _subject(backbone: Backbone, wish: Wish) -> tuple[str, ...]:
    """What a choice holds for: the architecture and its input, what was asked, the libraries and the processor."""
    size = None if backbone.preprocess is None else backbone.preprocess.shape
    network = blake3(json.dumps([backbone.spec, size], sort_keys=True, default=str).encode()).hexdigest()
    return "choice", network, wish.engine, wish.precision, *_versions(), processor.identity()


def _versions() -> tuple[str, ...]:
    versions = {name: installed_version(name) for name in ("torch", "openvino")}
    return tuple(f"{name} {number}" if number else f"no {name}" for name, number in versions.items())
