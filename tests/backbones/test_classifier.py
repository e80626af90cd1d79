"""The pretrained classifier: found by name, and the same logits as each library's own whole network."""

import json
from dataclasses import replace

import numpy as np
import pytest
import timm
import torch
from hypothesis import given
from hypothesis import strategies as st
from safetensors.torch import load_file, save_file
from scipy.special import softmax
from tokenizers import Tokenizer

from headstart import Transfer
from headstart.backbones.bundled import LITE0
from headstart.backbones.classifier import answers, matched, named
from headstart.backbones.load import load, rebuild
from headstart.backbones.timm import imagenet_labels
from headstart.backbones.weights import parse_weights
from headstart.data.arrays import as_task
from headstart.errors import BackboneError
from headstart.features.extract import Extraction
from headstart.features.feature_set import look
from headstart.heads.head import Head
from headstart.listener import Logged
from headstart.preprocessing.spec import preprocess_to_json

CATS = ("tabby, tabby cat", "tiger cat", "golden retriever", "Egyptian_cat", "tiger, Panthera tigris", "")
SENTENCES = ["the film was not good", "very dull", "a bright story was the film", "good"]
PLAIN = Extraction(engine="torch", precision="float32")
GRADES = {"id2label": {0: "dull", 1: "bright", 2: "so-so"}, "label2id": {"dull": 0, "bright": 1, "so-so": 2}}


def logits_of(classifier, inputs):
    """As any features are computed: (N, L)."""
    task = as_task(list(inputs), None, kind="classification", group=None)
    return look(task, classifier.backbone, PLAIN, Logged()).values


@pytest.mark.parametrize(
    ("classes", "expected"),
    [
        (["tabby", "golden retriever"], [0, -1, 1, -1, -1, -1]),
        (["Golden_Retriever", "EGYPTIAN-CAT", "tiger  cat"], [-1, 2, 0, 1, -1, -1]),
        (["tabby, tabby cat", "panthera tigris"], [0, -1, -1, -1, 1, -1]),
        (["tabby", "poodle"], None),
        (["tabby", "tabby cat"], None),
        (["tabby", "Tabby"], None),
        (["tiger cat", "cat"], None),
        (["tabby", ""], None),
        (["tabby", 1], None),
    ],
)
def test_a_class_is_found_by_any_of_its_labels_names(classes, expected):
    found = matched(CATS, classes)
    assert (found if found is None else found.tolist()) == expected


def test_numbers_are_not_names():
    assert matched(["0", "1"], [0, 1]) is None
    assert matched(["True", "False"], [False, True]) is None
    assert matched(["0", "1"], np.array([0, 1])) is None


def test_letters_written_in_two_ways_are_the_same_name():
    assert matched(["cafe\u0301", "STRASSE"], ["straße", "café"]).tolist() == [1, 0]


def test_several_labels_of_one_name_are_summed():
    groups = matched(["crane, bird", "ox", "crane", "dog"], ["crane", "dog"])
    assert groups.tolist() == [0, -1, 0, 1]
    p = np.array([[0.1, 0.5, 0.2, 0.2], [0.0625, 0.75, 0.125, 0.0625]])
    np.testing.assert_allclose(answers(np.log(p), groups), [[0.6, 0.4], [0.75, 0.25]])


@given(st.integers(1, 5), st.integers(1, 9), st.integers(0, 2**32 - 1))
def test_answers_are_the_softmax_over_all_labels_given_one_of_the_classes(classes, more, seed):
    rng = np.random.default_rng(seed)
    groups = rng.permutation(np.concatenate([np.arange(classes), rng.integers(-1, classes, more)]))
    logits = 5 * rng.normal(size=(3, len(groups)))
    p = softmax(logits, axis=1)
    sums = np.stack([p[:, groups == code].sum(1) for code in range(classes)], 1)
    np.testing.assert_allclose(answers(logits, groups), sums / sums.sum(1, keepdims=True))


def test_answers_stand_far_below_a_label_that_is_not_asked_for():
    found = answers(np.array([[5000.0, 0.0, 1.0]], np.float32), np.array([-1, 0, 1]))
    np.testing.assert_allclose(found, softmax([[0.0, 1.0]], axis=1))
    assert answers(np.empty((0, 2)), np.array([0, 1])).shape == (0, 2)


@pytest.mark.parametrize("labels", [["LABEL_0", "LABEL_1"], ["label 0", "cat"], ["cat"], ["cat", 1], ["", ""], []])
def test_numbered_labels_are_no_names(labels):
    assert named(labels, len(labels)) is None
    assert named([*labels, "dog"], 2) is None or labels == ["cat"]


