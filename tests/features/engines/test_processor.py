import os

import pytest

from headstart.features.engines import processor


def test_cores_are_at_least_one_and_no_more_than_may_be_used():
    allowed = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    assert 1 <= processor.cores() <= allowed


@pytest.mark.skipif(not hasattr(os, "sched_setaffinity"), reason="needs Linux")
def test_a_smaller_affinity_means_fewer_cores():
    before = os.sched_getaffinity(0)
    try:
        os.sched_setaffinity(0, {min(before)})
        assert processor.cores() == 1
    finally:
        os.sched_setaffinity(0, before)


@pytest.mark.parametrize(
    ("text", "share"), [("150000 100000\n", 2), ("400000 100000", 4), ("max 100000", None), ("", None)]
)
def test_the_share_of_a_control_group(tmp_path, monkeypatch, text, share):
    path = tmp_path / "cpu.max"
    path.write_text(text)
    monkeypatch.setattr(processor, "_CGROUP", path)
    assert processor._share() == (share or os.cpu_count())


def test_what_it_says_is_stable():
    assert processor.identity() == processor.identity()
    assert isinstance(processor.has_bfloat16(), bool)
