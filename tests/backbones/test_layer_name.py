"""What stands behind "@" in a name."""

import pytest

from headstart.backbones.layer_name import parted


@pytest.mark.parametrize(
    ("name", "base", "layer", "pool"),
    [
        ("bundled:minilm", "bundled:minilm", None, None),
        ("bundled:minilm@4", "bundled:minilm", "4", None),
        ("bundled:minilm@4@max", "bundled:minilm", "4", "max"),
        ("bundled:minilm@max", "bundled:minilm", None, "max"),
        ("bundled:minilm@*@cls", "bundled:minilm", "*", "cls"),
        ("bundled:minilm@meen", "bundled:minilm", "meen", None),
        ("timm:resnet18@layer3?weights=random&seed=2", "timm:resnet18?weights=random&seed=2", "layer3", None),
        ("hf:owner/name@main", "hf:owner/name@main", None, None),
        ("hf:owner/name@0123abc@4@mean", "hf:owner/name@0123abc", "4", "mean"),
        ("hf:owner/name@11", "hf:owner/name", "11", None),
        ("timm:timm/resnet50.a1_in1k@3", "timm:timm/resnet50.a1_in1k", "3", None),
        ("file:a@b/c", "file:a@b/c", None, None),
        ("bundled:minilm@", "bundled:minilm@", None, None),
        ("@4", "@4", None, None),
    ],
)
def test_parts_of_a_name(name, base, layer, pool):
    assert parted(name) == (base, layer, pool)
    assert parted(name).is_plain == (layer is None and pool is None)


def test_a_folder_is_a_name_of_its_own(tmp_path, monkeypatch):
    (tmp_path / "net@4").mkdir()
    (tmp_path / "net").mkdir()
    monkeypatch.chdir(tmp_path)
    for name in ("net@4", "file:net@4", f"file:{tmp_path}/net@4"):
        assert parted(name).is_plain
        assert parted(f"{name}@2@max") == (name, "2", "max")
    assert parted("file:net@5") == ("file:net", "5", None)
