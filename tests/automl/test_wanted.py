"""What the words after --candidates mean, with a hub's folder that timm and transformers wrote themselves."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest
import timm
from huggingface_hub import constants

from headstart.automl import rank
from headstart.automl.wanted import wanted
from headstart.backbones.hub import Stored, stored
from headstart.errors import BackboneError, DataError
from headstart.tasks import IMAGE, TEXT


def put(cache: Path, repository: str, write) -> Path:
    """A repository in the hub's folder, as huggingface_hub lays it out."""
    folder = cache / f"models--{repository.replace('/', '--')}"
    snapshot = folder / "snapshots" / ("0" * 40)
    snapshot.mkdir(parents=True)
    (folder / "refs").mkdir()
    (folder / "refs" / "main").write_text("0" * 40)
    write(snapshot)
    return snapshot


@pytest.fixture
def hub(tmp_path, monkeypatch):
    """Three repositories of timm's, one of which has no weights, and one of texts."""

    def network(name):
        return lambda folder: timm.models.save_for_hf(timm.create_model(name), str(folder), safe_serialization=True)

    cache = tmp_path / "hub"
    put(cache, "timm/test_vit.r160_in1k", network("test_vit"))
    put(cache, "timm/test_resnet.r160_in1k", network("test_resnet"))
    put(cache, "somebody/flowers", network("test_vit2"))
    put(cache, "timm/test_vit3.r160_in1k", lambda folder: (folder / "config.json").write_text("{}"))
    put(cache, "somebody/words", lambda folder: (folder / "config.json").write_text('{"model_type": "bert"}'))
    put(cache, "somebody/sounds", lambda folder: (folder / "config.json").write_text('{"model_type": "hubert"}'))
    (cache / "models--somebody--sounds" / "snapshots" / ("0" * 40) / "model.safetensors").write_bytes(b"0" * 300)
    (cache / "models--somebody--words" / "snapshots" / ("0" * 40) / "model.safetensors").write_bytes(b"0" * 300)
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(cache))
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    return cache


def test_what_lies_in_the_hubs_folder(hub):
    names = {item.name: (item.hub, item.modality) for item in stored()}
    assert names == {
        "timm:test_vit.r160_in1k": ("timm", "image"),
        "timm:test_resnet.r160_in1k": ("timm", "image"),
        "timm:somebody/flowers": ("timm", "image"),
        "hf:somebody/words": ("hf", "text"),
        "hf:somebody/sounds": ("hf", "audio"),
    }
    sizes = {item.name: item.bytes for item in stored()}
    assert sizes["hf:somebody/words"] == 300
    assert sizes["timm:test_vit.r160_in1k"] > 1_000_000
    assert stored(hub / "nowhere") == ()


def test_a_pattern_matches_what_is_on_this_machine(hub):
    names, left_out = wanted("timm:test_vit*", IMAGE)
    assert names == ("timm:test_vit.r160_in1k",)
    assert left_out[0].name == "timm:test_vit2.r160_in1k"
    assert "not on this machine, as are " in left_out[0].why
    assert wanted("timm:*flowers", IMAGE).names == ("timm:somebody/flowers",)
    assert wanted("timm:test_resne*", IMAGE) == (("timm:test_resnet.r160_in1k",), ())


def test_matches_can_be_ranked_without_a_network(hub, tmp_path):
    from PIL import Image

    for row in range(12):
        (tmp_path / "data" / str(row % 2)).mkdir(parents=True, exist_ok=True)
        picture = Image.new("RGB", (32, 32), (20 * row, 200 * (row % 2), 90))
        picture.save(tmp_path / "data" / str(row % 2) / f"{row}.png")
    ranking = rank(str(tmp_path / "data"), "timm:test_vit*,timm:somebody/flowers,timm:test_vit3.r160_in1k")
    assert {place.name for place in ranking.places} == {"timm:test_vit.r160_in1k", "timm:somebody/flowers"}
    assert [item.name for item in ranking.left_out] == ["timm:test_vit2.r160_in1k", "timm:test_vit3.r160_in1k"]
    assert "are not on this machine" in ranking.left_out[1].why


def test_groups(hub, monkeypatch):
    assert wanted("bundled", TEXT).names == ("bundled:minilm", "bundled:wordllama")
    assert wanted("small", TEXT).names == ("bundled:minilm", "bundled:wordllama", "hf:somebody/words")
    pictures = wanted(" small ", IMAGE).names
    assert pictures[:2] == ("bundled:efficientnet-lite0", "bundled:mobilenetv2")
    assert set(pictures[2:]) == {"timm:test_vit.r160_in1k", "timm:test_resnet.r160_in1k", "timm:somebody/flowers"}
    large = (Stored("timm:large", "timm", 400_000_000, IMAGE), Stored("timm:little", "timm", 4_000_000, IMAGE))
    monkeypatch.setattr("headstart.automl.wanted.stored", lambda: large)
    names, left_out = wanted("small", IMAGE)
    assert names[2:] == ("timm:little",)
    assert left_out == (("timm:large", "its weights are over 100 MB: name it to rank it (400 MB)", None),)


def test_names_and_files(tmp_path):
    assert wanted("a:b, c:d@4,bundled", TEXT).names == ("a:b", "c:d@4", "bundled:minilm", "bundled:wordllama")
    assert wanted("bundled,bundled:minilm", TEXT).names == ("bundled:minilm", "bundled:wordllama")
    listed = tmp_path / "two.txt"
    listed.write_bytes(b"\xef\xbb\xbfbundled:minilm  # a remark\r\n\r\n# none\r\nbundled:minilm@4\r\n")
    assert wanted(str(listed), TEXT).names == ("bundled:minilm", "bundled:minilm@4")
    (tmp_path / "net").mkdir()
    assert wanted(str(tmp_path / "net"), TEXT).names == (str(tmp_path / "net"),)


def test_what_is_refused(hub, tmp_path):
    for words in ("", " , ,"):
        with pytest.raises(ValueError, match="--candidates names none: expected bundled, small"):
            wanted(words, TEXT)
    with pytest.raises(ValueError, match="--candidates names a:b twice: name each one once"):
        wanted("a:b,c:d,a:b", TEXT)
    with pytest.raises(ValueError, match=r"--candidates bundeld: neither a group, a file.*; nearest: bundled"):
        wanted("bundeld", TEXT)
    with pytest.raises(ValueError, match=r"timm:test_vit3\*: no weights of such a name .*; timm knows 1 of this name"):
        wanted("timm:test_vit3*", IMAGE)
    with pytest.raises(ValueError, match=r"timm:zzz\*: no weights of such a name are on this machine\. Name one"):
        wanted("timm:zzz*", IMAGE)
    empty, twice, binary = tmp_path / "none.txt", tmp_path / "twice.txt", tmp_path / "binary.txt"
    empty.write_text("# nothing\n\n")
    twice.write_text("a:b\na:b\n")
    binary.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(DataError, match=r"none\.txt: names no candidate; expected one a line"):
        wanted(str(empty), TEXT)
    with pytest.raises(ValueError, match="names a:b twice"):
        wanted(str(twice), TEXT)
    with pytest.raises(DataError, match=r"binary\.txt: cannot be read as a list of candidates"):
        wanted(str(binary), TEXT)


def test_what_cannot_be_had_is_told_with_its_reason(hub):
    with pytest.raises(
        BackboneError, match=r"none of .*\. hf:a/b: .*not on this machine.*; bundled:c: .*no such backbone"
    ):
        rank(pd.DataFrame({"text": ["a b", "c d", "e f", "g h"], "label": ["x", "y", "x", "y"]}), "hf:a/b,bundled:c")
