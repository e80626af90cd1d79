"""A federation of real processes: Flower's SuperLink at the server, a SuperNode at each client, TLS between them.

    server   headstart federate clients.toml --out m --serve HOST:PORT --certificate C --key K --ca CA
    client   headstart federate clients.toml --join HOST:PORT --as NAME --ca CA

These start `flower-superlink`, `flower-supernode` and `flwr run` with the app of `flower_app.py`; whoever runs a
SuperLink already may do that by hand. What each process keeps is in a folder of its own, which is removed at the end.
"""

from __future__ import annotations

import json
import os
import shutil
import socket
import ssl
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

from headstart.distributed.app_folder import written_app
from headstart.distributed.clients import read_federation
from headstart.distributed.federate import need_flower, refuse_existing
from headstart.errors import DataError, HeadstartError
from headstart.listener import LOGGED, Listener

__all__ = ["Address", "Certificates", "Joined", "end", "join", "serve"]

_START = 60.0
_LOOK = 0.2


class Address(NamedTuple):
    """host and port."""

    host: str
    port: int

    @classmethod
    def of(cls, text: str) -> Address:
        """HOST:PORT, or PORT of this machine alone. ValueError for anything else."""
        host, _, port = text.rpartition(":")
        if not port.isdigit() or not 0 < int(port) < 65536:
            raise ValueError(f"{text!r} is no address: write HOST:PORT, such as localhost:9092")
        return cls(host or "localhost", int(port))

    def __str__(self) -> str:
        return f"{self.host}:{self.port}"


class Certificates(NamedTuple):
    """PEM files: those of the server, and of the authority that signed it."""

    certificate: Path
    key: Path
    authority: Path

    def check(self) -> None:
        """DataError where one is missing, or the key is not that of the certificate."""
        for path in self:
            _there(path)
        try:
            ssl.create_default_context(ssl.Purpose.CLIENT_AUTH).load_cert_chain(self.certificate, self.key)
        except ssl.SSLError as error:
            raise DataError(f"{self.key} is not the key of {self.certificate}: {error}") from error


class Joined(NamedTuple):
    """A client's SuperNode that runs, and the folder of what it keeps."""

    process: subprocess.Popen[bytes]
    folder: Path

    def close(self) -> None:
        """End it and remove its folder."""
        end(self.process)
        shutil.rmtree(self.folder, ignore_errors=True)


def serve(
    clients: str | Path,
    out: str | Path,
    address: Address,
    certificates: Certificates,
    *,
    overwrite: bool = False,
    listener: Listener = LOGGED,
) -> dict[str, Any]:
    """Run the server until the model is saved. Returns {"words": ..., "json": ...}, see `Federated`.

    Raises DataError where fewer than two clients can learn together, where the port is taken, and where the SuperLink
    ends before its time. What was learnt so far is remembered beside `out`.
    """
    need_flower()
    read_federation(clients)
    certificates.check()
    refuse_existing([out], overwrite)
    _need_free(address)
    with _workplace() as (folder, environment):
        result = folder / "result.json"
        link = ["--host", address.host, "--port", str(address.port), "--ssl-certfile", str(certificates.certificate)]
        link += ["--ssl-keyfile", str(certificates.key), "--ssl-ca-certfile", str(certificates.authority)]
        link += ["--disable-runtime-dependency-installation"]
        with _started("flower-superlink", link, environment, folder / "superlink.log") as superlink:
            _wait_for(address, superlink, certificates.authority, folder / "superlink.log")
            listener.say(f"serving at {address}; clients join by: headstart federate CLIENTS.TOML --join {address}")
            _submit(folder, environment, address, certificates.authority, Path(clients), Path(out), overwrite, result)
            while not result.is_file():
                _need_alive(superlink, folder / "superlink.log")
                time.sleep(_LOOK)
        answer: dict[str, Any] = json.loads(result.read_text("utf-8"))
    if "error" in answer:
        failure = DataError(answer["error"]) if answer["code"] != 1 else HeadstartError(answer["error"])
        raise failure
    return answer


def join(
    clients: str | Path,
    name: str,
    address: Address,
    authority: Path,
    *,
    overwrite: bool = False,
    listener: Listener = LOGGED,
) -> Joined:
    """Start a client's SuperNode and give it back, running; it asks the server for work until it is closed.

    DataError where the file has no client of that name, or where the certificate is missing; FileExistsError where the
    client's own model would replace another.
    """
    need_flower()
    federation = read_federation(clients)
    if name not in {client.name for client in federation.clients}:
        raise DataError(f"{clients} has no client {name!r}: it has {', '.join(c.name for c in federation.clients)}")
    _there(authority)
    refuse_existing([federation.personal(client) for client in federation.clients if client.name == name], overwrite)
    folder = Path(tempfile.mkdtemp(prefix="headstart-client-"))
    config = f"client={json.dumps(name)} clients={json.dumps(str(Path(clients).resolve()))}"
    command = ["--superlink", str(address), "--root-certificates", str(authority), "--node-config", config]
    command += ["--port", str(_free_port())]
    listener.say(f"{name} joins {address}")
    return Joined(_popen("flower-supernode", command, _environment(folder), folder / "supernode.log"), folder)


