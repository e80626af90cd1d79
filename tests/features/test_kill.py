"""A run killed with SIGKILL, wherever it is, goes on and ends with the same features."""

import json
import os

import pytest

SCRIPT = """
import glob, json, os, signal, sys, time, traceback
import numpy as np, torch
from torch import nn
from headstart.backbones.backbone import Backbone
from headstart.preprocessing.spec import PicturePreprocess
from headstart.features import pictures
from headstart.features.cache.cache import Cache
from headstart.features.extract import Extraction, extract

class Slow(nn.Module):
    # After so many batches each lane stops for ever: no run that is to be killed ends before, on any machine.
    def __init__(self, most):
        super().__init__()
        self.net, self.begun, self.most = nn.Conv2d(3, 4, 3), [], most

    def forward(self, pixels):
        self.begun.append(len(pixels))
        time.sleep(0.02 if len(self.begun) <= self.most else 1e6)
        return self.net(pixels).mean((2, 3))


def work(cache, out, most):
    torch.manual_seed(0)
    pictures._SHARD = 8
    preprocess = PicturePreprocess(size=(32, 32), resize=32, interpolation="bilinear", mean=(.5,) * 3, std=(.5,) * 3)
    backbone = Backbone(
        name="slow", modality="image", module=Slow(most), dim=4, preprocess=preprocess, fingerprint="f", spec={}
    )
    inputs = list(np.random.default_rng(0).integers(0, 256, (400, 40, 40, 3), dtype=np.uint8)) + [None]
    options = Extraction(engine="torch", precision="float32", cache=cache and Cache(cache), lanes=2)
    found = extract(inputs, backbone, options)
    np.savez(out, values=found.values, thumbs=found.thumbs, rows=found.rows, computed=found.computed)


def begin(cache, out, most=10**9):
    # Nothing was calculated before, so there are no threads yet that a fork would lose.
    pid = os.fork()
    if pid == 0:
        try:
            work(cache, out, most)
        except BaseException:
            traceback.print_exc()
            os._exit(1)
        os._exit(0)
    return pid


folder = sys.argv[1]
cache, names = folder + "/cache", [folder + "/" + name for name in ("one.npz", "two.npz", "alone.npz")]
draw = np.random.default_rng(int(sys.argv[2]))
statuses, killed_early = [], 0
for kill in range(4):
    # The first goes so far that some of it is kept for certain; all four together do not reach the end.
    pid = begin(cache, names[0], 14 if kill == 0 else int(draw.integers(4, 9)))
    limit = time.monotonic() + 300
    while kill == 0 and not glob.glob(cache + "/features/*/*.npy"):  # on a busy machine even the first takes its time
        assert time.monotonic() < limit, "nothing was kept in five minutes"
        time.sleep(0.005)
    time.sleep(draw.uniform(0.0, 0.2))
    os.kill(pid, signal.SIGKILL)
    statuses.append(os.waitpid(pid, 0)[1])
    killed_early += not os.path.exists(names[0])
pids = [begin(cache, names[0]), begin(cache, names[1]), begin(None, names[2])]
ends = [os.waitpid(pid, 0)[1] for pid in pids]
one, two, alone = [dict(np.load(name)) for name in names]
same = [np.array_equal(found[key], alone[key]) for found in (one, two) for key in ("values", "thumbs", "rows")]
computed = [int(found["computed"]) for found in (one, two, alone)]
print(json.dumps({"statuses": statuses, "early": killed_early, "ends": ends, "same": same, "computed": computed}))
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork and SIGKILL")
@pytest.mark.parametrize("seed", [0, 1])
def test_killed_at_random_moments(preloaded, tmp_path, seed):
    """Four kills; then two processes at once on what was left behind, and one without any cache."""
    found = json.loads(preloaded.checked(SCRIPT, tmp_path, seed))
    assert found["statuses"] == [9] * 4
    assert found["early"] == 4
    assert found["ends"] == [0, 0, 0]
    assert found["same"] == [True] * 6
    assert found["computed"][0] < found["computed"][2] == 400