def test_imagenets_labels_carry_words_and_identifier():
    labels = imagenet_labels("imagenet-1k")
    assert (len(labels), labels[0], labels[281]) == (
        1000,
        "tench, Tinca tinca, n01440764",
        "tabby, tabby cat, n02123045",
    )
    assert np.flatnonzero(matched(labels, ["n01440764", "goldfish"]) >= 0).tolist() == [0, 1]
    assert np.flatnonzero(matched(labels, ["crane"]) == 0).tolist() == [134, 517]
    assert len(imagenet_labels("imagenet-22k")) == 21841


def test_lite0_is_the_network_that_was_published():
    classifier = load("bundled:efficientnet-lite0").classifier()
    whole = timm.create_model("tf_efficientnet_lite0", num_classes=1000).eval()
    [path] = LITE0.files
    values = parse_weights(LITE0.read(path), path).values()
    whole.load_state_dict(dict(zip(whole.state_dict(), values, strict=True)))
    x = torch.randn(2, 3, 224, 224, generator=torch.Generator().manual_seed(0))
    with torch.inference_mode():
        torch.testing.assert_close(classifier.backbone.module(x), whole(x), atol=1e-5, rtol=1e-5)


def test_lite0_knows_a_palace_and_a_flower_without_any_training():
    from sklearn.datasets import load_sample_images

    classifier = load("bundled:efficientnet-lite0").classifier()
    logits = logits_of(classifier, load_sample_images().images)
    assert logits.shape == (2, 1000)
    groups = matched(classifier.labels, ["Daisy", "palace", "tabby cat"])
    assert answers(logits, groups).argmax(axis=1).tolist() == [1, 0]


@pytest.mark.parametrize("name", ["mobilenetv2", "wordllama"])
def test_bundled_weights_without_a_classifier_have_none(name):
    assert load(f"bundled:{name}").classifier is None


def test_neither_columns_nor_random_weights_have_a_classifier(timm_folder):
    assert load("identity").classifier is None
    assert load("timm:test_resnet?weights=random").classifier is None
    assert load(f"timm:{timm_folder}?weights=random").classifier is None
    backbone = load(f"timm:{timm_folder}")
    assert rebuild(backbone.spec, backbone.module.state_dict(), backbone.preprocess, "x").classifier is None


def test_a_classifier_is_a_backbone_of_its_own(timm_folder, edit):
    edit(timm_folder / "config.json", label_names=list("abcdefg"))
    backbone = load(f"timm:{timm_folder}")
    one, two = (backbone.classifier().backbone for _ in range(2))
    assert one.fingerprint == two.fingerprint != backbone.fingerprint
    assert one == replace(two, module=one.module)
    assert (one.preprocess, one.modality, one.dim) == (backbone.preprocess, "image", 7)
    assert one.name == f"timm:{timm_folder}+classifier"
    assert (one.random, one.classifier) == (None, None)
    assert not any(weights.requires_grad for weights in one.module.parameters())
    with pytest.raises(BackboneError, match=r"keys .*'classifier'.*; expected"):
        rebuild(one.spec, one.module.state_dict(), one.preprocess, "x")


@pytest.mark.parametrize("names", [list("abcdefg"), {str(index): name for index, name in enumerate("abcdefg")}])
def test_a_timm_folder_answers_as_the_network_that_was_saved(timm_folder, edit, names):
    edit(timm_folder / "config.json", label_names=names, label_descriptions={"b": "bee, honey bee"})
    classifier = load(str(timm_folder)).classifier()
    assert classifier.labels == ("a", "bee, honey bee, b", *"cdefg")
    torch.manual_seed(0)
    saved = timm.create_model("test_resnet", num_classes=7).eval()
    x = torch.randn(2, 3, *classifier.backbone.preprocess.size)
    with torch.inference_mode():
        assert torch.equal(classifier.backbone.module(x), saved(x))


def test_logits_of_a_timm_folder_without_a_name_belong_to_no_class(timm_folder, edit):
    edit(timm_folder / "config.json", label_names={"1": "ant", "3": "bee"})
    labels = load(str(timm_folder)).classifier().labels
    assert labels == ("", "ant", "", "bee", "", "", "")
    assert matched(labels, ["bee", "ant"]).tolist() == [-1, 1, -1, 0, -1, -1, -1]


@pytest.mark.parametrize(
    "names", [None, [], list("abc"), "abcdefg", [0, 1, 2, 3, 4, 5, 6], [f"LABEL_{i}" for i in range(7)]]
)
def test_a_timm_folder_whose_labels_have_no_names(timm_folder, edit, names):
    edit(timm_folder / "config.json", label_names=names)
    assert load(str(timm_folder)).classifier() is None


