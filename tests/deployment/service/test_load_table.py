"""How busy workers are, in a file that all of them map."""

from __future__ import annotations

import os

from headstart.deployment.service.load_table import LoadTable


def test_each_sees_what_the_others_write(tmp_path):
    tables = [LoadTable(tmp_path / "load", slot, 3) for slot in range(3)]
    assert (tables[0].idle(), tables[0].busiest()) == (None, None)
    tables[1].write(idle=False, waiting=2)
    tables[2].write(idle=True, waiting=0)
    assert (tables[0].idle(), tables[0].busiest()) == (2, 1)
    assert (tables[1].idle(), tables[1].busiest()) == (2, None), "a worker is not its own neighbour"
    assert (tables[2].idle(), tables[2].busiest()) == (None, 1)
    tables[0].claim(2)
    assert tables[1].idle() is None


def test_a_worker_in_the_place_of_one_that_was_killed_begins_anew(tmp_path):
    other, killed = LoadTable(tmp_path / "load", 0, 2), LoadTable(tmp_path / "load", 1, 2)
    killed.write(idle=True, waiting=5)
    LoadTable(tmp_path / "load", 1, 2)
    assert (other.idle(), other.busiest()) == (None, None)


def test_nobody_else_may_read_it(tmp_path):
    LoadTable(tmp_path / "load", 0, 2)
    assert os.stat(tmp_path / "load").st_mode & 0o777 == 0o600
