"""The log of windows: never an input in it, whole after a kill, bounded, and refused where it is of another model."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor

import pytest
from drifting import window, write_windows

from headstart.deployment.monitoring.drift import FEWEST
from headstart.deployment.monitoring.drift_log import DriftLog, is_log, read_log
from headstart.errors import DataError


def test_what_is_written_is_read(tmp_path):
    log = DriftLog(tmp_path / "log")
    assert log.write(window())
    assert log.write(window(200, ended="2026-01-02T00:00:00+00:00"))
    first, second = read_log(tmp_path / "log", "m").windows
    assert first.sums.rows == 100
    assert second.sums.rows == 200
    assert first.sums.features.tolist() == window().sums.features.tolist()
    assert first.sums.decided.tolist() == [97, 3]
    assert first.sums.strange == 2
    assert is_log(tmp_path / "log")


def test_few_rows_are_not_written_since_their_sum_tells_of_each(tmp_path):
    assert not DriftLog(tmp_path / "log").write(window(FEWEST - 1))
    with pytest.raises(DataError, match="is empty: no window of 20 rows or more was served yet"):
        read_log(tmp_path / "log", "m")


def test_half_a_last_line_is_passed_over_and_ended(tmp_path):
    path = tmp_path / "log"
    DriftLog(path).write(window())
    whole = path.read_bytes()
    for cut in (1, len(whole) // 2, len(whole) - 1):
        path.write_bytes(whole + whole[:cut])
        assert read_log(path, "m").damaged == (0 if cut == len(whole) - 1 else 1)
        DriftLog(path).write(window())
        log = read_log(path, "m")
        assert (len(log.windows), log.damaged) == ((3, 0) if cut == len(whole) - 1 else (2, 1))


def test_it_is_bounded(tmp_path):
    path = tmp_path / "log"
    log = DriftLog(path, largest=2_000)
    for day in range(1, 29):
        log.write(window(ended=f"2026-01-{day:02}T00:00:00+00:00"))
    assert sorted(file.name for file in tmp_path.iterdir()) == ["log", "log.1"]
    assert all(file.stat().st_size <= 2_000 for file in tmp_path.iterdir())
    days = [each.ended[8:10] for each in read_log(path, "m").windows]
    assert days == sorted(days)
    assert days[-1] == "28"
    assert len(days) >= 6


def test_several_write_at_once(tmp_path):
    """Threads, each with the file opened anew: its lock holds between them as between processes."""
    path = tmp_path / "log"
    with ThreadPoolExecutor(4) as pool:
        for done in [pool.submit(write_windows, str(path), 100 + writer, 12) for writer in range(4)]:
            done.result()
    assert path.with_name("log.1").exists()
    log = read_log(path, "m")
    assert log.damaged == 0
    assert len(log.windows) == 48


def test_the_log_of_another_model_is_refused(tmp_path):
    path = tmp_path / "log"
    DriftLog(path).write(window(model="other"))
    with pytest.raises(DataError, match=r"the log of another model \(other\), and this one is m"):
        read_log(path, "m")
    DriftLog(path).write(window())
    log = read_log(path, "m")
    assert (len(log.windows), log.others) == (1, 1)


def test_what_is_no_log_is_refused(tmp_path):
    path = tmp_path / "log"
    with pytest.raises(DataError, match=r"there is no log at .*log: `headstart serve MODEL --drift-log"):
        read_log(path, "m")
    path.write_text("a,b\n1,2\n")
    assert not is_log(path)
    with pytest.raises(DataError, match="is not a log of drift: none of its 2 lines is a window"):
        read_log(path, "m")
    with pytest.raises(DataError, match="is not a log of drift: give a file that is not there yet"):
        DriftLog(path)
    assert path.read_text() == "a,b\n1,2\n"
    assert not is_log(tmp_path)


@pytest.mark.parametrize(
    "change",
    [
        {"rows": 5}, {"rows": True}, {"rows": "100"}, {"strange": 101}, {"strange": -1}, {"decided": [200, 0]},
        {"decided": []}, {"decided": [[1]]}, {"features": "AAA"}, {"features": "not base64"}, {"features": 3},
        {"model": 7}, {"format": "other"}, {"decided": ["x"]}, {"decided": [10**30]}, {"features": "AAAAAAAA8H8="},
    ],
)  # fmt: skip
def test_lines_that_cannot_be_are_passed_over(tmp_path, change):
    path = tmp_path / "log"
    DriftLog(path).write(window())
    record = json.loads(path.read_text())
    with path.open("a") as file:
        file.write(json.dumps(record | change) + "\n[1, 2]\nnull\n" + "[" * 100_000 + "\n")
    log = read_log(path, "m")
    assert (len(log.windows), log.damaged) == (1, 4)