def test_a_timm_folder_of_imagenet_weights_has_its_labels(tmp_path, edit):
    model = timm.create_model("test_resnet").eval()
    timm.models.save_for_hf(model, tmp_path, safe_serialization=True)
    classifier = load(str(tmp_path)).classifier()
    assert classifier.labels == imagenet_labels("imagenet-1k")
    x = torch.randn(1, 3, *classifier.backbone.preprocess.size)
    with torch.inference_mode():
        assert torch.equal(classifier.backbone.module(x), model(x))
    config = json.loads((tmp_path / "config.json").read_text())
    edit(tmp_path / "config.json", pretrained_cfg={**config["pretrained_cfg"], "tag": "mine"})
    assert load(str(tmp_path)).classifier() is None


def test_nothing_is_loaded_before_it_is_asked_for(timm_folder, edit):
    edit(timm_folder / "config.json", label_names=list("abcdefg"))
    backbone = load(str(timm_folder))
    (timm_folder / "model.safetensors").write_bytes(b"nothing")
    with pytest.raises(BackboneError, match="not a readable file of weights"):
        backbone.classifier()


@pytest.fixture
def graded(bert):
    """A folder of a model that classifies texts, and that model."""
    from transformers import BertForSequenceClassification

    torch.manual_seed(1)
    model = BertForSequenceClassification.from_pretrained(bert, num_labels=3, **GRADES).eval()
    torch.nn.init.normal_(model.classifier.weight)
    model.save_pretrained(bert)
    return bert, model


def test_a_folder_that_classifies_texts_answers_as_the_library(graded):
    from transformers import AutoTokenizer

    folder, model = graded
    classifier = load(f"hf:{folder}").classifier()
    assert classifier.labels == ("dull", "bright", "so-so")
    tokenizer = AutoTokenizer.from_pretrained(folder)
    with torch.inference_mode():
        expected = torch.cat([model(**tokenizer(text, return_tensors="pt")).logits for text in SENTENCES])
    found = logits_of(classifier, SENTENCES)
    np.testing.assert_allclose(found, expected.numpy(), atol=1e-5, rtol=1e-4)
    groups = matched(classifier.labels, ["bright", "dull", "so so"])
    np.testing.assert_allclose(answers(found, groups), expected.softmax(1).numpy()[:, [1, 0, 2]], atol=1e-5)


def test_a_folder_that_classifies_pictures_answers_as_the_library(vit):
    from transformers import ViTForImageClassification

    torch.manual_seed(1)
    model = ViTForImageClassification.from_pretrained(vit, num_labels=3, **GRADES).eval()
    model.save_pretrained(vit)
    classifier = load(str(vit)).classifier()
    x = torch.randn(2, 3, 32, 32)
    with torch.inference_mode():
        assert torch.equal(classifier.backbone.module(x), model(x).logits)
    assert (classifier.labels, classifier.backbone.dim) == (("dull", "bright", "so-so"), 3)


def test_a_decoder_answers_at_its_last_token_and_only_if_it_knows_its_padding(gpt2, edit):
    from transformers import GPT2ForSequenceClassification

    torch.manual_seed(1)
    model = GPT2ForSequenceClassification.from_pretrained(gpt2, num_labels=3, **GRADES).eval()
    model.save_pretrained(gpt2)
    assert load(str(gpt2)).classifier() is None
    edit(gpt2 / "config.json", pad_token_id=0)
    classifier = load(str(gpt2)).classifier()
    tokenizer = Tokenizer.from_file(str(gpt2 / "tokenizer.json"))
    with torch.inference_mode():
        expected = [model(torch.tensor([tokenizer.encode(text).ids])).logits[0].numpy() for text in SENTENCES]
    np.testing.assert_allclose(logits_of(classifier, SENTENCES), expected, atol=1e-5, rtol=1e-4)


@pytest.mark.parametrize(
    "changes",
    [
        {"id2label": {"0": "LABEL_0", "1": "LABEL_1", "2": "LABEL_2"}},
        {"id2label": None, "label2id": None, "num_labels": 3},
        {"problem_type": "multi_label_classification"},
        {"problem_type": "regression"},
        {"architectures": ["BertModel"]},
        {"architectures": None},
        {"pad_token_id": 1},
    ],
)
def test_a_transformers_folder_that_names_no_classes(graded, edit, changes):
    folder, _ = graded
    edit(folder / "config.json", **changes)
    assert load(str(folder)).classifier() is None


