"""Where the trials of a race are kept, so that it can be stopped, resumed and looked at: SQLite, by Optuna.

    FOLDER/trials.sqlite              a study an arm; a trial a setting of its options; beside each the answers to the
                                      held-out rows, fold by fold, as float32 in base 64
    FOLDER/trials.sqlite.NAME-1       files that were set aside: damaged, or of other data
    FOLDER/lock                       held while a race runs; a process that dies lets go of it

What a killed process was in the midst of counts as failed.
"""

from __future__ import annotations

import base64
import os
import sqlite3
import sys
import zlib
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, Self

import numpy as np

from headstart.automl.race.space import Arm, Range
from headstart.errors import RaceError
from headstart.tasks.goal import Answers, Decided

if TYPE_CHECKING:
    import optuna

__all__ = ["FILE", "META", "Asked", "Stored", "TrialStore", "race_folder", "running"]

FILE, LOCK = "trials.sqlite", "lock"
META = "race"
_STARTUP = 4
"""Trials of an arm at random, or where the search begins, before the sampler goes by what it learnt."""


class Asked(NamedTuple):
    """A setting to try, under its number in the arm."""

    number: int
    options: dict[str, Any]


class Stored(NamedTuple):
    """A setting that was tried: answers and seconds by fold; why it failed, or ""."""

    number: int
    options: dict[str, Any]
    folds: dict[int, tuple[Answers, float]]
    why: str


def race_folder(model: str | os.PathLike[str]) -> Path:
    """Beside the folder of a model: m -> m.race."""
    place = Path(os.path.abspath(model))
    return place.with_name(f"{place.name}.race")


class TrialStore:
    """Trials on the disk. Close it, or use it as a context.

    drawn       of which data the rows are, and how many: see `look.rows_before`
    set_aside   files that were set aside when it was opened
    """

    def __init__(self, folder: Path, content: str, seed: int, drawn: Mapping[str, Any] | None = None) -> None:
        self.folder, self.content, self.seed, self._drawn = folder, content, seed, drawn or {}
        self.set_aside: list[str] = []
        self._studies: dict[str, optuna.Study] = {}
        folder.mkdir(parents=True, exist_ok=True)
        self._lock = _locked(folder / LOCK)
        try:
            self._storage = self._opened()
        except BaseException:
            os.close(self._lock)
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    def close(self) -> None:
        """Let go of file and lock."""
        _disposed(self._storage)
        os.close(self._lock)

    def ask(self, arm: Arm) -> Asked:
        """The next setting of an arm: where the search begins, then what the sampler (TPE; Bergstra et al., 2011)
        makes of the losses that it was told."""
        trial = self._study(arm).ask(_distributions(arm))
        return Asked(trial.number, dict(trial.params))

    def keep(self, arm: Arm, number: int, fold: int, answers: Answers, seconds: float) -> None:
        """The answers of a setting to a fold."""
        self._study(arm).set_user_attr(f"{number}.{fold}", {"seconds": seconds, **_packed(answers)})

    def tell(self, arm: Arm, number: int, loss: float) -> None:
        """A setting was tried, and loses so much."""
        with _quiet():
            self._study(arm).tell(number, loss)

    def fail(self, arm: Arm, number: int, why: str) -> None:
        """A setting could not be tried."""
        import optuna

        with _quiet():
            study = self._study(arm)
            study.set_user_attr(f"{number}.why", why)
            study.tell(number, state=optuna.trial.TrialState.FAIL)

    def earlier(self, arm: Arm) -> list[Stored]:
        """What earlier runs tried."""
        study = self._study(arm)
        attributes, trials = study.user_attrs, study.get_trials(deepcopy=False)
        stored = []
        for trial in trials:
            folds = {}
            for key, record in attributes.items():
                number, _, fold = key.partition(".")
                if number == str(trial.number) and fold.isdigit():
                    folds[int(fold)] = (_unpacked(record), float(record["seconds"]))
            if trial.state.is_finished():
                why = str(attributes.get(f"{trial.number}.why", "" if folds else "it was cut off"))
                stored.append(Stored(trial.number, dict(trial.params), folds, why))
        return stored

    def _study(self, arm: Arm) -> optuna.Study:
        if arm.key not in self._studies:
            self._studies[arm.key] = self._opened_study(arm)
        return self._studies[arm.key]

    def _opened_study(self, arm: Arm) -> optuna.Study:
        import optuna

        with _quiet():
            study = optuna.create_study(storage=self._storage, study_name=arm.key, load_if_exists=True)
            trials = study.get_trials(deepcopy=False)
            own = zlib.crc32(arm.key.encode())
            seed = (own + 1000 * self.seed + len(trials)) % 2**31
            study.sampler = optuna.samplers.TPESampler(n_startup_trials=_STARTUP, seed=seed)
            if not trials and arm.searched:
                for start in arm.begin:
                    study.enqueue_trial(dict(start))
            for trial in trials:
                if trial.state == optuna.trial.TrialState.RUNNING:
                    study.tell(trial.number, state=optuna.trial.TrialState.FAIL)
        return study

    def _opened(self) -> optuna.storages.RDBStorage:
        """The file of this race; another is set aside, by a name that says why."""
        path = self.folder / FILE
        if path.exists() and not _sound(path):
            self._put_aside(path, "damaged")
        storage = _storage(path)
        try:
            meta = _meta(storage)
        except Exception as error:
            _disposed(storage)
            if not path.exists():
                raise RaceError(f"{path} cannot be written: {error}; give --out in another folder") from error
            self._put_aside(path, "unreadable")
            storage = _storage(path)
            meta = _meta(storage)
        if meta.user_attrs.get("content", self.content) != self.content:
            _disposed(storage)
            self._put_aside(path, "other")
            storage = _storage(path)
            meta = _meta(storage)
        for name, value in {"content": self.content, **self._drawn}.items():
            meta.set_user_attr(name, value)
        return storage

    def _put_aside(self, path: Path, why: str) -> None:
        number = 1
        while (place := path.with_name(f"{path.name}.{why}-{number}")).exists():
            number += 1
        os.replace(path, place)
        for left in (f"{path}-journal", f"{path}-wal", f"{path}-shm"):
            Path(left).unlink(missing_ok=True)
        self.set_aside.append(place.name)


