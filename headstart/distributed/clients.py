"""`clients.toml`: who takes part in a federation, where their data are, and how they are to learn together."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import MISSING, dataclass, field, fields
from pathlib import Path
from typing import Any

from headstart.errors import DataError
from headstart.messages import did_you_mean

__all__ = ["Client", "Federation", "Privacy", "Rounds", "read_federation", "rounds_of"]

HEADS = ("auto", "ridge", "lda", "prototypes")
STRATEGIES = ("fedavg", "fedprox", "fedadam", "fedbn")
TRAINED = ("head", "lora", "top")
OF_WEIGHTS: dict[str, Any] = {"rounds": 5, "epochs": 2, "lr": 1e-4, "batch": 16, "server_lr": 0.01}
"""What holds in `[rounds]` where weights of the backbone move and nothing is given."""


@dataclass(frozen=True, kw_only=True)
class Client:
    """One owner of data: its name, and a folder or a table. Paths are relative to the file.

    personal   where the client writes its own model, see `personal.py`; "" nowhere
    """

    name: str
    data: str
    personal: str = ""


@dataclass(frozen=True, kw_only=True)
class Privacy:
    """Differential privacy of what each client sends.

    epsilon, delta   of the one release of this run; with `budget` the most that all runs together may spend
    clip             the longest feature vector (Euclidean); longer ones are shortened to it
    low, high        of a regression: the range of the values; others are moved to its ends
    ledger           a file beside each client's data that remembers what was spent
    """

    epsilon: float
    delta: float
    clip: float
    low: float = 0.0
    high: float = 0.0
    budget: float = 0.0
    ledger: str = "privacy.json"


@dataclass(frozen=True, kw_only=True)
class Rounds:
    """Rounds of gradient descent on a linear head, in place of the one exact round, or on weights of the backbone.

    strategy    fedavg, fedprox, fedadam or fedbn, see `averaging.py`
    train       head; lora, thin matrices beside the layers; or top, the last stages. With the latter two the head
                learns as well, and `rounds_of` says what holds if nothing is given
    stages      of lora and top: how many stages of the backbone, from the top; 0: all with lora, the last with top
    rounds      how often the clients train and the server averages
    epochs      over a client's rows in a round
    lr          of a head the step of a client, where a row of features has a mean squared length of 1; else as the
                option `lr` of methods that move weights
    batch       rows of a step; 0: all
    mu          of fedprox: the weight of the squared distance from where the round began
    server_lr   of fedadam: the step of the server
    """

    strategy: str = "fedavg"
    train: str = "head"
    stages: int = 0
    rounds: int = 10
    epochs: int = 10
    lr: float = 0.5
    batch: int = 32
    mu: float = 0.01
    server_lr: float = 0.3

    @property
    def moves_weights(self) -> bool:
        """Whether weights of the backbone learn."""
        return self.train != "head"


def rounds_of(**given: Any) -> Rounds:
    """`Rounds` with what holds for what is trained where nothing is given."""
    return Rounds(**(OF_WEIGHTS if given.get("train", "head") != "head" else {}) | given)


@dataclass(frozen=True, kw_only=True)
class Federation:
    """What `clients.toml` says.

    clients   two or more
    backbone  one for all; None for tables, whose columns are the features, or for the default of the modality
    head      auto (that of the least held-out log loss), ridge, lda or prototypes
    kind, target, input, group   as the options of `headstart fit`
    secure    add up by SecAgg+, so that the server sees sums only
    folds     of the cross-validation at each client
    timeout   seconds that the server waits for an answer
    privacy   of the sums; None: they are sent as they are
    rounds    None: one exact round
    """

    clients: tuple[Client, ...]
    folder: Path
    backbone: str | None = None
    head: str = "auto"
    kind: str | None = None
    target: str | None = None
    input: str | None = None
    group: str | None = None
    secure: bool = False
    folds: int = 5
    seed: int = 0
    timeout: float = 600.0
    privacy: Privacy | None = None
    rounds: Rounds | None = None
    file: Path = field(default=Path("clients.toml"))

    def place(self, client: Client) -> Path:
        """Where a client's data are."""
        return self.folder / client.data

    def personal(self, client: Client) -> Path | None:
        """Where a client writes its own model; None: nowhere."""
        return self.folder / client.personal if client.personal else None


def read_federation(path: str | Path) -> Federation:
    """Read and check the file. DataError where it is missing, no TOML, or says what nobody understands."""
    file = Path(path)
    try:
        table = tomllib.loads(file.read_text(encoding="utf-8-sig"))
    except FileNotFoundError:
        raise DataError(f"{file}: there is no such file; a federation is described by a clients.toml") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, OSError) as error:
        raise DataError(f"{file}: cannot be read as TOML: {error}") from error
    clients = table.pop("client", [])
    if not isinstance(clients, list) or not all(isinstance(one_client, dict) for one_client in clients):
        raise DataError(f"{file}: clients are tables of their own: write [[client]], then name and data")
    values: dict[str, Any] = {}
    for name, cls in (("privacy", Privacy), ("rounds", Rounds)):
        section = table.pop(name, None)
        if section is not None:
            values[name] = _made(cls, section, file, f"[{name}]")
            if name == "rounds":
                values[name] = rounds_of(**{key: getattr(values[name], key) for key in section})
    members = tuple(_made(Client, table, file, f"[[client]] number {at}") for at, table in enumerate(clients, 1))
    checked = _values(Federation, table, file, "", without=("clients", "folder", "file", "privacy", "rounds"))
    federation = Federation(clients=members, folder=file.parent, file=file, **checked, **values)
    _check(federation)
    return federation


