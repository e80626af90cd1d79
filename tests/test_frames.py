"""How deep the stack of the package is: from `headstart fit` to the fit of a probe's head, and to an update of weights.

A frame counts where its file is one of the package's, those of comprehensions and decorators too.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from small import RESNET
from torch.optim.optimizer import register_optimizer_step_pre_hook

import headstart
from headstart.adaptation import learn
from headstart.cli import fit as command
from headstart.methods import probe

PACKAGE = str(Path(headstart.__file__).parent)
START = command.fit.__code__
TO_A_HEAD, TO_AN_UPDATE = 8, 10


def frames() -> tuple[str, ...]:
    """The package's own frames that are open, from the command on; none where the command is not among them."""
    names, frame = [], sys._getframe(1)
    while frame is not None:
        if frame.f_code.co_filename.startswith(PACKAGE):
            names.append(f"{Path(frame.f_code.co_filename).stem}.{frame.f_code.co_qualname}")
        if frame.f_code is START:
            return tuple(reversed(names))
        frame = frame.f_back
    return ()


@pytest.fixture(scope="module")
def tasks(tmp_path_factory):
    """Two folders of pictures of three classes, each split once; those of the source are brighter."""
    folder = tmp_path_factory.mktemp("tasks")
    for name, light in (("target", 0), ("source", 20)):
        rng = np.random.default_rng(light)
        for row in range(36):
            pixels = rng.integers(light, 120 + light, (32, 32, 3)).astype(np.uint8)
            pixels[:, :, row % 3] += 80
            place = folder / name / ("test" if row % 4 == 3 else "train") / "abc"[row % 3]
            place.mkdir(parents=True, exist_ok=True)
            Image.fromarray(pixels).save(place / f"{row}.png")
    return folder


@pytest.fixture
def heads(monkeypatch):
    """The stacks in which the heads of the method that was asked for are fitted, the fitter's own frame the last; not
    those of its contenders, nor of what a guard compares."""
    stacks = set()
    for module in (probe, learn):
        fit_probe = module.fit_probe

        def recorded(*args, fit_probe=fit_probe, **options):
            if any("Candidate.fit" in name for name in frames()):
                stacks.add((*frames(), "select.fit_probe"))
            return fit_probe(*args, **options)

        monkeypatch.setattr(module, "fit_probe", recorded)
    return stacks


@pytest.fixture
def updates():
    """The stacks in which weights are updated."""
    stacks = set()
    hook = register_optimizer_step_pre_hook(lambda optimizer, args, options: stacks.add(frames()))
    yield stacks
    hook.remove()


def too_deep(stacks: set[tuple[str, ...]], limit: int) -> list[str]:
    return [" > ".join(stack) for stack in stacks if len(stack) > limit]


def fit(run, tasks, *words):
    output = run("fit", tasks / "target", "--out", tasks / "-".join(words), "--backbone", RESNET, "--json", *words)
    assert output.code == 0, output.err


@pytest.mark.parametrize("words", [["--method", "probe"], ["--method", "ridge"]], ids=" ".join)
def test_few_frames_lead_to_the_head_of_a_probe(run, tasks, heads, words):
    fit(run, tasks, *words)
    assert heads
    assert too_deep(heads, TO_A_HEAD) == []


@pytest.mark.parametrize("method", ["coral", "source-only"])
def test_few_frames_lead_to_the_head_of_a_method_that_draws_on_a_source(run, tasks, heads, method):
    fit(run, tasks, "--method", method, "--source", str(tasks / "source"))
    assert heads
    assert too_deep(heads, TO_A_HEAD) == []


@pytest.mark.parametrize("method", ["fine-tune", pytest.param("gradual", marks=pytest.mark.slow)])
def test_few_frames_lead_to_an_update_of_weights(run, tasks, updates, method):
    fit(run, tasks, "--method", method, "--option", "epochs=1")
    assert updates
    assert () not in updates
    assert too_deep(updates, TO_AN_UPDATE) == []


def test_few_frames_lead_to_an_update_of_weights_with_a_source(run, tasks, updates):
    fit(run, tasks, "--method", "dann", "--source", str(tasks / "source"), "--option", "epochs=1")
    assert updates
    assert () not in updates
    assert too_deep(updates, TO_AN_UPDATE) == []
