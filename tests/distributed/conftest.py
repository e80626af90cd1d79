"""Three owners of a small table each, whose rows differ."""

from __future__ import annotations

import logging
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

pytest.importorskip("flwr")

from flwr.supercore.task_identity import TaskIdentity

from headstart.distributed.clients import read_federation
from headstart.distributed.federate import Owners, app_of
from headstart.distributed.in_process import InProcess
from headstart.distributed.journal import Journal
from headstart.distributed.server import Server
from headstart.listener import SILENT

NAMES = ("north", "south", "west")
ROWS = (30, 24, 36)


@pytest.fixture(autouse=True)
def quiet_flower():
    """Flower's own lines of what it does are no output of the tests; its messages are made in the name of a task."""
    TaskIdentity.run_id, TaskIdentity.node_id, TaskIdentity.task_id = 1, 1, 1
    logger = logging.getLogger("flwr")
    level = logger.level
    logger.setLevel(logging.CRITICAL)
    yield
    logger.setLevel(level)


def table(seed, rows):
    rng = np.random.default_rng(seed)
    x = rng.normal(seed, 1 + seed, (rows, 3))
    sick = x[:, 0] - x[:, 1] + rng.normal(0, 0.7, rows) > 0
    return pd.DataFrame(x, columns=["a", "b", "c"]).assign(
        city=rng.choice(["Bari", "Rome"], rows), answer=np.where(sick, "sick", "well")
    )


@pytest.fixture(scope="session")
def owned(tmp_path_factory):
    """The folder of a clients.toml and three tables."""
    folder = tmp_path_factory.mktemp("owned")
    lines = ['target = "answer"', "folds = 3"]
    for seed, (name, rows) in enumerate(zip(NAMES, ROWS, strict=True)):
        table(seed, rows).to_csv(folder / f"{name}.csv", index=False)
        lines.append(f'[[client]]\nname = "{name}"\ndata = "{name}.csv"')
    (folder / "clients.toml").write_text("\n".join(lines) + "\n", "utf-8")
    return folder


@pytest.fixture(scope="session")
def owners(owned):
    """The owners, each read once for all tests."""
    return Owners(read_federation(owned / "clients.toml"), SILENT)


@pytest.fixture
def serve(owned, owners, tmp_path):
    """serve(apps, **changes of the federation): a server on a grid in this process, with some apps in the place of a
    client's own."""
    grids = []

    def made(apps=None, folder=tmp_path / "work", **changes):
        federation = replace(read_federation(owned / "clients.toml"), **changes)
        own = {client.name: app_of(client, owners) for client in federation.clients}
        grid = InProcess(own | {name: wrap(own[name]) for name, wrap in (apps or {}).items()})
        grids.append(grid)
        return Server(federation, grid, dict(grid.names), Journal(folder, repr(federation)), SILENT)

    yield made
    for grid in grids:
        grid.close()
