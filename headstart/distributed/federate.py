"""`federate`: one model of the data of many owners, which stay where they are, and for each whether that helped."""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from headstart.defaults import with_own_defaults
from headstart.distributed.agreement import Agreement
from headstart.distributed.clients import Client, Federation, read_federation
from headstart.distributed.evidence import Judged, judged, together
from headstart.distributed.fitted import conclude
from headstart.distributed.journal import Journal
from headstart.distributed.owner import Owner
from headstart.distributed.privacy import Ledger, Release, words_of
from headstart.distributed.server import Outcome, Server
from headstart.distributed.weight_rounds import agreed_backbone
from headstart.errors import DataError
from headstart.evidence.lines import wrapped
from headstart.linalg.blas import one_thread
from headstart.listener import LOGGED, Listener
from headstart.tasks.kind import kind_named
from headstart.transfer import Transfer

if TYPE_CHECKING:
    from flwr.app import Context
    from flwr.clientapp import ClientApp

__all__ = ["Federated", "app_of", "federate"]


@dataclass(frozen=True)
class Federated:
    """model     fitted, with evidence
    clients   for each whether it helped, see `Judged`
    left_out  by client, why
    notes     on secure aggregation and privacy
    agreement what the clients agreed on
    """

    model: Transfer
    clients: Mapping[str, Judged]
    left_out: Mapping[str, str]
    notes: tuple[str, ...]
    agreement: Agreement

    def __str__(self) -> str:
        evidence = self.model.evidence_
        told = [f"{name} is left out: {why}" for name, why in self.left_out.items()]
        told += [note for note in self.notes if note not in evidence.notes]
        clients = [str(each) for each in self.clients.values()]
        return "\n".join([str(evidence), "", *clients, *(line for part in told for line in wrapped(part))])

    def to_json(self) -> dict[str, object]:
        """As JSON."""
        clients = {name: each.to_json() for name, each in self.clients.items()}
        return {
            "evidence": self.model.evidence_.to_json(),
            "clients": clients,
            "left_out": dict(self.left_out),
            "notes": list(self.notes),
        }


@with_own_defaults
def federate(
    clients: str | Path, out: str | Path | None = None, *, overwrite: bool = False, listener: Listener = LOGGED
) -> Federated:
    """Learn one head from the sums of all clients of a `clients.toml`, simulated in this process on Flower's messages.

    out   where the model is saved, and where what was learnt so far is remembered if the run is stopped. None: nowhere

    Raises DataError where the file is wrong, or where fewer than two clients can learn together.
    """
    need_flower()
    logging.getLogger("flwr").setLevel(logging.ERROR)
    from headstart.distributed.in_process import InProcess

    federation = read_federation(clients)
    refuse_existing([out, *map(federation.personal, federation.clients)], overwrite)
    owners = Owners(federation, listener)
    grid = InProcess({client.name: app_of(client, owners) for client in federation.clients})
    try:
        with Working(out, federation) as journal, one_thread():
            outcome = Server(federation, grid, dict(grid.names), journal, listener).run()
            return concluded(federation, outcome, out, overwrite)
    finally:
        grid.close()


def refuse_existing(places: Iterable[str | Path | None], overwrite: bool) -> None:
    """FileExistsError where a model is that may not be replaced."""
    for place in places:
        if place is not None and Path(place).exists() and not overwrite:
            raise FileExistsError(f"{place} exists: use another --out or `personal`, or --overwrite")


class Working:
    """The journal of a run, which is kept where the run fails and removed where it is done."""

    def __init__(self, out: str | Path | None, federation: Federation) -> None:
        import tempfile

        path = Path(tempfile.mkdtemp()) if out is None else Path(out)
        self._journal = Journal(path.with_name(f"{path.name}.part"), repr(federation))
        self._temporary = path if out is None else None

    def __enter__(self) -> Journal:
        return self._journal

    def __exit__(self, kind: object, *_: object) -> None:
        if kind is None or self._temporary is not None:
            self._journal.close()
        if self._temporary is not None:
            self._temporary.rmdir()


class Owners:
    """Those of this process, each read once; one at a time, since all draw from torch's one generator where the weights
    of a backbone are random."""

    def __init__(self, federation: Federation, listener: Listener) -> None:
        self._federation, self._listener = federation, listener
        self._owners: dict[str, tuple[Owner, Release | None]] = {}
        self._reading = threading.Lock()

    def __call__(self, client: Client) -> tuple[Owner, Release | None]:
        with self._reading:
            if client.name not in self._owners:
                owner = Owner.of(self._federation, client, self._listener)
                self._owners[client.name] = (owner, release_of(self._federation, client))
            return self._owners[client.name]


def release_of(federation: Federation, client: Client) -> Release | None:
    """How a client's sums are made private; None where they are not."""
    if federation.privacy is None:
        return None
    file = federation.place(client).parent / f"{client.name}.{federation.privacy.ledger}"
    return Release(federation.privacy, Ledger(file))


def app_of(client: Client, owners: Owners) -> ClientApp:
    """The app of a client of this process."""
    from headstart.distributed.client_app import client_app

    def owner_of(_: Context) -> tuple[Owner, Release | None]:
        return owners(client)

    return client_app(owner_of)


def concluded(federation: Federation, outcome: Outcome, out: str | Path | None, overwrite: bool) -> Federated:
    """The fitted model, saved where it is to be, and what it is to each client. BackboneError where the server's
    backbone has other weights than the clients'."""
    agreement = outcome.agreement
    backbone = outcome.backbone or agreed_backbone(agreement)
    notes = _notes(federation)
    evidence = together(outcome.evidence, kind_named(agreement.kind))
    left_out = tuple(f"{name} is left out: {why}" for name, why in outcome.left_out.items())
    evidence = replace(evidence, notes=(*evidence.notes, *notes, *left_out), seed=federation.seed)
    transfer = conclude(agreement, outcome.head, evidence, backbone)
    if out is not None:
        transfer.save(out, overwrite=overwrite)
    return Federated(transfer, judged(outcome.evidence, outcome.personal), outcome.left_out, notes, agreement)


def _notes(federation: Federation) -> tuple[str, ...]:
    notes = []
    if federation.secure:
        notes.append("sums added up by SecAgg+: the server saw no client's own")
    if (rounds := federation.rounds) is not None and rounds.moves_weights:
        notes.append(f"the model has learnt from all rows but those held out, in {rounds.rounds} rounds")
        if rounds.strategy == "fedbn":
            notes.append("scores are with each client's own BatchNorm; the model has the mean of these")
    if federation.privacy is not None:
        notes.append(words_of(federation.privacy))
    return tuple(notes)


def need_flower() -> None:
    import importlib.util

    for package in ("flwr", "opacus"):
        if importlib.util.find_spec(package) is None:
            raise DataError(f"federate needs {package}: pip install 'headstart[federated]'")
