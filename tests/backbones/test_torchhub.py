import subprocess
import sys

import pytest

from headstart.backbones.load import load
from headstart.errors import BackboneError

HUBCONF = """
import pathlib
import torch
pathlib.Path(__file__).with_name("ran").touch()
dependencies = ["torch"]

def small(pretrained=True):
    assert not pretrained
    return torch.nn.Sequential(torch.nn.Conv2d(3, 5, 3), torch.nn.AdaptiveAvgPool2d(1), torch.nn.Flatten())

def broken():
    raise OSError("no such luck")
"""


@pytest.fixture
def checkout(tmp_path):
    (tmp_path / "hubconf.py").write_text(HUBCONF)
    return tmp_path


def test_without_trust_nothing_is_run_and_the_message_says_what_would_be(checkout):
    with pytest.raises(BackboneError, match=r"is run with all your rights.*if you trust it say headstart --trust-code"):
        load(f"torchhub:{checkout}:small?preprocess=unit&size=32")
    assert not (checkout / "ran").exists()


@pytest.mark.parametrize(
    ("entry", "words"),
    [("none", r"has no such entry; expected small, broken"), ("", r"expected torchhub:CHECKOUT:ENTRY")],
)
def test_entries_are_read_without_running_them(checkout, entry, words):
    with pytest.raises(BackboneError, match=words):
        load(f"torchhub:{checkout}:{entry}?preprocess=unit")
    with pytest.raises(BackboneError, match=r"no hubconf.py in .*nothing is fetched"):
        load(f"torchhub:{checkout}-elsewhere:small?preprocess=unit")
    assert not (checkout / "ran").exists()


def headstart(*words):
    return subprocess.run([sys.executable, "-m", "headstart", *words], capture_output=True, text=True, check=False)


def test_with_trust_the_code_builds_the_network(checkout):
    name = f"torchhub:{checkout}:small?preprocess=unit&size=32"
    done = headstart("--trust-code", "backbones", name, "--json")
    assert '"features": 5' in done.stdout, done.stderr
    assert (checkout / "ran").exists()
    done = headstart("--trust-code", "backbones", f"torchhub:{checkout}:broken?preprocess=unit")
    assert (done.returncode, "its code does not build it: OSError: no such luck" in done.stderr) == (4, True)
