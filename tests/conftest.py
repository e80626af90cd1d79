"""Every test keeps its features in a folder of its own run, never in the user's cache; and torch calculates on one
thread, here and in child processes, since two that spin for each other are slow where anything else runs.

Tests run on the CPU, also where there is a GPU, so that they show the same on every machine. With `--device cuda` those
marked `device` run on the GPU, and no others; what needs a pretended one (support/elsewhere.py) then has the real one.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import zlib
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import pytest
from hypothesis import HealthCheck, settings

pytest_plugins = ["tiny_backbones"]

# How long an example takes is the machine's affair. The same examples in every run, or new ones: see machines.py.
settings.register_profile("same", deadline=None, suppress_health_check=[HealthCheck.too_slow], derandomize=True)
settings.register_profile("drawn", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("same")
os.environ.setdefault("OMP_NUM_THREADS", "1")
signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell's background job ignores it, and so do its children


LONGEST = (
    "test_every_method.py",
    "test_source_comparison.py",
    "test_resume.py",
    "test_streams.py",
    "test_saved_heads.py",
    "test_app.py",
    "test_verdicts.py",
    "test_processes.py",
    "test_defaults.py",
    "test_cut.py",
    "test_loop.py",
    "test_transfer.py",
    "test_finetune.py",
    "test_activations.py",
    "test_protocol.py",
)
"""The files whose tests take longest."""


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--device",
        choices=("cpu", "cuda", "pretended"),
        default="cpu",
        help="cuda: the tests marked `device` on the GPU; pretended: those of them that need no real one as if on one",
    )


def pytest_configure(config: pytest.Config) -> None:
    """Where no GPU is asked for there is none, here and in child processes: torch has not looked for one yet."""
    if config.getoption("--device") != "cuda":
        os.environ["CUDA_VISIBLE_DEVICES"] = ""


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """The longest files first, so that no worker is left with one of them when the others are done."""
    items.sort(key=lambda item: item.path.name not in LONGEST)
    if config.getoption("--device") == "cpu":
        return
    marked = [item for item in items if item.get_closest_marker("device") is not None]
    config.hook.pytest_deselected(items=[item for item in items if item not in marked])
    items[:] = marked
    import torch

    if config.getoption("--device") == "cuda" and not torch.cuda.is_available():
        for item in items:
            item.add_marker(pytest.mark.skip(reason="--device cuda: torch finds no CUDA device here"))


@pytest.fixture(autouse=True)
def _on_a_pretended_device(request: pytest.FixtureRequest) -> Iterator[None]:
    """With `--device pretended`: the common tests of methods where device="auto" takes a GPU."""
    if request.config.getoption("--device") != "pretended" or request.path.parent.name != "tests":
        yield
        return
    from elsewhere import pretended

    with pretended():
        yield


@pytest.fixture(scope="session", autouse=True)
def private_cache(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(os.environ, "HEADSTART_CACHE", str(tmp_path_factory.mktemp("cache")))
        yield


@pytest.fixture(scope="session")
def preloaded(private_cache: None) -> Iterator[Any]:
    """Child processes that need no interpreter of their own: see support/preloaded.py."""
    from preloaded import Preloaded

    with Preloaded() as parent:
        yield parent


@pytest.fixture(autouse=True)
def own_draws(request: pytest.FixtureRequest) -> None:
    """What a test draws from torch's generator depends on its name, not on the tests before it."""
    import torch

    torch.default_generator.manual_seed(zlib.crc32(request.node.nodeid.encode()))


class Output(NamedTuple):
    """What a command left: its exit code, standard output and standard error."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


@pytest.fixture(autouse=True)
def _measured_for_one_test_only() -> Iterator[None]:
    """Where no cache is used a process remembers which engine or precision was faster: on a processor that has
    several, the next test would calculate as the last one happened to be timed."""
    yield
    session = sys.modules.get("headstart.features.cache.session")
    if session is not None:
        here = session._unsaved._here
        for name in [name for name, value in here.items() if {"precision", "why"} <= value.keys()]:
            del here[name]


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Callable[..., Output]:
    """The command line in this process, by its words; never a traceback."""
    from headstart.cli import main

    def run_words(*words: object) -> Output:
        monkeypatch.setattr(sys, "argv", ["headstart", *map(str, words)])
        capsys.readouterr()
        code = 0
        try:
            main()
        except SystemExit as stop:
            code = int(stop.code or 0)
        output = Output(code, *capsys.readouterr())
        assert "Traceback" not in output.err + output.out
        return output

    return run_words


@pytest.fixture(scope="session")
def backbone():
    """timm's smallest ResNet, of random weights."""
    from small import RESNET

    from headstart.backbones.load import load

    return load(RESNET)


@pytest.fixture
def network(backbone):
    """It with a head of three classes and random weights."""
    from small import network_of

    return network_of(backbone, spread=0.1)