@pytest.mark.parametrize("part", ["classifier.", "bert.pooler."])
def test_a_classifier_that_was_never_trained_is_none(graded, part):
    folder, _ = graded
    tensors = load_file(folder / "model.safetensors")
    kept = {name: tensor for name, tensor in tensors.items() if not name.startswith(part)}
    save_file(kept, folder / "model.safetensors", metadata={"format": "pt"})
    assert load(str(folder)).classifier() is None


def test_a_classifier_of_another_width_is_refused(graded, edit):
    folder, _ = graded
    edit(folder / "config.json", id2label={"0": "good", "1": "bad"}, label2id=None)
    with pytest.raises(BackboneError, match=r"do not fit config.json: classifier.bias has the shape"):
        load(str(folder)).classifier()


REVIEWS = [
    "A film that charms.",
    "Dull, and far too long.",
    "It works, and moves.",
    "A waste of an evening.",
    "Lovely.",
]


def test_a_saved_model_answers_as_itself(tmp_path):
    model = Transfer("bundled:wordllama", engine="torch", cache=False)
    model.fit(REVIEWS * 2, ["good", "bad", "good", "bad", "good"] * 2)
    assert model.backbone_.classifier is None
    classifier = load(f"file:{model.save(tmp_path / 'model')}").classifier()
    assert classifier.labels == ("bad", "good")
    inputs = [*REVIEWS, "I have not seen it."]
    found = answers(logits_of(classifier, inputs), matched(classifier.labels, ["Good", "bad"]))
    np.testing.assert_allclose(found[:, ::-1], model.predict_proba(inputs), atol=1e-4)


@pytest.fixture
def saved(tmp_path):
    """A folder as a fitted model keeps it, the backbone and the head in it."""
    backbone = load("timm:test_vit?weights=random")
    rng = np.random.default_rng(0)
    arrays = {"mean": rng.normal(size=64), "scale": rng.uniform(0.5, 2, 64), "weight.0": rng.normal(size=(64, 9))}
    arrays |= {"bias.0": rng.normal(size=9), "weight.1": rng.normal(size=(9, 2)), "bias.1": rng.normal(size=2)}
    head = Head(name="neural", kind="classification", arrays=arrays, temperature=2.5, form="root")
    stored = {"name": backbone.name, "spec": backbone.spec, "fingerprint": backbone.fingerprint}
    stored["preprocess"] = preprocess_to_json(backbone.preprocess)
    config = {"kind": "classification", "classes": ["bad", "good"], "backbone": stored}
    config["head"] = {"name": head.name, "form": head.form, "temperature": head.temperature}
    (tmp_path / "config.json").write_text(json.dumps(config))
    tensors = {f"backbone.{name}": tensor.clone() for name, tensor in backbone.module.state_dict().items()}
    tensors |= {f"head.{name}": torch.tensor(values) for name, values in arrays.items()}
    save_file(tensors, tmp_path / "model.safetensors")
    return tmp_path, backbone, head


def test_a_saved_model_with_a_hidden_layer_answers_as_its_head(saved):
    folder, backbone, head = saved
    classifier = load(str(folder)).classifier()
    x = torch.randn(3, 3, *backbone.preprocess.size)
    with torch.inference_mode():
        found, features = classifier.backbone.module(x), backbone.module(x)
    expected = head.predict(features.numpy())
    np.testing.assert_allclose(answers(found.numpy(), np.array([0, 1])), expected, atol=1e-5)


@pytest.mark.parametrize(
    "changes",
    [
        {"kind": "multilabel"},
        {"kind": "regression", "classes": []},
        {"classes": [0, 1]},
        {"classes": "bad"},
        {"head": None},
        {"head": {"form": "cube", "temperature": 1.0}},
    ],
)
def test_a_saved_model_that_cannot_answer_by_name(saved, edit, changes):
    edit(saved[0] / "config.json", **changes)
    assert load(str(saved[0])).classifier() is None


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"head": {"form": "plain"}}, "the head of this model cannot be read .*temperature.*save it again"),
        ({"head": {"form": "plain", "temperature": 0}}, "the head of this model cannot be read .*save it again"),
        ({"classes": ["bad", "good", "ugly"]}, "the classifier gives 2 logits for 3 labels: damaged"),
    ],
)
def test_a_saved_model_whose_head_is_damaged_is_refused(saved, edit, changes, words):
    edit(saved[0] / "config.json", **changes)
    with pytest.raises(BackboneError, match=words):
        load(str(saved[0])).classifier()
