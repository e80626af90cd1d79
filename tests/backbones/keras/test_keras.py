"""Networks of Keras, against Keras itself."""

import shutil
import sys
import zipfile

import h5py
import numpy as np
import pytest
import torch

from headstart.backbones.load import load, rebuild
from headstart.backbones.pixel_scales import scaled
from headstart.errors import BackboneError, MissingWeights
from headstart.transfer import Transfer


def features(backbone, pixels):
    (inputs,) = backbone.preprocess.tensors(torch.from_numpy(pixels))
    with torch.inference_mode():
        return inputs, backbone.module(inputs).numpy()


def close(features, expected):
    np.testing.assert_allclose(features, expected, rtol=1e-4, atol=1e-5 * np.abs(expected).max())


@pytest.mark.parametrize("name", ["VGG16", "MobileNetV2"])
def test_an_application_gives_the_features_that_keras_gives(keras_files, name):
    expected = np.load(keras_files / f"{name}.npz")
    backbone = load(f"keras:{name}?size=32&weights={keras_files / name}.h5")
    inputs, rows = features(backbone, expected["x"])
    order = [2, 1, 0] if name == "VGG16" else [0, 1, 2]
    np.testing.assert_allclose(inputs.permute(0, 2, 3, 1).numpy(), expected["p"][..., order], rtol=0, atol=2e-5)
    close(rows, expected["y"])
    assert backbone.dim == expected["y"].shape[1]
    assert [stage for stage, _ in backbone.stages] == [f"stage{number}" for number in range(1, 6)]


def test_bytes_become_what_preprocess_input_makes_of_them(keras_files, tmp_path):
    import io

    from PIL import Image

    from headstart.preprocessing.decode import decode

    expected = np.load(keras_files / "VGG16.npz")
    preprocess = load(f"keras:VGG16?size=32&weights={keras_files / 'VGG16.h5'}").preprocess
    for pixels, prepared in zip(expected["x"], expected["p"], strict=True):
        file = io.BytesIO()
        Image.fromarray(pixels).save(file, "PNG")
        batch = preprocess.collate([preprocess.prepare(decode(file.getvalue(), draft=False))[0]])
        (inputs,) = preprocess.tensors(torch.from_numpy(batch[0]))
        np.testing.assert_allclose(inputs[0].permute(1, 2, 0).numpy(), prepared[..., ::-1], rtol=0, atol=2e-5)


@pytest.mark.parametrize("ending", [".keras", ".h5"])
@pytest.mark.parametrize("name", ["own", "nested"])
def test_a_model_of_ones_own_without_its_classifier(keras_files, name, ending):
    expected = np.load(keras_files / f"{name}.npz")
    backbone = load(f"file:{keras_files / name}{ending}")
    _, rows = features(backbone, expected["x"])
    close(rows, expected["y"])


def test_pooling_and_random_weights(keras_files):
    name = f"keras:VGG16?size=32&weights={keras_files / 'VGG16.h5'}"
    backbone = load(name)
    assert backbone.random(3).fingerprint != backbone.random(4).fingerprint == backbone.random(4).fingerprint
    plain = f"file:{keras_files / 'plain.keras'}?preprocess=unit&size=32"
    assert load(plain).dim == 4
    assert load(plain).preprocess.size == (32, 32)


def test_it_is_built_again_without_keras_and_without_the_file(keras_files, tmp_path):
    file = shutil.copy(keras_files / "MobileNetV2.h5", tmp_path)
    backbone = load(f"keras:MobileNetV2?size=32&weights={file}")
    (tmp_path / "MobileNetV2.h5").unlink()
    state = {name: tensor.clone() for name, tensor in backbone.module.state_dict().items()}
    again = rebuild(backbone.spec, state, backbone.preprocess, backbone.name)
    assert again.fingerprint == backbone.fingerprint
    x = torch.randn(2, 3, 32, 32)
    with torch.inference_mode():
        assert torch.equal(again.module(x), backbone.module(x))
    assert "keras" not in sys.modules


@pytest.mark.parametrize("method", ["head", "fine-tune"])
def test_statistics_of_batches_stay_where_they_were(keras_files, tmp_path, monkeypatch, method):
    monkeypatch.setenv("HEADSTART_CACHE", str(tmp_path))
    name = f"file:{keras_files / 'own.keras'}"
    pictures = [np.random.default_rng(row).integers(0, 256, (33, 33, 3)).astype(np.uint8) for row in range(16)]
    options = {"epochs": 1, "lr": 1e-3}
    model = Transfer(name, method, options=options, engine="torch").fit(pictures, ["a", "b"] * 8)
    before, after = load(name).module.state_dict(), load(f"file:{model.save(tmp_path / 'm')}").module.state_dict()
    moved = {key for key, tensor in before.items() if not torch.equal(tensor, after[key])}
    assert any("running_" in key for key in before)
    assert not any("running_" in key or "num_batches" in key for key in moved)
    assert bool(moved) == (method == "fine-tune")


def test_weights_alone_do_not_say_how_the_network_is_built(keras_files):
    with pytest.raises(BackboneError, match=r"holds weights alone.*keras:NAME\?weights="):
        load(f"file:{keras_files / 'own.weights.h5'}")


