"""A run in MLflow: in a folder, a SQLite file or a server, under the experiment `headstart`.

MLflow by itself tells its makers of its use, repeats a request to a server that does not answer for minutes, and
refuses plain folders. Unless the environment says otherwise, none of that is so here.
"""

from __future__ import annotations

import os
import re
import time
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from headstart.tracking.run import Outcome

if TYPE_CHECKING:
    from mlflow import MlflowClient

__all__ = ["MlflowRun"]

T = TypeVar("T")

EXPERIMENT = "headstart"
DEFAULTS = {
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "MLFLOW_ALLOW_FILE_STORE": "true",
    "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "2",
    "MLFLOW_HTTP_REQUEST_TIMEOUT": "10",
}
LONGEST = 500
"""Characters of a parameter that every store takes."""
AT_ONCE = 100
"""Parameters that a request may hold; of figures ten times as many."""


class MlflowRun:
    """Figures are metrics; pages and files are artefacts of the run."""

    def __init__(self, client: MlflowClient, number: str) -> None:
        self.client, self.number = client, number

    @classmethod
    def begin(cls, where: str) -> MlflowRun:
        """A run of the experiment, which is made where it is not there. Raises what MLflow raises."""
        for name, value in DEFAULTS.items():
            os.environ.setdefault(name, value)
        try:
            from mlflow import MlflowClient
        except ImportError as error:
            raise ImportError("mlflow is missing: pip install 'headstart[track]'") from error
        uri = where if "://" in where or where.startswith("file:") else Path(where).absolute().as_uri()
        require_writable(uri)
        client = MlflowClient(tracking_uri=uri)
        known = client.get_experiment_by_name(EXPERIMENT)
        experiment = known.experiment_id if known is not None else client.create_experiment(EXPERIMENT, beside(uri))
        return cls(client, client.create_run(experiment).info.run_id)

    def parameters(self, words: Mapping[str, str]) -> None:
        """Cut to 500 characters, and said so."""
        from mlflow.entities import Param

        params = [Param(name, shortened(word)) for name, word in named(words).items()]
        for start in range(0, len(params), AT_ONCE):
            self.client.log_batch(self.number, params=params[start : start + AT_ONCE])

    def figures(self, values: Mapping[str, float], step: int) -> None:
        """Metrics at one moment."""
        from mlflow.entities import Metric

        now = int(time.time() * 1000)
        metrics = [Metric(name, value, now, step) for name, value in named(values).items()]
        for start in range(0, len(metrics), 10 * AT_ONCE):
            self.client.log_batch(self.number, metrics=metrics[start : start + 10 * AT_ONCE])

    def text(self, name: str, words: str) -> None:
        """An artefact."""
        self.client.log_text(self.number, words, name)

    def file(self, path: Path) -> None:
        """An artefact of the same name."""
        self.client.log_artifact(self.number, str(path))

    def end(self, outcome: Outcome) -> None:
        """Sets the status of the run."""
        self.client.set_terminated(self.number, status=outcome)


def named(values: Mapping[str, T]) -> dict[str, T]:
    """By names that MLflow takes: other signs become `_`, and a name that is then there already gets a number."""
    taken: dict[str, T] = {}
    for name, value in values.items():
        plain = re.sub(r"[^\w.\- :/]", "_", name).strip("/") or "_"
        number, free = 2, plain
        while free in taken:
            free, number = f"{plain} {number}", number + 1
        taken[free] = value
    return taken


def shortened(word: str) -> str:
    """At most as long as every store takes."""
    return word if len(word) <= LONGEST else f"{word[: LONGEST - 3]}..."


def local_path(uri: str) -> Path | None:
    """The folder or SQLite file that a URI names; None of a server."""
    from urllib.parse import unquote, urlsplit

    if uri.startswith("sqlite:///"):
        return Path(uri.removeprefix("sqlite:///").partition("?")[0])
    return Path(unquote(urlsplit(uri).path)) if uri.startswith("file:") else None


def beside(uri: str) -> str | None:
    """Where files of runs go: a folder beside a SQLite file, not one in the folder in which a fit happens to run."""
    if not uri.startswith("sqlite:"):
        return None
    path = local_path(uri)
    return None if path is None else path.absolute().with_name(f"{path.stem}-artefacts").as_uri()


def require_writable(uri: str) -> None:
    """OSError for a folder or file of this machine that cannot be written, before MLflow retries for it."""
    path = local_path(uri)
    if path is None:
        return
    folder = path.absolute().parent if uri.startswith("sqlite:") else path
    folder.mkdir(parents=True, exist_ok=True)
    for place in (folder, path):
        if place.exists() and not os.access(place, os.W_OK):
            raise PermissionError(f"{place} may not be written to")