def _made(cls: type[Any], table: Any, file: Path, where: str) -> Any:
    if not isinstance(table, dict):
        raise DataError(f"{file}: {where} must be a table of keys, got {table!r}")
    return cls(**_values(cls, table, file, where))


def _values(
    cls: type[Any], table: Mapping[str, Any], file: Path, where: str, without: tuple[str, ...] = ()
) -> dict[str, Any]:
    known = {each.name: each for each in fields(cls) if each.name not in without}
    at = f"{file}: {where + ': ' if where else ''}"
    for key, value in table.items():
        if key not in known:
            keys = [*known, *(["client", "privacy", "rounds"] if not where else [])]
            raise DataError(f"{at}unknown key {key!r}.{did_you_mean(key, keys)} Expected {', '.join(keys)}")
        _check_type(str(known[key].type), value, f"{at}{key}")
    lacking = [
        name for name, each in known.items()
        if name not in table and each.default is MISSING and each.default_factory is MISSING
    ]  # fmt: skip
    if lacking:
        raise DataError(f"{at}{lacking[0]!r} is missing")
    return {key: float(value) if str(known[key].type) == "float" else value for key, value in table.items()}


def _check_type(wanted: str, value: Any, at: str) -> None:
    kinds: dict[str, tuple[type, ...]] = {"str": (str,), "int": (int,), "float": (int, float), "bool": (bool,)}
    allowed = kinds[wanted.removesuffix(" | None")]
    if not isinstance(value, allowed) or (isinstance(value, bool) and wanted != "bool"):
        words = {"str": "text in quotes", "int": "a whole number", "float": "a number", "bool": "true or false"}
        raise DataError(f"{at} = {value!r}: expected {words[wanted.removesuffix(' | None')]}")


def _check(federation: Federation) -> None:
    file, names = federation.file, [client.name for client in federation.clients]
    if len(names) < 2:
        raise DataError(f"{file}: a federation has 2 clients or more, got {len(names)}: add [[client]] tables")
    for name in names:
        if names.count(name) > 1:
            raise DataError(f"{file}: two clients bear the name {name!r}: give each its own")
        if not name.strip() or not name.isprintable():
            raise DataError(f"{file}: the name of a client must be printable and not empty, got {name!r}")
    _among(file, "head", federation.head, HEADS)
    if not 3 <= federation.folds <= 20:
        raise DataError(f"{file}: folds = {federation.folds}: expected 3 to 20")
    if not federation.timeout > 0:
        raise DataError(f"{file}: timeout = {federation.timeout}: expected seconds above 0")
    if federation.rounds is not None:
        _check_rounds(file, federation, federation.rounds)
    if (privacy := federation.privacy) is not None:
        for key in ("epsilon", "clip"):
            if not 0 < getattr(privacy, key) < float("inf"):
                raise DataError(f"{file}: [privacy] {key} = {getattr(privacy, key)}: expected a number above 0")
        if not 0 < privacy.delta < 1:
            raise DataError(f"{file}: [privacy] delta = {privacy.delta}: expected a number between 0 and 1, as 1e-5")


def _check_rounds(file: Path, federation: Federation, rounds: Rounds) -> None:
    _among(file, "[rounds] strategy", rounds.strategy, STRATEGIES)
    _among(file, "[rounds] train", rounds.train, TRAINED)
    if rounds.stages and not rounds.moves_weights:
        raise DataError(f"{file}: [rounds] stages = {rounds.stages} is of train = 'lora' and 'top': leave it out")
    if rounds.strategy == "fedbn" and rounds.train == "lora":
        raise DataError(
            f"{file}: [rounds] strategy = 'fedbn' keeps BatchNorm at each client, and train = 'lora' trains none: use "
            "train = 'top'"
        )
    if federation.head != "auto":
        raise DataError(f"{file}: head = {federation.head!r} is fitted in one exact round: leave out it or [rounds]")
    if federation.privacy is not None:
        raise DataError(f"{file}: [privacy] is of the sums of one exact round: leave out it or [rounds]")
    for key, least in (("rounds", 1), ("epochs", 1), ("batch", 0), ("stages", 0)):
        if getattr(rounds, key) < least:
            raise DataError(f"{file}: [rounds] {key} = {getattr(rounds, key)}: expected {least} or more")
    for key in ("lr", "server_lr"):
        if not 0 < getattr(rounds, key) < float("inf"):
            raise DataError(f"{file}: [rounds] {key} = {getattr(rounds, key)}: expected a number above 0")
    if not 0 <= rounds.mu < float("inf"):
        raise DataError(f"{file}: [rounds] mu = {rounds.mu}: expected a number from 0 up")


def _among(file: Path, key: str, value: str, choices: tuple[str, ...]) -> None:
    if value not in choices:
        raise DataError(
            f"{file}: {key} = {value!r}: expected one of {', '.join(choices)}.{did_you_mean(value, choices)}"
        )