def test_code_of_a_file_is_never_run(keras_files):
    with pytest.raises(BackboneError, match=r"the layer 'lambda' of the kind Lambda, whose code is not run"):
        load(f"file:{keras_files / 'lambda.keras'}?preprocess=none")
    with pytest.raises(BackboneError, match=r"of the kind Own, whose code is not run"):
        load(f"file:{keras_files / 'custom.keras'}?preprocess=none")


def test_how_pixels_are_scaled_is_never_guessed(keras_files):
    with pytest.raises(BackboneError, match=r"does not say how its pixels are scaled.*\?preprocess=MODE"):
        load(f"file:{keras_files / 'plain.keras'}")
    with pytest.raises(BackboneError, match=r"preprocess=torchy; expected caffe, tf, torch, unit, none"):
        load(f"file:{keras_files / 'plain.keras'}?preprocess=torchy")
    assert scaled("torch", (8, 8)).mean == (0.485, 0.456, 0.406)


def test_weights_of_another_network(keras_files, tmp_path):
    file = shutil.copy(keras_files / "own.keras", tmp_path)
    with zipfile.ZipFile(keras_files / "nested.keras") as other, zipfile.ZipFile(file) as own:
        config, weights = own.read("config.json"), other.read("model.weights.h5")
    with zipfile.ZipFile(file, "w") as mixed:
        mixed.writestr("config.json", config)
        mixed.writestr("model.weights.h5", weights)
    with pytest.raises(BackboneError, match=r"own.keras.*(of another network|do not fit the architecture)"):
        load(f"file:{file}")


def test_weights_of_another_width(keras_files, tmp_path):
    file = shutil.copy(keras_files / "own.h5", tmp_path)
    with h5py.File(file, "a") as store:
        group = store["model_weights"]["dense_1"]
        (name,) = (name for name in group.attrs["weight_names"] if "kernel" in str(name))
        kernel = np.asarray(group[name])
        del group[name]
        group[name] = kernel[:, :-1]
    with pytest.raises(BackboneError, match=r"has the shape \(11, .*expected \(12, "):
        load(f"file:{file}")


@pytest.mark.parametrize("ending", [".h5", ".keras"])
def test_half_a_file(keras_files, tmp_path, ending):
    data = (keras_files / f"own{ending}").read_bytes()
    (tmp_path / f"half{ending}").write_bytes(data[: len(data) // 2])
    with pytest.raises(BackboneError, match=r"half an HDF5 file|is not an HDF5 file"):
        load(f"file:{tmp_path / 'half'}{ending}")


def test_tensorflow_checkpoints_are_named_with_the_way_to_convert_them(tmp_path):
    (tmp_path / "model.h5").write_bytes(b"\x00\x00\x00\x12checkpoint of another kind")
    with pytest.raises(BackboneError, match=r"not an HDF5 file; a TensorFlow checkpoint\?.*save_weights"):
        load(f"file:{tmp_path / 'model.h5'}")
    (tmp_path / "model.ckpt.index").write_bytes(b"index")
    (tmp_path / "saved").mkdir()
    (tmp_path / "saved" / "checkpoint").write_text("model_checkpoint_path: x")
    for file in ("model.ckpt", "saved"):
        with pytest.raises(BackboneError, match=r"is a TensorFlow checkpoint, not one file.*save_weights"):
            load(f"keras:VGG16?weights={tmp_path / file}")


def test_missing_weights_say_the_file_the_place_and_the_command(tmp_path, monkeypatch):
    monkeypatch.setenv("KERAS_HOME", str(tmp_path))
    with pytest.raises(MissingWeights) as caught:
        load("keras:VGG16")
    message = str(caught.value)
    assert "vgg16_weights_tf_dim_ordering_tf_kernels_notop.h5" in message
    assert f"Looked in {tmp_path / 'models'}" in message
    assert 'python -c "import keras; keras.applications.VGG16(include_top=False)"' in message


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("VGG17", r"not one of the networks of keras.applications known here; nearest: VGG1"),
        ("VGG16?pooling=sum", r"pooling=sum; expected avg, max, flatten"),
        ("VGG16?size=7", r"size=7; expected pixels of a side, 32 to 1024"),
        ("VGG16?colour=red", r"expected nothing after '\?' but weights=..., seed=..., size=..., pooling=..."),
        ("VGG16?seed=3", r"weights=random&seed=NUMBER"),
        ("VGG16?weights=nowhere.h5", r"no file of weights nowhere.h5. Looked in"),
    ],
)
def test_names_that_cannot_be(name, words):
    with pytest.raises(BackboneError, match=words):
        load(f"keras:{name}")


@pytest.mark.slow
@pytest.mark.parametrize("name", ["VGG16", "MobileNetV2"])
def test_keras_says_how_a_network_is_built(keras_files, name):
    weights = "weights.h5" if name == "MobileNetV2" else "h5"
    expected = np.load(keras_files / f"{name}.npz")
    backbone = load(f"keras:{name}?size=32&weights={keras_files / name}.{weights}")
    close(features(backbone, expected["x"])[1], expected["y"])
    assert load(f"keras:{name}?size=32&weights=random").spec == load(f"keras:{name}?size=32&weights=random&seed=1").spec
