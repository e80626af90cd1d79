"""Pictures through the lanes: what is kept, and when."""

from __future__ import annotations

import time
from dataclasses import replace

import numpy as np
from torch import nn

from headstart.features import pictures
from headstart.features.extract import Extraction, extract


class LateEngine(nn.Module):
    """A network that is copied for the engine only once every input was taken; counts the shards at each batch."""

    def __init__(self, taken, count, folder):
        super().__init__()
        self.net = nn.Conv2d(3, 4, 3)
        self.taken, self.count, self.folder, self.shards = taken, count, folder, []

    def __deepcopy__(self, memo):
        limit = time.monotonic() + 60
        while len(self.taken) < self.count and time.monotonic() < limit:
            time.sleep(0.005)
        return self

    def forward(self, pixels):
        self.shards.append(len(list(self.folder.glob("features/*/*.npy"))))
        return self.net(pixels).mean((2, 3))


class Counted(list):
    """Inputs that note which of them were taken."""

    def __init__(self, items, taken):
        super().__init__(items)
        self.taken = taken

    def __getitem__(self, row):
        self.taken.add(row)
        return super().__getitem__(row)


def test_features_are_kept_while_pictures_that_waited_for_the_engine_are_run(tiny, cache, monkeypatch):
    monkeypatch.setattr(pictures, "_SHARD", 8)
    taken = set()
    inputs = Counted(np.random.default_rng(0).integers(0, 256, (48, 40, 40, 3), dtype=np.uint8), taken)
    late = replace(tiny, module=LateEngine(taken, len(inputs), cache.folder), dim=4)
    extract(inputs, late, Extraction(engine="torch", precision="float32", cache=cache, lanes=1))
    assert len(late.module.shards) == 12
    # Two batches are a shard. One more may be kept where the last picture is still prepared when the engine comes.
    assert all(0 <= kept - batch // 2 <= 1 for batch, kept in enumerate(late.module.shards)), late.module.shards
