"""Folders in transformers' format: which architectures hold a model, exactly, and which are refused in words."""

import json
from dataclasses import replace

import numpy as np
import pytest
from exported import (
    CLASSES,
    DINO,
    DISTILBERT,
    GPT,
    POOLED_VIT,
    SWIN_ROW,
    TEXTS,
    VIT,
    fitted_on,
    labels,
    soft_pictures,
)

from headstart.deployment.formats.export import export
from headstart.transfer import Transfer

PICTURES = soft_pictures()


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("transformers")


@pytest.fixture(scope="module")
def vit(folder):
    return fitted_on(VIT, folder / "vit", PICTURES)


@pytest.fixture(scope="module")
def exported(folder, vit):
    return export(vit, folder / "vit-out", format="transformers", check_on=PICTURES)


def answers(folder, inputs):
    """What transformers alone says, from the folder's own files."""
    import torch
    from transformers import AutoImageProcessor, AutoModelForImageClassification

    network = AutoModelForImageClassification.from_pretrained(folder)
    processor = AutoImageProcessor.from_pretrained(folder)
    with torch.inference_mode():
        return network, network(**processor(images=inputs, return_tensors="pt")).logits.softmax(1).numpy()


def test_a_picture_network_answers_as_the_model_from_the_picture_on(exported, vit):
    new = soft_pictures(6, seed=5)
    network, p = answers(exported.path, new)
    np.testing.assert_allclose(p, vit.predict_proba(new), atol=1e-5)
    assert network.config.id2label == dict(enumerate(vit.classes_))
    assert network.config.label2id == {label: number for number, label in enumerate(vit.classes_)}


def test_what_is_compared_is_told(exported):
    assert exported.parity.rows == len(PICTURES)
    assert exported.parity.largest <= 1e-5
    assert {"config.json", "model.safetensors", "preprocessor_config.json", "README.md"} <= {
        file.name for file in exported.files
    }


@pytest.mark.parametrize("row", [SWIN_ROW, DINO], ids=lambda row: row.network)
def test_other_networks_of_pictures(row, folder):
    fitted = fitted_on(row, folder / row.network, PICTURES)
    told = export(fitted, folder / f"{row.network}-out", format="transformers", check_on=PICTURES)
    assert told.parity.largest <= 1e-5


def test_a_head_on_the_pooler_is_refused(folder):
    fitted = fitted_on(POOLED_VIT, folder / "pooled", PICTURES)
    with pytest.raises(ValueError, match=r"ViTForImageClassification has no pooler.*--onnx"):
        export(fitted, folder / "pooled-out", format="transformers", check_on=PICTURES)
    assert not (folder / "pooled-out").exists()


@pytest.mark.parametrize(("row", "pool"), [(GPT, ""), (DISTILBERT, "@cls")], ids=["GPT-2", "DistilBERT at cls"])
def test_texts(row, pool, folder):
    """GPT-2's layer has no bias, and DistilBERT's head a dense layer with ReLU: both hold the head exactly."""
    import torch
    from transformers import AutoModelForSequenceClassification, AutoTokenizer

    fitted = fitted_on(row, folder / row.network, TEXTS, pool=pool)
    told = export(fitted, folder / f"{row.network}-out", format="transformers", check_on=TEXTS)
    network = AutoModelForSequenceClassification.from_pretrained(told.path)
    tokenizer = AutoTokenizer.from_pretrained(told.path)
    new = ["the film was bright", "a very very very dull story and not a good film", "bad"]
    with torch.inference_mode():
        logits = network(**tokenizer(new, padding=True, truncation=True, return_tensors="pt")).logits
    np.testing.assert_allclose(logits.softmax(1).numpy(), fitted.predict_proba(new), atol=1e-4)


def test_the_mean_of_all_tokens_is_refused(folder):
    fitted = fitted_on(DISTILBERT, folder / "mean", TEXTS, method="head", options={"epochs": 1})
    words = r"DistilBertForSequenceClassification does not stand on .* \(the mean of all tokens .*--onnx"
    with pytest.raises(ValueError, match=words):
        export(fitted, folder / "mean-out", format="transformers", check_on=TEXTS)


def test_values_and_several_labels(folder, vit):
    from transformers import AutoConfig

    target, name, once = np.linspace(-3, 40, len(PICTURES)), vit.model_.backbone.name, {"epochs": 1}
    values = Transfer(name, "head", kind="regression", options=once, cache=False).fit(PICTURES, target)
    told = export(values, folder / "values", format="transformers", check_on=PICTURES)
    assert AutoConfig.from_pretrained(told.path).problem_type == "regression"
    both = np.stack([np.arange(24) % 2, np.arange(24) > 11], 1).astype(int)
    several = Transfer(name, "head", kind="multilabel", options=once, cache=False).fit(PICTURES, both)
    told = export(several, folder / "several", format="transformers", check_on=PICTURES)
    assert told.parity.largest <= 1e-5
    assert AutoConfig.from_pretrained(told.path).problem_type == "multi_label_classification"


def test_networks_of_other_hubs_and_heads_of_more_layers_are_refused(folder, vit):
    other = Transfer("timm:test_resnet?weights=random", "ridge", engine="torch", cache=False).fit(PICTURES, labels())
    with pytest.raises(ValueError, match=r"holds a network of transformers, and this model has the backbone timm:"):
        export(other, folder / "other", format="transformers", check_on=PICTURES)
    rooted = r"on the square roots of the features: fit with --method ridge --option root=no.* head or fine-tune"
    other.model_ = replace(other.model_, head=replace(other.model_.head, form="root"))
    with pytest.raises(ValueError, match=rooted):
        export(other, folder / "other", format="transformers", check_on=PICTURES)
    kernel = Transfer(vit.model_.backbone.name, "kernel", engine="torch", cache=False).fit(PICTURES, labels())
    with pytest.raises(ValueError, match=r"one linear layer on the features, and this model has the head 'kernel'"):
        export(kernel, folder / "kernel", format="transformers", check_on=PICTURES)


def test_the_folder_is_a_backbone_again(exported, vit):
    again = Transfer(f"hf:{exported.path}", "ridge", engine="torch", cache=False).fit(PICTURES, labels())
    assert again.model_.backbone.dim == vit.model_.backbone.dim
    np.testing.assert_allclose(again.transform(PICTURES), vit.transform(PICTURES), atol=1e-5)
    classifier = again.model_.backbone.classifier()
    assert classifier.labels == tuple(sorted(CLASSES))
    assert json.loads((exported.path / "config.json").read_text())["architectures"] == ["ViTForImageClassification"]
