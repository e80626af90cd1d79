"""A saved model as a service over HTTP, in one worker process a core."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Callable, Sequence
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from headstart.checks import at_least
from headstart.deployment.monitoring.drift import FEWEST, WINDOW
from headstart.deployment.monitoring.drift_log import DriftLog
from headstart.deployment.service.limits import Limits
from headstart.deployment.service.listening import address_of, listening
from headstart.deployment.service.page import language_of, page
from headstart.deployment.service.token import token_for
from headstart.errors import ArtefactError
from headstart.features.engines.processor import cores

__all__ = ["serve"]

_NO_LIMITS = Limits()
_LONGEST_PATH = 100
"""Bytes that the path of a socket may have; systems take 103 or 107."""


def serve(
    model: str | os.PathLike[str],
    *,
    host: str = "127.0.0.1",
    port: int = 8080,
    token_file: str | os.PathLike[str] | None = None,
    workers: int | None = None,
    limits: Limits = _NO_LIMITS,
    cors: Sequence[str] = (),
    lang: str | None = None,
    drift_log: str | os.PathLike[str] | None = None,
    drift_window: int = WINDOW,
    nearest: bool = False,
    data: str | os.PathLike[str] | None = None,
    device: Any = "cpu",
    poll: float = 1.0,
) -> None:
    """Answer requests until SIGTERM or Ctrl-C. To be called in the main thread.

    model        a folder that `save` wrote; where it is replaced, or on SIGHUP, the new one is served
    host         an address of this machine; other than loopback a token is needed
    port         0: a free one, which is said on standard error
    token_file   holds the token; None: HEADSTART_TOKEN does
    workers      processes; None: one a core, on a GPU one in all
    cors         origins whose pages may ask; none unless given
    lang         of the page at /, "en" or "zh"; None: as the browser prefers
    drift_log    a file that windows of what was served are written to, see `drift_log`; None: none
    drift_window   rows of a window that is compared with the training rows
    nearest      show the training rows that are most like an input: whoever may ask sees parts of the training data
    data         where the training data are; None: where they were when the model was fitted
    device       as of `Transfer`
    poll         seconds between two looks whether the folder was replaced; 0: only on SIGHUP

    Raises ArtefactError where the model cannot be used, HeadstartError where the port is taken, ValueError where a
    token is missing, ImportError without the extra.
    """
    _require_extra()
    _require_fork()
    token = token_for(host, token_file)
    on_gpu = str(device) not in ("cpu",)
    count = (1 if on_gpu else cores()) if workers is None else workers
    at_least("workers", count, 1)
    at_least("drift_window", drift_window, FEWEST)
    language_of(lang)
    if data is not None and not nearest:
        raise ValueError("--data is where --nearest finds the training data: give both, or neither")
    if drift_log is not None:
        DriftLog(drift_log)
    folder = Path(model)
    listeners = listening(host, port, count)
    numbers = tempfile.mkdtemp(prefix="headstart-serve-")
    os.environ["PROMETHEUS_MULTIPROC_DIR"] = numbers
    try:
        from prometheus_client.multiprocess import mark_process_dead

        from headstart.deployment.service.drift_gauges import watching
        from headstart.deployment.service.served import load_served
        from headstart.deployment.service.supervisor import Supervisor, say
        from headstart.deployment.service.worker import WorkerOptions, work
        from headstart.features.cache.cache import Cache
        from headstart.features.cache.session import measured_in
        from headstart.linalg.torch_threads import one_torch_thread

        options = WorkerOptions(
            limits=limits,
            token=token,
            cors=tuple(cors),
            page=partial(page, lang=lang),
            observer=partial(watching, log=drift_log, window=drift_window),
        )
        sharing = partial(_sharing, Path(numbers) / "workers", count)
        supervisor = Supervisor(
            partial(load_served, folder, device=device, nearest=nearest, data=None if data is None else str(data)),
            partial(_stamp, folder),
            lambda load, listener, says, life, place: work(load, listener, options, says, life, sharing(*place)),
            listeners,
            shared=not on_gpu,
            lost=mark_process_dead,
            poll=poll,
            grace=options.grace,
        )
        measured_in(Cache())
        with one_torch_thread():
            supervisor.run(lambda: say(f"{folder} at {address_of(listeners[0])}, {count} workers"))
    finally:
        os.environ.pop("PROMETHEUS_MULTIPROC_DIR", None)
        shutil.rmtree(numbers, ignore_errors=True)
        for listener in set(listeners):
            listener.close()


def _sharing(folder: Path, workers: int, model: int, slot: int) -> Callable[[], Any]:
    """What makes the `WorkSharing` of a worker; of None where it is the only one, or the path of a socket in the folder
    is longer than the system takes."""
    from headstart.deployment.service.work_sharing import WorkSharing

    own = folder / str(model)
    if workers < 2 or len(os.fsencode(own / str(workers))) > _LONGEST_PATH:
        return lambda: None
    return partial(WorkSharing, own, slot, workers)


def _stamp(folder: Path) -> object:
    """Other than before where a file of the folder was written, replaced, or is gone."""
    try:
        with os.scandir(folder) as entries:
            return sorted((entry.name, *_marks(entry)) for entry in entries if entry.is_file())
    except OSError as error:
        return error.errno


def _marks(entry: os.DirEntry[str]) -> tuple[int, int, int]:
    about = entry.stat()
    return about.st_ino, about.st_size, about.st_mtime_ns


def _require_extra() -> None:
    """Nothing is imported yet: where the numbers of metrics are kept is read when that library is."""
    for name in ("fastapi", "uvicorn", "python_multipart", "prometheus_client"):
        if find_spec(name) is None:
            raise ImportError(f"the service needs {name}, which is not installed: pip install 'headstart[serve]'")


def _require_fork() -> None:
    if not hasattr(os, "fork"):
        raise ArtefactError("the service forks its workers, which this system cannot: use WSL, or a container")
