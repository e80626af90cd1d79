"""Which recordings were one, by their names."""

from __future__ import annotations

from headstart.data.pieces import pieces
from headstart.tasks.audio import Clip


def clips(*names: str) -> list[Clip]:
    return [Clip(path=f"/data/{name}", rate=8000, channels=1, frames=8000) for name in names]


def test_numbered_parts_of_several_recordings_stay_together():
    some = clips("x/tom_001.wav", "x/tom_002.wav", "x/eva_001.wav", "y/tom_003.wav", "y/eva-002.wav", "y/ann_001.wav")
    group, rule = pieces(some, ["x", "x", "x", "y", "y", "y"])
    assert group == ["tom", "tom", "eva", "tom", "eva", "ann"]
    assert "'tom' and a number" in rule


def test_numbers_that_count_a_class_say_nothing():
    some = clips("dog/dog_01.wav", "dog/dog_02.wav", "cat/cat_01.wav", "cat/cat_02.wav")
    assert pieces(some, ["dog", "dog", "cat", "cat"]) == (None, "")


def test_names_without_numbers_and_numbers_alone_say_nothing():
    assert pieces(clips("a/x.wav", "a/y.wav", "b/z.wav"), ["a", "a", "b"]) == (None, "")
    assert pieces(clips("a/001.wav", "a/002.wav", "b/001.wav"), ["a", "a", "b"]) == (None, "")
    assert pieces(clips("a/tom_01.wav", "a/eva_01.wav", "b/ann_01.wav", "b/joe_01.wav"), list("aabb")) == (None, "")
    assert pieces(clips("a/tom_01.wav", "a/tom_02.wav"), None) == (None, "")


def test_parts_of_one_file_stay_together():
    one, two = clips("a.wav", "b.wav")
    group, rule = pieces([one, one, two, None], ["x", "y", "x", "y"])
    assert group[0] == group[1] != group[2]
    assert group[3] not in group[:3]
    assert "parts of one file" in rule