def _submit(
    folder: Path,
    environment: dict[str, str],
    address: Address,
    authority: Path,
    clients: Path,
    out: Path,
    overwrite: bool,
    result: Path,
) -> None:
    """`flwr run` of the app."""
    app = written_app(folder / "app")
    connection = f'[superlink]\ndefault = "here"\n\n[superlink.here]\naddress = "{address}"\n'
    (Path(environment["FLWR_HOME"]) / "config.toml").write_text(
        f"{connection}root-certificates = {json.dumps(str(authority.resolve()))}\n", "utf-8"
    )
    values = {"clients": str(clients.resolve()), "out": str(out.resolve()), "result": str(result)}
    config = " ".join(f"{key}={json.dumps(value)}" for key, value in values.items())
    config += f" overwrite={'true' if overwrite else 'false'}"
    command = [_program("flwr"), "run", str(app), "here", "--run-config", config]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=_START, check=False)
    if done.returncode:
        raise DataError(f"Flower does not take the run: {(done.stdout + done.stderr).strip()}")


@contextmanager
def _workplace() -> Iterator[tuple[Path, dict[str, str]]]:
    folder = Path(tempfile.mkdtemp(prefix="headstart-server-"))
    try:
        yield folder, _environment(folder)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _environment(folder: Path) -> dict[str, str]:
    """Flower's own files in a folder of this run; its programs are those beside this Python; no telemetry."""
    home = folder / "flower"
    home.mkdir()
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", "")])
    return {**os.environ, "FLWR_HOME": str(home), "FLWR_TELEMETRY_ENABLED": "0", "PATH": path}


@contextmanager
def _started(
    program: str, arguments: Sequence[str], environment: dict[str, str], log: Path
) -> Iterator[subprocess.Popen[bytes]]:
    process = _popen(program, arguments, environment, log)
    try:
        yield process
    finally:
        end(process)


def _popen(program: str, arguments: Sequence[str], environment: dict[str, str], log: Path) -> subprocess.Popen[bytes]:
    with log.open("wb") as file:
        return subprocess.Popen(
            [_program(program), *arguments], env=environment, stdout=file, stderr=subprocess.STDOUT,
            stdin=subprocess.DEVNULL, start_new_session=True,
        )  # fmt: skip


def end(process: subprocess.Popen[bytes]) -> None:
    """End a process of Flower and those that it started."""
    import signal

    for number in (signal.SIGTERM, signal.SIGKILL):
        try:
            os.killpg(process.pid, number)
            process.wait(10)
        except ProcessLookupError:
            return
        except subprocess.TimeoutExpired:
            continue


def _program(name: str) -> str:
    path = Path(sys.executable).parent / name
    if not path.is_file():
        raise DataError(f"{name} is not installed beside this Python: pip install 'headstart[federated]'")
    return str(path)


def _wait_for(address: Address, process: subprocess.Popen[bytes], authority: Path, log: Path) -> None:
    """Until the server answers by TLS. DataError where it ends, or its certificate is not for this host."""
    context = ssl.create_default_context(cafile=str(authority))
    until = time.monotonic() + _START
    while time.monotonic() < until:
        _need_alive(process, log)
        try:
            with (
                socket.create_connection(address, 2) as plain,
                context.wrap_socket(plain, server_hostname=address.host),
            ):
                return
        except ssl.SSLCertVerificationError as error:
            raise DataError(f"the certificate does not hold for {address.host}: {error.verify_message}") from error
        except OSError:
            time.sleep(_LOOK)
    raise DataError(f"Flower's SuperLink does not answer at {address} within {_START:.0f} seconds")


def _need_alive(process: subprocess.Popen[bytes], log: Path) -> None:
    if process.poll() is not None:
        tail = "\n".join(log.read_text("utf-8", errors="replace").splitlines()[-10:])
        raise DataError(f"Flower's SuperLink ended with code {process.returncode}:\n{tail}")


def _need_free(address: Address) -> None:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(address)
        except OSError as error:
            raise DataError(f"{address} cannot be listened on: {error.strerror}; name another port") from error


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("localhost", 0))
        return int(probe.getsockname()[1])


def _there(path: Path) -> None:
    if not path.is_file():
        raise DataError(
            f"{path}: there is no such file; TLS needs PEM files of a certificate, its key and its authority"
        )
