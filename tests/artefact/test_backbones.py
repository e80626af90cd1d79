"""Models on real architectures, small and with random weights, and two on real pretrained ones."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import timm
import torch
from blake3 import blake3
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from headstart.artefact import read, verify, write
from headstart.artefact.files import seal
from headstart.artefact.strict_json import dump
from headstart.artefact.tensors import as_tensors, same_bits, stored_tensors, tensors_of, to_bytes
from headstart.backbones.load import load
from headstart.errors import ArtefactError

SMALL = "timm:test_resnet?weights=random"


def on(model, backbone, head):
    """The model on a backbone."""
    return replace(model, modality=backbone.modality, backbone=backbone, head=head(backbone.dim, len(model.classes)))


@pytest.fixture(scope="module")
def pictures(array_model, head):
    """A model for pictures, on a small network with batch normalisation."""
    return on(array_model, load(SMALL), head)


@pytest.fixture(scope="module")
def texts(array_model, head):
    """A model for texts, on real token vectors."""
    return on(array_model, load("bundled:wordllama"), head)


def features(backbone):
    draw = torch.Generator().manual_seed(0)
    if backbone is None:
        return np.linspace(-1, 1, 15).reshape(3, 5)
    if backbone.modality == "image":
        inputs = (torch.randn(3, 3, *backbone.preprocess.size, generator=draw),)
    else:
        inputs = (torch.randint(5, 500, (3, 12), generator=draw), torch.ones(3, 12, dtype=torch.int64))
    threads = torch.get_num_threads()
    torch.set_num_threads(1)  # as a forked process, with which bits are compared
    try:
        with torch.inference_mode():
            return backbone.module(*inputs).numpy()
    finally:
        torch.set_num_threads(threads)


def predictions(model):
    return model.head.predict(features(model.backbone))


def assert_same(again, model):
    assert same_bits(tensors_of(again, slim=False), tensors_of(model, slim=False)) is None
    assert np.array_equal(predictions(again), predictions(model))
    for name in ("name", "fingerprint", "dim", "spec", "preprocess", "stages", "licence"):
        assert getattr(again.backbone, name) == getattr(model.backbone, name)
    assert again.backbone.random(1).dim == model.backbone.dim


def test_pictures_come_back(tmp_path, pictures):
    folder = write(pictures, tmp_path / "m")
    assert_same(read(folder), pictures)
    stored = as_tensors(stored_tensors((folder / "model.safetensors").read_bytes(), "x"))
    assert stored["backbone.bn1.num_batches_tracked"].dtype == torch.int64


def test_texts_come_back_with_their_tokenizer(tmp_path, texts):
    folder = write(texts, tmp_path / "m")
    assert_same(read(folder), texts)
    assert (folder / "tokenizer.json").read_text() == texts.backbone.preprocess.tokenizer_json
    assert "tokenizer_json" not in verify(folder)["backbone"]["preprocess"]


@pytest.mark.parametrize(
    "names",
    [
        [SMALL, "bundled:wordllama", "timm:test_vit@2@cls?weights=random", "bundled:wordllama@max"],
        pytest.param(["bundled:efficientnet-lite0", "bundled:minilm"], marks=pytest.mark.slow),
    ],
)
def test_predictions_have_the_same_bits_in_a_fresh_process(preloaded, tmp_path, table_model, array_model, head, names):
    models = [*(on(array_model, load(name), head) for name in names), table_model]
    folders = [write(model, tmp_path / str(index)) for index, model in enumerate(models)]
    script = (
        "import sys, numpy as np\nsys.path.insert(0, sys.argv[1])\nfrom test_backbones import predictions, read\n"
        "for folder in sys.argv[2:]:\n    np.save(folder + '.npy', predictions(read(folder)))"
    )
    preloaded.checked(script, Path(__file__).parent, *folders)
    for folder, model in zip(folders, models, strict=True):
        assert np.array_equal(np.load(f"{folder}.npy"), predictions(model))


def test_the_backbone_need_not_be_built(tmp_path, pictures):
    folder = write(pictures, tmp_path / "m")
    light = read(folder, backbone=False)
    assert light.backbone is None
    assert np.array_equal(light.head.predict(features(pictures.backbone)), predictions(pictures))


@pytest.mark.parametrize("name", ["pictures", "texts"])
def test_a_slim_model_loads_its_backbone_by_name(tmp_path, request, name):
    model = request.getfixturevalue(name)
    folder = write(model, tmp_path / "m", slim=True)
    assert sorted(path.name for path in folder.iterdir()) == ["README.md", "config.json", "model.safetensors"]
    assert (folder / "model.safetensors").stat().st_size < 20_000
    assert_same(read(folder), model)


def test_a_slim_model_on_a_folder_loads_from_anywhere_and_says_where_it_was(tmp_path, pictures, monkeypatch):
    network = timm.create_model("test_resnet", num_classes=3)
    timm.models.save_for_hf(network, str(tmp_path / "first"), safe_serialization=True)
    monkeypatch.chdir(tmp_path)
    model = replace(pictures, backbone=load("file:first"))
    assert model.backbone.dim == pictures.backbone.dim
    folder = write(model, tmp_path / "m", slim=True)
    monkeypatch.chdir("/")
    assert read(folder).backbone.fingerprint == model.backbone.fingerprint
    (tmp_path / "first").rename(tmp_path / "second")
    with pytest.raises(ArtefactError, match=r"is not a folder.* Put it there again .* Looked in .*first"):
        read(folder)


def test_a_slim_model_on_a_layer_of_a_folder_loads_from_anywhere(tmp_path, array_model, head, monkeypatch):
    timm.models.save_for_hf(timm.create_model("test_resnet"), str(tmp_path / "first"), safe_serialization=True)
    monkeypatch.chdir(tmp_path)
    model = on(array_model, load("file:first@2@max"), head)
    folder = write(model, tmp_path / "m", slim=True)
    monkeypatch.chdir("/")
    assert read(folder).backbone.fingerprint == model.backbone.fingerprint
    assert json.loads((folder / "config.json").read_text())["backbone"]["name"] == f"file:{tmp_path}/first@2@max"
    (tmp_path / "first").rename(tmp_path / "second")
    with pytest.raises(ArtefactError, match=r"Looked in .*first$"):
        read(folder)


def test_a_slim_model_refuses_another_backbone(tmp_path, pictures, forge):
    folder = write(pictures, tmp_path / "m", slim=True)
    config = verify(folder)
    config["backbone"]["name"] = SMALL + "&seed=1"
    forge(folder, config)
    with pytest.raises(ArtefactError, match=r"is not the one the head was fitted on .*or fit again"):
        read(folder)


def test_a_slim_model_says_which_backbone_it_lacks(tmp_path, pictures, forge):
    folder = write(pictures, tmp_path / "m", slim=True)
    config = verify(folder)
    config["backbone"]["name"] = "bundled:nothing"
    forge(folder, config)
    with pytest.raises(ArtefactError, match=r"the backbone bundled:nothing is not stored here \(slim\): .*no such"):
        read(folder)


def test_a_slim_model_that_could_not_be_read_is_not_saved(tmp_path, pictures):
    lost = replace(pictures, backbone=replace(pictures.backbone, name="file:/nowhere"))
    with pytest.raises(ArtefactError, match=r"the backbone file:/nowhere is not stored here \(slim\)"):
        write(lost, tmp_path / "m", slim=True)
    assert list(tmp_path.iterdir()) == []


def put_tensors(folder, forge, change):
    data = to_bytes(change(as_tensors(stored_tensors((folder / "model.safetensors").read_bytes(), "x"))))
    (folder / "model.safetensors").write_bytes(data)
    config = verify_config(folder)
    config["files"]["model.safetensors"] = {"size": len(data), "blake3": blake3(data).hexdigest()}
    forge(folder, config)


def verify_config(folder):
    return json.loads((folder / "config.json").read_text())


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda t: t | {"backbone.bn1.weight": t["backbone.bn1.weight"] + 1}, "is not the one the head was fitted on"),
        (
            lambda t: {n: v for n, v in t.items() if n != "backbone.bn1.weight"},
            r"cannot be rebuilt: .*bn1.weight is",
        ),
        (lambda t: t | {"backbone.bn1.weight": torch.ones(1)}, "cannot be rebuilt: .*has the shape"),
    ],
)
def test_other_weights_are_refused(tmp_path, pictures, forge, change, words):
    folder = write(pictures, tmp_path / "m")
    put_tensors(folder, forge, change)
    with pytest.raises(ArtefactError, match=words):
        read(folder)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"spec": {"hub": "elsewhere"}}, "is stored here, but cannot be rebuilt: .*elsewhere"),
        ({"spec": {"hub": "timm", "architecture": "no_such_net", "args": {}}}, "is stored here, but cannot be rebuilt"),
        ({"preprocess": {"kind": "picture"}}, "preprocessing of kind 'picture': key 'interpolation' is missing"),
        ({"preprocess": {"kind": "text"}}, "a model for image inputs has text preprocessing, expected picture"),
        ({"preprocess": None}, "a model for image inputs has None preprocessing"),
        ({"dim": 7}, "for 7 features and 3 outputs"),
        ({"stored": 1}, "backbone.stored is 1, expected true or false"),
    ],
)
def test_a_forged_backbone_is_refused(tmp_path, pictures, forge, changes, words):
    folder = write(pictures, tmp_path / "m")
    config = verify_config(folder)
    config["backbone"] |= changes
    forge(folder, config)
    with pytest.raises(ArtefactError, match=words):
        read(folder)


anything = st.none() | st.booleans() | st.integers() | st.text(max_size=5) | st.lists(st.integers(), max_size=2)


@given(data=st.data())
@settings(max_examples=40, deadline=None)
def test_any_forged_value_of_a_backbone_is_an_error_or_harmless(tmp_path_factory, pictures, data):
    folder = tmp_path_factory.mktemp("m") / "m"
    config = verify(write(pictures, folder))
    part = data.draw(st.sampled_from(["backbone", "preprocess", "spec"]))
    forged = config["backbone"] if part == "backbone" else config["backbone"][part]
    forged[data.draw(st.sampled_from(sorted(forged)))] = data.draw(anything)
    (folder / "config.json").write_bytes(dump(seal(config)))
    try:
        assert read(folder).backbone.fingerprint == pictures.backbone.fingerprint
    except ArtefactError as error:
        assert str(folder) in str(error)  # noqa: PT017 - either outcome is right


@pytest.mark.parametrize("tokenizer", [None, b"\xff\xfe", b"{}"])
def test_a_forged_tokenizer_is_refused(tmp_path, texts, forge, tokenizer):
    folder = write(texts, tmp_path / "m")
    config = verify_config(folder)
    del config["files"]["tokenizer.json"]
    if tokenizer is not None:
        (folder / "tokenizer.json").write_bytes(tokenizer)
        config["files"]["tokenizer.json"] = {"size": len(tokenizer), "blake3": blake3(tokenizer).hexdigest()}
    forge(folder, config)
    with pytest.raises(ArtefactError, match=r"tokenizer.json, which a text|tokenizer.json is not UTF-8|tokenizer_json"):
        read(folder)


class Tied(nn.Module):
    def __init__(self):
        super().__init__()
        self.one = nn.Linear(3, 3)
        self.two = nn.Linear(3, 3)
        self.two.weight = self.one.weight
        self.register_buffer("seen", torch.tensor(7))
        self.register_buffer("part", torch.arange(6.0).reshape(2, 3)[:, 1])


def test_tied_and_sliced_tensors_are_stored_each(pictures):
    tied = replace(pictures, backbone=replace(pictures.backbone, module=Tied()))
    stored = as_tensors(stored_tensors(to_bytes(tensors_of(tied, slim=False)), "x"))
    assert torch.equal(stored["backbone.one.weight"], stored["backbone.two.weight"])
    assert stored["backbone.seen"] == 7
    assert stored["backbone.part"].tolist() == [1.0, 4.0]


@pytest.mark.parametrize("name", ["pictures", "texts"])
def test_a_model_is_a_backbone_for_another_model(tmp_path, request, name):
    model = request.getfixturevalue(name)
    folder = write(model, tmp_path / "m")
    assert load(f"file:{folder}").fingerprint == model.backbone.fingerprint
