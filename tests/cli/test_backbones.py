import json


def test_what_is_here_and_how_to_get_the_rest(run, tmp_path, monkeypatch):
    models = tmp_path / "models"
    models.mkdir()
    (models / "vgg16_weights_tf_dim_ordering_tf_kernels_notop.h5").write_bytes(b"x" * 1000)
    monkeypatch.setenv("KERAS_HOME", str(tmp_path))
    listed = json.loads(run("backbones", "--json").out)
    weights = {row["name"]: row for row in listed["weights"]}
    assert weights["keras:VGG16"]["bytes"] == 1000
    assert weights["bundled:minilm"]["licence"] == "Apache-2.0"
    assert {hub["name"] for hub in listed["hubs"]} >= {"bundled", "timm", "hf", "torchvision", "keras", "onnx", "file"}
    page = run("backbones").out
    assert "bundled:minilm" in page
    assert "torchvision:resnet50" in page


def test_one_backbone(run):
    shown = json.loads(run("backbones", "small:conv4-32", "--json").out)
    assert (shown["features"], shown["takes"]) == (256, "image")
    assert shown["bytes"] == 4 * shown["weights"]
    assert "features    256" in run("backbones", "small:conv4-32").out


def test_packed_here_and_unpacked_there(run, tmp_path):
    assert run("backbones", "pack", "small:conv4-32", "-o", tmp_path / "x.tar").code == 0
    done = run("backbones", "unpack", tmp_path / "x.tar", "--out", tmp_path / "b")
    assert f"--backbone file:{tmp_path / 'b'}" in done.out
    here, there = (json.loads(run("backbones", name, "--json").out) for name in ("small:conv4-32", tmp_path / "b"))
    assert here["fingerprint"] == there["fingerprint"]


def test_what_is_missing_has_its_own_exit_code(run, tmp_path, monkeypatch):
    monkeypatch.setenv("KERAS_HOME", str(tmp_path))
    refused = run("backbones", "keras:VGG16")
    assert refused.code == 4
    assert "keras.applications.VGG16(include_top=False)" in refused.err
    for words in (["pack", "small:conv4"], ["small:conv4", "more"], ["unpack"]):
        refused = run("backbones", *words)
        assert refused.code == 2
        assert "pack NAME --out FILE.tar" in refused.err
