"""A fit that is written down as it goes. What the service cannot take ends the tracking, never the fit, and is told."""

from __future__ import annotations

import os
import warnings
from collections.abc import Callable, Mapping
from functools import wraps
from pathlib import Path
from types import TracebackType
from typing import Any, ParamSpec, Protocol, TypeVar

from headstart.evidence.evidence import Evidence
from headstart.evidence.multi_task import MultiTaskEvidence
from headstart.listener import LOGGED, Listener
from headstart.tracking.destination import Destination, destination_of
from headstart.tracking.figures import figures_of, finite, words_of
from headstart.tracking.run import Outcome, Run

__all__ = ["Tracked", "WithEvidence", "trackable", "tracked"]

FILES = ("README.md", "evidence.json")
"""Of a saved model: its card and its evidence."""


class WithEvidence(Protocol):
    """What a fit returns."""

    @property
    def evidence_(self) -> Evidence | MultiTaskEvidence: ...


P = ParamSpec("P")
F = TypeVar("F", bound=WithEvidence)


class Tracked:
    """Use as a context. `listener` goes to the fit: it passes on what it hears, and writes down the losses of epochs.

    run    None: nothing is written down, as none was asked for or the service failed
    warn   told once, in words, where the service fails
    """

    def __init__(
        self, destination: Destination | None, run: Run | None, listener: Listener, warn: Callable[[str], None]
    ) -> None:
        self.destination, self.run, self.warn = destination, run, warn
        self.listener: Listener = listener if run is None else _Curves(self, listener)

    def __enter__(self) -> Tracked:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        outcome: Outcome = "FINISHED" if kind is None else "FAILED" if issubclass(kind, Exception) else "KILLED"
        self._ask(lambda run: run.end(outcome))
        self.run = None

    def asked(self, options: Mapping[str, Any]) -> None:
        """Write down what the fit is to do."""
        self._ask(lambda run: run.parameters(words_of(options)))

    def losses(self, training: str, step: int, values: Mapping[str, float]) -> None:
        """Write down one epoch of a training."""
        self._ask(lambda run: run.figures(finite({f"{training}/{name}": v for name, v in values.items()}), step))

    def conclude(
        self, fitted: WithEvidence, folder: str | os.PathLike[str] | None = None, *, report: Path | None = None
    ) -> None:
        """Write down what came out: the evidence, where the model was saved its place and its card, and a report."""
        if self.run is None:
            return
        evidence = fitted.evidence_
        self._ask(lambda run: run.figures(figures_of(evidence), 0))
        self._ask(lambda run: run.text("evidence.txt", str(evidence)))
        self._ask(lambda run: run.parameters(_kept(evidence)))
        if folder is not None:
            self._saved(Path(folder), report)

    def _saved(self, folder: Path, report: Path | None) -> None:
        self._ask(lambda run: run.parameters({"model": str(folder.absolute())}))
        for path in (*(folder / name for name in FILES), report):
            if path is not None and path.exists():
                self._ask(lambda run, path=path: run.file(path))  # type: ignore[misc]

    def _ask(self, write: Callable[[Run], None]) -> None:
        """Write, unless that failed before. Whatever a service raises, in a fit that is no fault of the fit."""
        if self.run is None:
            return
        try:
            write(self.run)
        except Exception as error:
            self.run = None
            self.warn(_words(self.destination, error))


class _Curves:
    """Passes on what it hears; a training that begins again is another curve of the same method."""

    def __init__(self, tracked: Tracked, listener: Listener) -> None:
        self.tracked, self.listener = tracked, listener
        self.trainings: dict[str, tuple[int, int, int, int]] = {}

    def say(self, line: str) -> None:
        self.listener.say(line)

    def progress(self, stage: str, done: int, total: int) -> None:
        self.listener.progress(stage, done, total)

    def epoch(self, training: str, stage: int, epoch: int, losses: Mapping[str, float]) -> None:
        """See `headstart.listener.CurveListener`. Epochs of all stages are counted on."""
        number, last_stage, last_epoch, step = self.trainings.get(training, (1, -1, -1, -1))
        if (stage, epoch) <= (last_stage, last_epoch):
            number, step = number + 1, -1
        self.trainings[training] = number, stage, epoch, step + 1
        self.tracked.losses(training if number == 1 else f"{training} {number}", step + 1, losses)


def tracked(words: str | None, listener: Listener, warn: Callable[[str], None]) -> Tracked:
    """What `--track` asks for, its run begun. With None everything goes on as if there were no tracking.

    Raises ValueError for words that name no place and a folder or file that cannot be written, ImportError that names
    the extra. A server that does not answer is told of by `warn`, and the fit goes on without it.
    """
    if words is None:
        return Tracked(None, None, listener, warn)
    destination = destination_of(words)
    try:
        return Tracked(destination, destination.begin(), listener, warn)
    except ImportError:
        raise
    except Exception as error:
        if not destination.remote:
            raise ValueError(f"{destination} cannot be written to: {error}") from error
        warn(_words(destination, error))
        return Tracked(destination, None, listener, warn)


def trackable(function: Callable[P, F]) -> Callable[P, F]:
    """A fit whose option `track` says where it is written down: None, or as `--track`."""

    @wraps(function)
    def fit(*args: P.args, **options: P.kwargs) -> F:
        words = options.get("track")
        if words is None:
            return function(*args, **options)
        given: Any = options.get("listener", LOGGED)
        with tracked(str(words), given, _warn) as tracking:
            tracking.asked({"data": args[0] if args else options.get("data"), **options})
            options["listener"] = tracking.listener
            fitted = function(*args, **options)
            tracking.conclude(fitted)
        return fitted

    return fit


def _warn(words: str) -> None:
    warnings.warn(words, RuntimeWarning, stacklevel=4)


def _words(destination: Destination | None, error: Exception) -> str:
    first = (str(error) or type(error).__name__).strip().splitlines()[0]
    return f"tracking to {destination} ended: {first}. The fit goes on, and nothing more of it is written there."


def _kept(evidence: Evidence | MultiTaskEvidence) -> dict[str, str]:
    """Which backbone and method the model has that is kept, and the verdict."""
    if isinstance(evidence, MultiTaskEvidence):
        return words_of({"kept.method": evidence.method, "targets": tuple(evidence.tasks)})
    model = evidence.facts.model
    words: dict[str, str | None] = {"verdict": evidence.verdict}
    if model is not None:
        words |= {"kept.backbone": model.backbone, "kept.method": model.method}
    return words_of(words)
