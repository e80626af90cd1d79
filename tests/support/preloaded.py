"""Child processes that begin at once: forks of a process that has imported what each would import for itself.

For code that needs a process of its own (it kills itself, forks, limits its files, begins without what a test made),
but no interpreter of its own. What is set before Python starts (the encoding of its streams, the number of threads),
which modules are imported, and threads before a fork need a real one.
"""

from __future__ import annotations

import atexit
import gc
import json
import os
import signal
import socket
import subprocess
import sys
import threading
import traceback
from collections.abc import Mapping
from tempfile import TemporaryFile
from typing import Any, BinaryIO, NamedTuple, NoReturn

__all__ = ["COMMAND_LINE", "Preloaded"]

COMMAND_LINE = "import runpy; runpy.run_module('headstart', run_name='__main__', alter_sys=True)"
"""The code of `python -m headstart`."""
LIMIT = 300
"""Seconds after which a child is ended, whatever it does."""


class Request(NamedTuple):
    """What a child is to be: sent as one line of JSON, with its standard output and error."""

    code: str
    words: list[str]
    environment: dict[str, str]
    folder: str
    to_the_end: bool


class Preloaded:
    """The process that forks: begun with the first child, and ended with the block."""

    def __init__(self) -> None:
        self.socket, theirs = socket.socketpair()
        with theirs:
            self.process = subprocess.Popen(
                [sys.executable, __file__, str(theirs.fileno())],
                pass_fds=[theirs.fileno()],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
            )
        self.socket.settimeout(2 * LIMIT)

    def __enter__(self) -> Preloaded:
        return self

    def __exit__(self, *error: object) -> None:
        self.socket.close()
        self.process.wait(2 * LIMIT)

    def run(
        self,
        code: str,
        *words: object,
        env: Mapping[str, str] | None = None,
        stdout: BinaryIO | int | None = None,
        stderr: BinaryIO | int | None = None,
        to_the_end: bool = False,
    ) -> subprocess.CompletedProcess[str]:
        """The code as `python -c` runs it, with `words` behind it, in the environment `env` or this process's own.

        A stream that is not given is caught. `to_the_end` takes Python's own way out, a second long, in place of a
        short one that removes no modules: for what a test says of the end of a process.

        Raises:
            TimeoutError: The process that forks does not answer.
            ConnectionError: It was lost.
        """
        environment = dict(os.environ if env is None else env)
        request = Request(code, list(map(str, words)), environment, os.getcwd(), to_the_end)
        with TemporaryFile() as out, TemporaryFile() as err:
            files = [out if stdout is None else stdout, err if stderr is None else stderr]
            numbers = [file if isinstance(file, int) else file.fileno() for file in files]
            socket.send_fds(self.socket, [json.dumps(request).encode() + b"\n"], numbers)
            returned = int(_line(self.socket))
            texts = []
            for file in (out, err):
                file.seek(0)
                texts.append(file.read().decode())
        return subprocess.CompletedProcess(code, returned, *texts)

    def checked(self, code: str, *words: object, env: Mapping[str, str] | None = None) -> str:
        """What the code printed; an AssertionError with its standard error where it failed."""
        done = self.run(code, *words, env=env)
        assert done.returncode == 0, done.stderr
        return done.stdout


def _line(connection: socket.socket, begun: bytes = b"") -> bytes:
    """Up to the end of a line, which is the end of a message."""
    while not begun.endswith(b"\n"):
        more = connection.recv(1 << 16)
        if not more:
            raise ConnectionError("the process that forks was lost")
        begun += more
    return begun


def _become(request: Request, streams: list[int]) -> None:
    """In the child: its streams, folder, environment and words, and an end."""
    for number, stream in enumerate(streams, 1):
        os.dup2(stream, number)
        os.close(stream)
    # What a stream was opened on decides whether it can be sought.
    sys.stdout = sys.__stdout__ = os.fdopen(1, "w", closefd=False)
    sys.stderr = sys.__stderr__ = os.fdopen(2, "w", buffering=1, errors="backslashreplace", closefd=False)
    os.chdir(request.folder)
    os.environ.clear()
    os.environ.update(request.environment)
    sys.argv = ["-c", *request.words]
    signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.alarm(LIMIT)


def _serve(connection: socket.socket) -> Request | None:
    """Forks for each request: in a child what it is to be, in this process None, when there are no more requests."""
    while True:
        begun, streams, *_ = socket.recv_fds(connection, 1 << 16, 2)
        if not begun:
            return None
        request = Request(*json.loads(_line(connection, begun)))
        child = os.fork()
        if not child:
            connection.close()
            _become(request, streams)
            return request
        for stream in streams:
            os.close(stream)
        code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
        connection.sendall(f"{code}\n".encode())


def _preload() -> None:
    """No test's module, nothing that starts threads (as OpenVINO), and nothing calculated."""
    import timm  # noqa: F401
    import transformers.models.bert.modeling_bert  # noqa: F401

    import headstart.cli.app
    import headstart.study.protocol
    import headstart.transfer  # noqa: F401


def _end(code: int) -> NoReturn:
    """The short way out, as multiprocessing has it: no modules are removed."""
    threading._shutdown()
    atexit._run_exitfuncs()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)


if __name__ == "__main__":
    sys.path[0] = ""
    _preload()
    gc.freeze()
    asked: Any = _serve(socket.socket(fileno=int(sys.argv[1])))
    if asked is None:
        _end(0)
    code = 0
    try:
        exec(compile(asked.code, "<string>", "exec", dont_inherit=True))  # noqa: S102 - the code of a test
    except SystemExit as ended:
        if asked.to_the_end or isinstance(ended.code, str):
            raise
        code = ended.code or 0
    except Exception:
        if asked.to_the_end:
            raise
        traceback.print_exc()
        code = 1
    if not asked.to_the_end:
        _end(code)
