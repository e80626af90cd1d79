"""What is a recording: names, bytes, arrays, dictionaries, and parts of them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from tones import RATE, tone, words, write

import headstart as hs
from headstart.data.arrays import as_task
from headstart.data.content import content_keys
from headstart.data.read import read
from headstart.data.roles import Roles
from headstart.data.sounds import clip_of, find_sounds, holds_sounds, is_sound, is_sound_bytes
from headstart.data.waves import samples_of
from headstart.errors import DataError
from headstart.tasks import AUDIO

WAVE = tone(440, 0.5)


def test_the_first_bytes_tell_sound_files_from_others(tmp_path):
    from PIL import Image

    for suffix in ("wav", "flac", "ogg", "mp3", "aiff", "au", "caf"):
        assert is_sound_bytes(write(tmp_path / f"a.{suffix}", WAVE).read_bytes()), suffix
    for suffix in ("png", "jpg", "webp", "gif", "tiff", "bmp"):
        Image.new("RGB", (8, 8)).save(tmp_path / f"a.{suffix}")
        assert not is_sound_bytes((tmp_path / f"a.{suffix}").read_bytes()), suffix
    assert not is_sound_bytes(b"")
    assert not is_sound_bytes("\ufffe".encode("utf-16"))


def test_everything_that_holds_a_recording(tmp_path):
    path = write(tmp_path / "a.wav", WAVE, subtype="FLOAT")
    data = path.read_bytes()
    cells = [
        path, str(path), data, {"bytes": data, "path": None}, {"bytes": None, "path": str(path)},
        {"array": WAVE, "sampling_rate": RATE, "path": "x"}, (WAVE, RATE), (RATE, WAVE), (torch.from_numpy(WAVE), RATE),
        (torch.from_numpy(WAVE)[None], RATE), (WAVE.astype(np.float64), np.int64(RATE)), clip_of(path),
    ]  # fmt: skip
    assert holds_sounds(cells)
    clips, broken = find_sounds(cells)
    assert broken == {}
    assert all(np.allclose(samples_of(clip, RATE), WAVE, atol=1e-7) for clip in clips)
    assert not any(map(is_sound, ["a.png", "a text", {"a": 1}, (1, 2), 3.0, None, b"abc", WAVE]))


@pytest.mark.parametrize(("dtype", "full"), [(np.int16, 32768), (np.int32, 2**31), (np.float64, 1)])
def test_whole_numbers_have_their_own_full_scale(dtype, full):
    clip = clip_of(((WAVE * full).astype(dtype), RATE))
    assert np.abs(samples_of(clip, RATE) - WAVE).max() <= 1 / min(full, 32768) + (full == 1) * -1 / 32768 + 1e-7
    eight = clip_of((np.round(WAVE * 128 + 128).astype(np.uint8), RATE))
    assert np.abs(samples_of(eight, RATE) - WAVE).max() <= 0.5 / 128 + 1e-6


def test_what_is_no_recording_says_why(tmp_path):
    cells = [
        None, float("nan"), "", str(tmp_path), "no.wav", 7, WAVE, (WAVE.astype(np.int64), RATE),
        (np.zeros((3, 99, 99)), 8),
        {"array": WAVE, "sampling_rate": None}, "x.m4a", (np.zeros((70, 80), np.float32), RATE),
    ]  # fmt: skip
    (tmp_path / "x.m4a").write_bytes(b"0000ftypM4A ")
    clips, broken = find_sounds(cells, str(tmp_path))
    assert clips == [None] * len(cells)
    words_of = [broken[row] for row in range(len(cells))]
    assert words_of[0] == words_of[1] == "no recording is named"
    assert words_of[2].startswith(("no recording is named", "a folder"))
    assert "a folder, not a file" in words_of[3]
    assert "no such file" in words_of[4]
    assert words_of[5] == "7 is no recording"
    assert "give sample_rate (Hz)" in words_of[6]
    assert "expected float, int16, int32 or uint8" in words_of[7]
    assert "no recording" in words_of[8]
    assert "sample_rate" in words_of[9]
    assert "ffmpeg" in words_of[10]
    assert "expected (samples,), or with channels" in words_of[11]


def test_bounds_in_seconds(tmp_path):
    path = str(write(tmp_path / "a.wav", WAVE, subtype="FLOAT"))
    starts, ends = [0.1, None, 0.4, 0.3, 9.0, -1.0, 0.1], [0.2, 0.1, float("nan"), 0.2, 10.0, 1.0, 99.0]
    clips, broken = find_sounds([path] * 7, bounds=(starts, ends))
    lengths = [None if clip is None else len(samples_of(clip, RATE)) for clip in clips]
    assert lengths == [1600, 1600, 1600, None, None, None, 6400]
    assert broken[3] == "from 0.3 to 0.2 s: expected a start from 0 up, and an end behind it"
    assert broken[4] == "it begins at 9 s, and the recording is 0.5 s long"
    assert set(broken) == {3, 4, 5}


def test_a_folder_a_class(tmp_path):
    words(tmp_path / "w", each=3)
    (tmp_path / "w" / "low" / "notes.txt").write_text("read me")
    (tmp_path / "w" / "low" / "broken.wav").write_text("nothing")
    task = read(tmp_path / "w")
    assert task.modality is AUDIO
    assert task.classes == ("high", "low")
    assert len(task) == 6
    assert task.names[0] == "high/aa.wav"
    assert {item.name: item.why.partition(":")[0] for item in task.set_aside} == {
        "low/notes.txt": "not a recording, by its suffix",
        "low/broken.wav": "no sound that can be read",
    }


def test_pictures_and_recordings_in_one_folder_are_asked_about(tmp_path):
    from PIL import Image

    words(tmp_path, each=3)
    for number in range(4):
        Image.new("RGB", (9, 9), (number, 0, 0)).save(tmp_path / "low" / f"{number}.png")
        Image.new("RGB", (9, 9), (number, 9, 0)).save(tmp_path / "high" / f"{number}.png")
    with pytest.raises(DataError, match=r"both 8 pictures and 6 recordings: .* --modality image or --modality audio"):
        read(tmp_path)
    assert len(read(tmp_path, roles=Roles(modality="audio"))) == 6
    assert len(read(tmp_path, roles=Roles(modality="image"))) == 8


def test_covers_beside_recordings_are_set_aside(tmp_path):
    from PIL import Image

    words(tmp_path, each=12)
    Image.new("RGB", (9, 9)).save(tmp_path / "low" / "cover.jpg")
    task = read(tmp_path)
    assert len(task) == 24
    assert [item.name for item in task.set_aside] == ["low/cover.jpg"]


def test_a_table_names_files_and_parts_of_them(tmp_path):
    write(tmp_path / "long.wav", np.concatenate([tone(200, 1.0), tone(900, 1.0)]))
    frame = pd.DataFrame({
        "file": ["long.wav"] * 4, "start": [0.0, 0.5, 1.0, 1.5], "end": [0.5, 1.0, 1.5, 2.0],
        "pitch": ["low", "low", "high", "high"],
    })  # fmt: skip
    frame.to_csv(tmp_path / "parts.csv", index=False)
    task = read(tmp_path / "parts.csv")
    assert task.modality is AUDIO
    assert task.classes == ("high", "low")
    assert [clip.seconds for clip in task.inputs] == [0.5] * 4
    assert task.names[1] == "line 3: long.wav from 0.5 to 1 s"
    assert len(set(task.group)) == 1
    assert any("part of each recording, in seconds: 'start', 'end'" in note for note in task.notes)
    assert any("parts of one file stay together" in note for note in task.notes)
    assert len(set(content_keys(task.inputs, AUDIO))) == 4
    again = read(tmp_path / "parts.csv", roles=Roles(modality="audio"), need_target=False, columns=task.columns)
    assert [clip.start for clip in again.inputs] == [clip.start for clip in task.inputs]
    assert not any("ignored" in note for note in again.notes)


def test_waves_with_their_rate_beside_labels():
    waves = [tone(200 + k, 0.2) for k in range(4)]
    task = as_task(waves, ["a", "a", "b", "b"], sample_rate=8000)
    assert task.modality is AUDIO
    assert {clip.rate for clip in task.inputs} == {8000}
    assert as_task(np.stack(waves), ["a", "a", "b", "b"], sample_rate=8000).modality is AUDIO
    pairs = as_task([(wave, 8000) for wave in waves], ["a", "a", "b", "b"])
    assert content_keys(pairs.inputs, AUDIO) == content_keys(task.inputs, AUDIO)
    table = read({"wave": waves, "label": ["a", "a", "b", "b"]}, roles=hs.Roles(sample_rate=8000))
    assert content_keys(table.inputs, AUDIO) == content_keys(task.inputs, AUDIO)
    assert as_task(np.stack(waves), ["a", "a", "b", "b"]).modality == "array"


@pytest.mark.parametrize("decode", [False, True])
def test_a_hugging_face_dataset_with_sound(tmp_path, decode):
    datasets, pyarrow = pytest.importorskip("datasets"), pytest.importorskip("pyarrow")
    paths = [str(write(tmp_path / f"{k}.wav", tone(200 * k, 0.2))) for k in (1, 2, 3, 4)]
    audio = datasets.Audio(sampling_rate=RATE, decode=decode)
    features = datasets.Features({"audio": audio, "label": datasets.ClassLabel(names=["low", "high"])})
    stored = [{"bytes": None, "path": p} for p in paths[:2]]
    stored += [{"bytes": Path(p).read_bytes(), "path": None} for p in paths[2:]]
    table = pyarrow.table(
        {"audio": pyarrow.array(stored, audio.pa_type), "label": pyarrow.array([0, 0, 1, 1], pyarrow.int64())}
    )
    task = read(datasets.Dataset(table, info=datasets.DatasetInfo(features=features)))
    assert task.modality is AUDIO
    assert task.classes == ("high", "low")
    assert [clip.seconds for clip in task.inputs] == [0.2] * 4


def test_keys_are_those_of_the_bytes_and_of_the_part(tmp_path):
    path = write(tmp_path / "a.wav", WAVE)
    copy = tmp_path / "b.wav"
    copy.write_bytes(path.read_bytes())
    (first, second), _ = find_sounds([path, copy])
    (part,), _ = find_sounds([path], bounds=([0.1], [0.2]))
    keys = content_keys([first, second, part, clip_of(path.read_bytes())], AUDIO)
    assert keys[0] == keys[1] == keys[3] != keys[2]
    slower = content_keys([clip_of((WAVE, RATE)), clip_of((WAVE, 8000))], AUDIO)
    assert slower[0] != slower[1]
