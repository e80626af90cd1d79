"""`--cluster local`: processes of this machine by Ray; `--cluster HOST:PORT`: those of a cluster that runs already.

Ray (Moritz et al., 2018) places processes, restarts those that die, and carries objects between them. Its own protocol
is pickle, behind a token that each cluster draws: whoever has it may run code there, as with any shell.
"""

from __future__ import annotations

import os
import re
import socket
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from typing import Any, TypeVar

from headstart.backbones.backbone import Backbone
from headstart.checks import at_least
from headstart.distributed.crew import Crew
from headstart.distributed.filling import filled
from headstart.distributed.tasks import in_tasks, register_stays
from headstart.distributed.versions import check_versions
from headstart.errors import ClusterError
from headstart.features.engines import processor
from headstart.features.extraction import Extraction
from headstart.features.workers import using
from headstart.listener import LOGGED, Listener

__all__ = ["LOCAL", "Cluster", "cluster"]

A = TypeVar("A")
B = TypeVar("B")

LOCAL = "local"
_STORE = 512 << 20
"""Bytes of shared memory for what travels between the processes of one machine; beyond, Ray writes to the disk."""
_ADDRESS = re.compile(r"(?P<client>ray://)?(?P<host>[^/:\s]+|\[[0-9a-fA-F:]+\]):(?P<port>\d{1,5})")
_HTTP2 = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + b"\x00\x00\x00\x04\x00\x00\x00\x00\x00"
_QUIET = {"RAY_USAGE_STATS_ENABLED": "0", "RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO": "0"}
_AUTHENTICATION = (
    "; a cluster of a machine that has a token wants it: copy its ~/.ray/auth_token to here, and set "
    "RAY_AUTH_MODE=token"
)


class Cluster:
    """Processes that do parts of a run, see `features.workers`.

    cores, gpus   of all machines
    """

    def __init__(self, ray: Any, listener: Listener) -> None:
        resources = ray.cluster_resources()
        self.ray, self.listener = ray, listener
        self._crew: Crew | None = None
        self.cores, self.gpus = int(resources.get("CPU", 0)), int(resources.get("GPU", 0))
        self.machines = sum(node["Alive"] for node in ray.nodes())
        if self.cores < 1:
            raise ClusterError("the cluster has no processor core to give: see `ray status`")

    def __str__(self) -> str:
        machines = f"{self.machines} machine{'s' * (self.machines > 1)}"
        gpus = f", {self.gpus} GPU{'s' * (self.gpus > 1)}" if self.gpus else ""
        return f"{machines}, {self.cores} core{'s' * (self.cores > 1)}{gpus}"

    def crew(self, *, on_gpu: bool) -> Crew:
        """The processes that compute features; ClusterError where there is no GPU, and one is wanted."""
        if on_gpu and not self.gpus:
            raise ClusterError("a CUDA device was asked for, and the cluster has no GPU: leave --device out")
        if self._crew is not None and self._crew.on_gpu != on_gpu:
            self.end_crew()
        self._crew = self._crew or Crew(self, on_gpu=on_gpu)
        return self._crew

    def end_crew(self) -> None:
        """End the processes that compute features: each has a core, or a GPU."""
        if self._crew is not None:
            self._crew.end()
        self._crew = None

    def filled(
        self,
        inputs: Sequence[Any],
        backbone: Backbone,
        extraction: Extraction,
        progress: Callable[[int, int], None] | None,
    ) -> AbstractContextManager[Extraction]:
        """See `Workers`."""
        return filled(self, inputs, backbone, extraction, progress)

    def each(
        self, function: Callable[[A], B], arguments: Sequence[A], stage: str, listener: Listener | None = None
    ) -> list[B]:
        """See `Workers`."""
        self.end_crew()
        register_stays(self.ray, self.listener, *([] if listener is None else [listener]))
        return in_tasks(self.ray, function, arguments, listener or self.listener, stage)


