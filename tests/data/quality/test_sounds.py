"""The check of recordings: silence, clipping, offsets, truncated files, copies, and what gives the class away."""

from __future__ import annotations

import io

import numpy as np
import pytest
import soundfile
from italian import both
from tones import RATE, melody, tone, words, write

import headstart as hs
from headstart.data.quality.near_sounds import near_sounds
from headstart.data.sound_sketch import sketch
from headstart.data.sounds import clip_of


def findings(folder, **options):
    """By what they are, how many, and their examples."""
    report = hs.check(folder, cache=False, **options)
    return {finding.what: (finding.count, finding.examples) for finding in report.findings}


def test_a_good_folder_has_nothing_to_report(tmp_path):
    assert findings(words(tmp_path, each=12)) == {}


def test_bad_recordings_are_named_with_what_is_wrong(tmp_path):
    words(tmp_path, each=12)
    wave = melody(500, 0.5, RATE, np.random.default_rng(9))
    write(tmp_path / "low" / "silent.wav", np.zeros(RATE, np.float32))
    write(tmp_path / "low" / "loud.wav", np.clip(20 * wave, -1, 1))
    write(tmp_path / "high" / "offset.wav", 0.3 * wave + 0.2)
    whole = write(tmp_path / "high" / "cut.wav", np.tile(wave, 2)[:12000]).read_bytes()
    (tmp_path / "high" / "cut.wav").write_bytes(whole[: len(whole) // 3])
    (tmp_path / "high" / "text.wav").write_text("none")
    reported = findings(tmp_path)
    assert reported["recordings that are silent"] == (1, ("low/silent.wav (peak 0)",))
    count, (example,) = reported["recordings that are clipped"]
    assert count == 1
    assert example.startswith("low/loud.wav (")
    assert example.endswith(" % of its samples at full scale)")
    assert "high/offset.wav (mean +0.2)" in reported["recordings with an offset (DC)"][1]
    assert reported["recordings that end before their header says"] == (1, ("high/cut.wav (0.249 of 0.75 s)",))
    assert reported["inputs that cannot be used"][0] == 1


def test_copies_are_told_exact_and_louder_and_in_another_format(tmp_path):
    words(tmp_path, each=12)
    wave = melody(600, 0.8, RATE, np.random.default_rng(5))
    write(tmp_path / "low" / "one.wav", wave)
    write(tmp_path / "low" / "same.wav", wave)
    write(tmp_path / "low" / "softer.wav", 0.2 * wave)
    write(tmp_path / "low" / "other.ogg", wave)
    reported = findings(tmp_path)
    assert reported["rows that exactly repeat another"][0] == 1
    assert reported["near duplicates"][0] == 4


def test_rates_that_give_the_class_away_and_lengths_that_do(tmp_path):
    rng = np.random.default_rng(0)
    for k in range(15):
        write(tmp_path / "a" / f"{chr(97 + k)}x.wav", melody(400, 0.5, 8000, rng)[:3200], 8000)
        write(tmp_path / "b" / f"{chr(97 + k)}y.wav", melody(400, 0.9, RATE, rng)[:12800])
    (examples,) = [
        example for what, (_, example) in findings(tmp_path).items() if what.endswith("that alone predict the target")
    ]
    assert sorted(example.rpartition(" (")[0] for example in examples) == ["sampling rate", "seconds"]


@pytest.mark.slow
def test_of_real_words_copies_are_found_and_no_two_words_are_taken_for_one():
    short = [name for name, (wave, _) in both().items() if 2000 < len(wave) < 60000]
    names = [name for name in short if not name.isdigit()][:60]  # digits are silence, so many seconds of it
    recordings = [both()[name][0] for name in names]
    waves = [soundfile.read(io.BytesIO(data), dtype="float32") for data in recordings]
    copies = []
    for k, (wave, rate) in enumerate(waves[:30]):
        file = io.BytesIO()
        soundfile.write(file, 0.5 * wave, rate, format=("OGG", "FLAC", "WAV")[k % 3])
        copies.append(file.getvalue())
    sketches = np.stack([sketch(clip_of(data)) for data in [*recordings, *copies]])
    pairs = set(map(tuple, near_sounds(sketches).tolist()))
    expected = {(k, len(recordings) + k) for k in range(30)}
    assert len(pairs & expected) >= 28
    assert len(pairs - expected) <= 2


def test_near_pairs_do_not_hang_on_the_order_and_silence_is_like_nothing():
    rng = np.random.default_rng(0)
    some = [melody(300 + 50 * k, 0.5, RATE, rng) for k in range(6)]
    some += [0.3 * some[0], 0.6 * some[3], np.zeros(8000, np.float32), np.zeros(8000, np.float32)]
    sketches = np.stack([sketch(clip_of((wave, RATE))) for wave in some])
    assert near_sounds(sketches).tolist() == [[0, 6], [3, 7]]
    order = rng.permutation(len(some))
    again = {tuple(sorted(order[pair].tolist())) for pair in near_sounds(sketches[order])}
    assert again == {(0, 6), (3, 7)}
    assert near_sounds(sketches[:0]).shape == (0, 2)


def test_parts_of_one_recording_do_not_straddle_a_split(tmp_path):
    rng = np.random.default_rng(0)
    for name, pitch in (("low", 200.0), ("high", 900.0)):
        for person in ("ann", "bob", "eva", "joe", "kim", "lou"):
            for part in range(4):
                write(tmp_path / name / f"{person}_{part:03}.wav", melody(pitch, 0.5, RATE, rng))
    from headstart.features.extraction import Extraction
    from headstart.features.feature_set import glance
    from headstart.listener import Logged

    rows = glance(hs.read(tmp_path), Extraction(), Logged())
    assert len(np.unique(rows.blocks)) == 6
    people = np.array([str(name).rpartition("/")[2].partition("_")[0] for name in rows.task.names])
    assert all(len(np.unique(rows.blocks[people == person])) == 1 for person in set(people))


@pytest.mark.parametrize("seconds", [0.0, 1e-4])
def test_a_tone_is_no_fault(tmp_path, seconds):
    for k in range(12):
        write(tmp_path / "a" / f"{chr(97 + k)}.wav", tone(200 * (k + 1), 0.5 + seconds * k))
        write(tmp_path / "b" / f"{chr(97 + k)}.wav", tone(130 * (k + 1), 0.5 + seconds * k, seed=1))
    assert not {what for what in findings(tmp_path) if what.startswith("recordings")}


def test_no_file_stops_a_check_and_each_that_cannot_be_used_is_named(tmp_path):
    words(tmp_path, each=12)
    wave = melody(500, 0.5, RATE, np.random.default_rng(9))
    bad, odd = tmp_path / "low", tmp_path / "high"
    good = write(tmp_path / "good.wav", wave).read_bytes()
    (tmp_path / "good.wav").unlink()
    contents = {"text": b"no sound", "empty": b"", "head": good[:40], "riff": b"RIFF\0\0\0\0WAVE" + bytes(range(200))}
    for name, data in contents.items():
        (bad / f"{name}.wav").write_bytes(data)
    write(bad / "nothing.wav", wave[:0])
    write(bad / "nan.wav", np.where(np.arange(len(wave)) == 99, np.nan, wave), subtype="FLOAT")
    flac = write(bad / "cut.flac", wave).read_bytes()
    (bad / "cut.flac").write_bytes(flac[: len(flac) // 3])
    (bad / "film.m4a").write_bytes(b"0000ftypM4A ")
    write(odd / "one.wav", wave[900:901])
    write(odd / "six.wav", np.stack([np.roll(wave, 999 * k) for k in range(6)], axis=1))
    write(odd / "high.wav", melody(500, 0.2, 192000, np.random.default_rng(8)), 192000, subtype="PCM_24")
    write(odd / "eight.wav", melody(700, 0.5, 8000, np.random.default_rng(7)), 8000, subtype="PCM_U8")
    report = hs.check(tmp_path, cache=False)
    (unusable,) = [finding for finding in report.findings if finding.what == "inputs that cannot be used"]
    assert unusable.count == 8
    assert report.rows == 24 + 4
    (many,) = report.errors
    assert "rows that cannot be used as they are" in many.what
