"""Races in processes of their own: Ctrl-C returns the best so far, a kill loses one trial, and two do not mix."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time

import pytest
from PIL import Image
from small import bright

from headstart.automl.race.look import look_at
from headstart.errors import RaceError

BACKBONE = "timm:test_resnet?weights=random"
TRIED = 4
"""No-transfer, the probe, and two settings that move weights."""


@pytest.fixture(scope="module")
def photos(tmp_path_factory):
    folder = tmp_path_factory.mktemp("photos")
    for row in range(60):
        place = folder / "abc"[row % 3]
        place.mkdir(exist_ok=True)
        picture = bright(row)
        assert isinstance(picture, Image.Image)
        picture.save(place / f"{row}.png")
    return folder


def begun(photos, model, cache):
    words = ["fit", str(photos), "--out", str(model), "--budget", "2h", "--backbone", BACKBONE, "--json"]
    environment = os.environ | {"HEADSTART_CACHE": str(cache), "OMP_NUM_THREADS": "1"}
    command = [sys.executable, "-m", "headstart", *words]
    return subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def wait_for(child, model, tried):
    """Until so many settings were tried."""
    while True:
        if child.poll() is not None:
            pytest.fail(f"the race ended by itself: {child.stderr.read()}")
        try:
            if sum(row.state == "tried" for row in look_at(str(model)).rows) >= tried:
                return
        except RaceError:  # it has not begun
            pass
        time.sleep(0.2)


@pytest.mark.slow
def test_killed_then_resumed_then_interrupted(photos, tmp_path):
    model, cache = tmp_path / "model", tmp_path / "cache"
    with begun(photos, model, cache) as child:
        wait_for(child, model, TRIED)
        child.send_signal(signal.SIGKILL)
    assert not model.exists()
    before = {row.name: row for row in look_at(str(model)).rows if row.state == "tried"}

    with begun(photos, model, cache) as child:
        wait_for(child, model, len(before) + 1)
        child.send_signal(signal.SIGSTOP)  # it holds the race, however long the other takes to be refused
        with begun(photos, model, cache) as other:
            refused, why = other.communicate()
        child.send_signal(signal.SIGINT)  # reaches it once it goes on
        child.send_signal(signal.SIGCONT)
        out, errors = child.communicate()
    assert (other.returncode, refused) == (8, ""), why
    assert "another race runs on" in why
    assert child.returncode == 0, errors
    evidence = json.loads(out)
    race = evidence["about"]["race"]
    assert race["ended"] == "it was interrupted"
    tried = {trial["name"]: trial for trial in race["trials"]}
    assert before.keys() <= tried.keys()
    assert {name: tried[name]["options"] for name in before} == {name: row.options for name, row in before.items()}
    assert any("were tried by earlier runs" in note for note in evidence["notes"])

    from headstart import Transfer

    loaded = Transfer.load(model)
    assert loaded.evidence_.facts.race.winner == race["winner"]
    assert set(loaded.predict([str(path) for path in sorted(photos.rglob("*.png"))[:6]])) <= set("abc")