@contextmanager
def cluster(
    address: str = LOCAL, *, cores: int | None = None, timeout: float = 30.0, listener: Listener = LOGGED
) -> Iterator[Cluster]:
    """A context in which `fit`, `compare` and what else extracts features or repeats fits does so in many processes.

    address   "local": one process a core of this machine, ended with the context. Else "HOST:PORT" of a cluster to
              which this machine belongs, or "ray://HOST:PORT" from any other
    cores     of "local"; None: all
    timeout   seconds within which an address must answer

    Raises ValueError for what is no address; ImportError where Ray is not installed; ClusterError where the cluster
    does not answer, or has other versions.
    """
    if cores is not None:
        at_least("cores", cores, 1, ", or None for all")
    where = _checked(address)
    ray = _ray()
    own = not ray.is_initialized()
    if own:
        with _environment():
            _start(ray, cores) if where is None else _join(ray, where, timeout)
    try:
        if where is not None:
            check_versions(ray, timeout)
        working = Cluster(ray, listener)
        listener.say(f"cluster: {working}")
        with using(working):
            yield working
        working.end_crew()
    finally:
        if own:
            ray.shutdown()


def _checked(address: str) -> re.Match[str] | None:
    """The parts of an address; None for "local"."""
    parts = _ADDRESS.fullmatch(address)
    if address != LOCAL and (parts is None or not 0 < int(parts["port"]) < 65536):
        raise ValueError(f"--cluster {address}: expected local, HOST:PORT, such as 10.0.0.1:6379, or ray://HOST:PORT")
    return parts


def _ray() -> Any:
    with _environment():
        try:
            import ray
        except ImportError as error:
            raise ImportError("--cluster needs Ray: pip install 'headstart[ray]'") from error
    return ray


@contextmanager
def _environment() -> Iterator[None]:
    """No statistics are sent, and no hints are given, by what Ray starts meanwhile."""
    before = {name: os.environ.get(name) for name in _QUIET}
    os.environ.update(_QUIET)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value


def _start(ray: Any, cores: int | None) -> None:
    """On this machine. Ray 2.60 listens on all its addresses, behind a token, whatever address it is given."""
    try:
        ray.init(
            address=LOCAL,
            num_cpus=cores or processor.cores(),
            include_dashboard=False,
            log_to_driver=False,
            logging_level="ERROR",
            object_store_memory=_STORE,
            _node_ip_address="127.0.0.1",
        )
    except Exception as error:  # whatever a part of Ray fails at when it starts
        raise ClusterError(f"Ray cannot start on this machine: {error}") from error


def _join(ray: Any, where: re.Match[str], timeout: float) -> None:
    """A cluster that runs. Ray itself waits for minutes where nobody answers, and then ends the process; and it sends a
    token to an address that is given only where RAY_AUTH_MODE says so."""
    address, host, port = where.group(), where["host"].strip("[]"), int(where["port"])
    try:
        answers = _speaks_http2(host, port, timeout)
    except OSError as error:
        why = f"within {timeout:g} s" if isinstance(error, TimeoutError) else f"({error.strerror or error})"
        raise ClusterError(
            f"--cluster {address}: nobody answers there {why}; start a cluster there (ray start --head), or give the "
            "address that `ray status` shows"
        ) from error
    if not answers:
        raise ClusterError(f"--cluster {address}: what answers there is no Ray: give the address of `ray status`")
    try:
        ray.init(address=address, log_to_driver=False, logging_level="ERROR")
    except Exception as error:  # Ray raises RuntimeError, ConnectionError, ValueError and errors of gRPC
        without = os.environ.get("RAY_AUTH_MODE", "").lower() != "token"
        raise ClusterError(f"--cluster {address}: {_said(error)}{_AUTHENTICATION * without}") from error


def _speaks_http2(host: str, port: int, timeout: float) -> bool:
    """Whether a server there begins as gRPC does, which Ray speaks: with a frame of settings (RFC 9113)."""
    with socket.create_connection((host, port), timeout=timeout) as line:
        line.sendall(_HTTP2)
        answer = line.recv(9)
    return len(answer) >= 4 and answer[3] == 4


def _said(error: Exception) -> str:
    """What Ray says, on one line."""
    return " ".join(str(error).split()) or type(error).__name__