def _storage(path: Path) -> optuna.storages.RDBStorage:
    try:
        from optuna.storages import RDBStorage
    except ImportError as error:
        raise ImportError("a race needs optuna: pip install 'headstart[race]'") from error
    with _quiet():
        return RDBStorage(f"sqlite:///{path}", engine_kwargs={"creator": lambda: _connected(path)})


def _connected(path: Path) -> sqlite3.Connection:
    """Nothing waits for the disk: a process that is killed loses nothing by that. A machine that loses its power may
    leave the file damaged, which is then set aside."""
    connection = sqlite3.connect(path, check_same_thread=False, timeout=60.0)
    connection.execute("PRAGMA synchronous = OFF")
    return connection


def _meta(storage: optuna.storages.RDBStorage) -> optuna.Study:
    import optuna

    with _quiet():
        return optuna.create_study(storage=storage, study_name=META, load_if_exists=True)


def _disposed(storage: optuna.storages.RDBStorage) -> None:
    storage.remove_session()
    storage.engine.dispose()


@contextmanager
def _quiet() -> Iterator[None]:
    """Optuna's own lines are left out; what there is to say of a race, the race says."""
    import optuna

    before = optuna.logging.get_verbosity()
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    try:
        yield
    finally:
        optuna.logging.set_verbosity(before)


def _sound(path: Path) -> bool:
    """Whether SQLite finds the file whole."""
    try:
        with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as database:
            return bool(database.execute("PRAGMA integrity_check").fetchone()[0] == "ok")
    except sqlite3.DatabaseError:
        return False


def _locked(path: Path) -> int:
    """The lock file's descriptor, locked. RaceError where another process holds it."""
    handle = os.open(path, os.O_RDWR | os.O_CREAT, 0o644)
    try:
        if sys.platform == "win32":
            import msvcrt

            msvcrt.locking(handle, msvcrt.LK_NBLCK, 1)
        else:
            import fcntl

            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        os.close(handle)
        raise RaceError(
            f"another race runs on {path.parent}: wait for its end, stop it, or give --out in another folder"
        ) from error
    return handle


def running(folder: Path) -> bool:
    """Whether a process holds the race in a folder now."""
    if not (folder / LOCK).exists():
        return False
    try:
        os.close(_locked(folder / LOCK))
    except RaceError:
        return True
    return False


def _distributions(arm: Arm) -> dict[str, Any]:
    from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution

    made: dict[str, Any] = {}
    for name, searched in arm.searched.items():
        if not isinstance(searched, Range):
            made[name] = CategoricalDistribution(searched.values)
        elif searched.whole:
            made[name] = IntDistribution(int(searched.low), int(searched.high), log=searched.log)
        else:
            made[name] = FloatDistribution(searched.low, searched.high, log=searched.log)
    return made


def _packed(answers: Answers) -> dict[str, Any]:
    decided = isinstance(answers, Decided)
    predictions = np.asarray(answers.predictions if isinstance(answers, Decided) else answers, dtype="<f4")
    record: dict[str, Any] = {
        "shape": list(predictions.shape),
        "predictions": base64.b64encode(predictions.tobytes()).decode("ascii"),
    }
    if decided:
        record["decisions"] = np.asarray(answers.decisions).astype(int).tolist()  # type: ignore[union-attr]
    return record


def _unpacked(record: Mapping[str, Any]) -> Answers:
    flat = np.frombuffer(base64.b64decode(record["predictions"]), dtype="<f4")
    predictions = flat.reshape(record["shape"]).astype(np.float64)
    if "decisions" in record:
        return Decided(predictions, np.asarray(record["decisions"], dtype=np.int64))
    return predictions
