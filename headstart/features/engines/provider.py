"""The engine of one run, got ready only once there is something for it to do, while the lanes already decode."""

from __future__ import annotations

from contextlib import suppress
from threading import Event

from headstart.backbones.backbone import Backbone
from headstart.features.cache.session import Session
from headstart.features.cache.store import Store
from headstart.features.engines.engine import Agreement, Choice, EngineUsed, Unfit
from headstart.features.engines.recorded import keep, kept
from headstart.features.engines.rescue import RescuedEngine
from headstart.features.engines.select import SAFE, Wish, agreement, built, known_agreement, measure, settle
from headstart.preprocessing.prepare import RECIPE

__all__ = ["Supply"]

_PATIENCE = 0.05
ARITHMETIC = 2
"""Raised by whoever changes how a GPU calculates: 1 was autocast, 2 is a network cast to bfloat16, norms folded."""


class Supply:
    """Chooses, builds and checks the engine, and opens the store of its features.

    choice, store   known from the start unless the choice has to be measured: then once `ready` is set
    engine          once `ready` is set
    """

    def __init__(self, backbone: Backbone, rows: int, wish: Wish, lanes: int, session: Session) -> None:
        self.wanted = Event()
        self.ready = Event()
        self.engine: RescuedEngine | None = None
        self.store: Store | None = None
        self._notes: list[str] = []
        self.choice = settle(backbone, rows, wish, session.memory)
        self._agreement: Agreement | None = None
        self._backbone, self._rows, self._wish, self._lanes = backbone, rows, wish, lanes
        self._session = session
        if self.choice is not None:
            try:
                self._agreement = known_agreement(self.choice, backbone, session.memory)
            except Unfit as error:
                self.choice = self._safe(error)
            self._open(self.choice)

    @property
    def notes(self) -> list[str]:
        """Why the engine is not what was asked for, and what it could not do."""
        return [*self._notes, *(self.engine.notes if self.engine else ())]

    @property
    def device(self) -> str:
        """Where it calculates, as far as that is settled; the CPU otherwise."""
        return "cpu" if self.choice is None else self.choice.device

    @property
    def on_device(self) -> bool:
        """Whether that is not the CPU."""
        return self.device != "cpu"

    def fall_back(self, error: Unfit) -> None:
        """Go on with torch float32: on the same device, unless that is what cannot be had."""
        self.choice = self._safe(error)
        self._agreement, self.engine = None, None
        self.ready.clear()
        self._open(self.choice)

    def take_kept(self) -> None:
        """Have the engine ready at once where it is that of an earlier call, so that no lane waits for it."""
        if self.choice is not None and kept(self.choice, self._backbone, self._lanes) is not None:
            with suppress(Unfit):  # `provide` finds out too, and falls back
                self.provide()

    def provide(self) -> None:
        """Get the engine ready. `Unfit` where what was settled on cannot be had after all: then `fall_back`."""
        memory = self._session.memory
        if self.choice is None:
            self.choice, engine = measure(self._backbone, self._rows, self._wish, memory, self._lanes)
            self._open(self.choice)
            self._agreement = agreement(self.choice, engine, self._backbone, memory)
        else:
            before = kept(self.choice, self._backbone, self._lanes)
            if before is None:
                engine, self._agreement = built(self.choice, self._backbone, self._lanes, memory)
            else:
                engine, self._agreement = before, agreement(self.choice, before, self._backbone, memory)
        keep(engine, self.choice, self._backbone, self._lanes)
        self.engine = RescuedEngine(engine, self.choice, self._backbone)
        self.ready.set()

    def wait(self, stopped: Event) -> RescuedEngine | None:
        """The engine once it is ready; None where the run was stopped meanwhile."""
        self.wanted.set()
        while not self.ready.wait(_PATIENCE):
            if stopped.is_set():
                return None
        return self.engine

    def used(self) -> EngineUsed:
        """The record of it. The batch is 0 where nothing had to be run."""
        choice = self.choice or SAFE
        return EngineUsed(
            name=choice.name,
            precision=choice.precision,
            device=choice.device,
            batch=0 if self.engine is None else self.engine.batch,
            why=choice.why,
            agreement=self._agreement,
        )

    def _safe(self, error: Unfit) -> Choice:
        same = self.on_device and self.choice is not None and self.choice.precision != "float32"
        safe = SAFE._replace(device=self.device if same else SAFE.device)
        self._notes.append(f"{error}; {safe} is used instead")
        return safe._replace(why=str(error))

    def _open(self, choice: Choice) -> None:
        request = (self._wish.engine, self._wish.precision)
        if "auto" not in request and choice[:2] != request:
            self._notes.append(f"{request[0]} {request[1]} was asked for, {choice} is used: {choice.why}")
        identity = {
            "fingerprint": self._backbone.fingerprint,
            "engine": choice.name,
            "precision": choice.precision,
            "device": choice.device.partition(":")[0],  # one GPU of a machine computes what another does
            "recipe": RECIPE,
        }
        if choice.device != "cpu":
            identity["arithmetic"] = ARITHMETIC
        self.store = self._session.store(
            "features", identity, width=self._backbone.dim, dtype="float32", label=self._backbone.name
        )
