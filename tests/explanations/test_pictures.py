"""Pictures: Grad-CAM against Captum's, roll-out against products by hand, parts that are blurred away."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from captum.attr import LayerGradCam
from explained import fitted, head
from onnx import TensorProto, helper, numpy_helper, save
from PIL import Image
from tiny_backbones import picture_backbone
from torch import nn
from torch.nn import functional

from headstart.backbones.load import load
from headstart.explanations.explain import case_of, explain
from headstart.explanations.grad_cam import grad_cam
from headstart.explanations.network import network_of
from headstart.explanations.pictures import PictureCase
from headstart.explanations.question import Question
from headstart.explanations.rollout import Attentions, attentions_of, rolled_out
from headstart.features.extraction import Extraction
from headstart.tasks import CLASSIFICATION

EXTRACTION = Extraction(engine="torch")
QUESTION = Question(kind=CLASSIFICATION, code=1, against=2)


class Seeing(nn.Module):
    """A small vision transformer: a class token and 4 x 4 places, two layers of attention -> (N, 8)."""

    def __init__(self):
        super().__init__()
        self.patches = nn.Conv2d(3, 8, 8, 8)
        self.cls_token = nn.Parameter(torch.randn(1, 1, 8))
        self.layers = nn.ModuleList(nn.Linear(8, 24) for _ in range(2))

    def forward(self, pixels):
        x = self.patches(pixels).flatten(2).transpose(1, 2)
        x = torch.cat([self.cls_token.expand(len(x), -1, -1), x], 1)
        for layer in self.layers:
            q, k, v = (part.unflatten(2, (2, 4)).transpose(1, 2) for part in layer(x).chunk(3, 2))
            x = x + functional.scaled_dot_product_attention(q, k, v).transpose(1, 2).flatten(2)
        return x[:, 0]


@pytest.fixture
def seeing():
    torch.manual_seed(0)
    return fitted(picture_backbone(0, Seeing(), 8), "image", head(8))


def test_grad_cam_is_captums_before_its_rectifier(pictures, picture):
    network = network_of(pictures.model_)
    inputs = network.tensors([PictureCase(pictures.model_, picture, EXTRACTION).pixels])
    own = grad_cam(network, QUESTION, inputs)
    last = network.backbone.net[3]
    theirs = LayerGradCam(lambda x: QUESTION.of_logits(network.logits(x)), last).attribute(inputs[0].requires_grad_())
    np.testing.assert_allclose(own, theirs[0, 0].detach().numpy(), rtol=1e-4, atol=1e-7)


def test_grad_cam_of_pooled_maps_under_a_linear_head_adds_up_to_the_answer(pictures, picture):
    """The mean over places of the map is then W x, what the features add to the difference of two logits."""
    model = pictures.model_
    network, case = network_of(model), PictureCase(model, picture, EXTRACTION)
    inputs = network.tensors([case.pixels])
    with torch.no_grad():
        x = network.backbone(*inputs)[0].double().numpy()
    arrays = model.head.arrays
    W = arrays["weight.0"] / arrays["scale"][:, None] / model.head.temperature
    assert grad_cam(network, QUESTION, inputs).sum() == pytest.approx(x @ (W[:, 1] - W[:, 2]), rel=1e-4)


def test_integrated_gradients_of_a_picture_add_up(pictures, picture):
    attribution = PictureCase(pictures.model_, picture, EXTRACTION).ways["integrated-gradients"](QUESTION)
    assert attribution.gap < 0.02 * max(1.0, abs(attribution.score - attribution.base))
    assert attribution.values.sum() == pytest.approx(attribution.fine.sum(), rel=1e-6)


def test_attention_that_is_kept_is_the_one_that_was_used(seeing):
    q, k, v = torch.randn(3, 1, 2, 5, 4)
    with Attentions() as kept:
        out = functional.scaled_dot_product_attention(q, k, v)
    torch.testing.assert_close(kept.layers[0] @ v, out)


def test_roll_out_is_the_product_of_layers_with_the_residual(seeing, picture):
    network = network_of(seeing.model_)
    inputs = network.tensors([PictureCase(seeing.model_, picture, EXTRACTION).pixels])
    first, second = (layer.numpy() for layer in attentions_of(network, inputs))
    expected = (second + np.eye(17)) / 2 @ ((first + np.eye(17)) / 2)
    R = rolled_out(attentions_of(network, inputs)).numpy()
    np.testing.assert_allclose(R, expected, rtol=1e-12)
    np.testing.assert_allclose(R.sum(1), 1.0, rtol=1e-6)


def test_a_transformer_is_explained_by_roll_out_which_no_head_changes(seeing, picture):
    explanation = explain(seeing, [picture])[0]
    assert explanation.how == "rollout"
    assert explanation.checks.randomisation.head == 1.0
    assert not explanation.checks.randomisation.changed
    assert any("same for every class" in note for note in explanation.notes)
    assert explanation.fine.shape == explanation.picture.shape[:2]


def test_where_everything_is_there_the_model_is_asked_about_the_picture_itself(pictures, picture):
    case = case_of(pictures.model_, picture, EXTRACTION)
    own = pictures.predict_proba([picture])
    np.testing.assert_allclose(case.ask(np.ones((1, len(case.parts)), bool)), own, atol=1e-5)
    gone = case.ask(np.zeros((1, len(case.parts)), bool))
    np.testing.assert_allclose(gone, network_of(pictures.model_).predict([case.blurred], CLASSIFICATION), atol=1e-6)


def test_occlusion_says_where_the_only_colour_is(pictures):
    """Of a picture that is grey but for a corner nothing else can matter."""
    pixels = np.full((36, 36, 3), 128, np.uint8)
    pixels[4:12, 4:12] = (255, 0, 0)
    case = case_of(pictures.model_, pixels, EXTRACTION)
    values = np.abs(case.ways["occlusion"](QUESTION).values.reshape(case.shape))
    assert values[:4, :4].sum() > 5 * values[4:, 4:].sum()


def test_trees_have_no_slope_and_are_explained_by_occlusion(pictures, picture):
    trees = np.zeros((3, 3, 5))
    trees[:, 0] = (0, 0.0, 1, 2, 0)
    trees[:, 1:, 0] = -1
    trees[:, 1, 4], trees[:, 2, 4] = (-1, 0, 1), (1, 0, -1)
    own = head(6, **{"trees": trees, "weight.0": np.eye(3), "bias.0": np.zeros(3)})
    model = pictures.hold(replace(pictures.model_, head=replace(own, name="boosting")))
    explanation = explain(model, [picture], check=False)[0]
    assert explanation.how == "occlusion"
    assert any("made of steps, whose slope is 0" in note for note in explanation.notes)
    with pytest.raises(ValueError, match="cannot be had here, since the boosting head is made of steps"):
        explain(model, [picture], how="integrated-gradients")


def test_several_pictures_of_which_one_cannot_be_read(pictures, picture, tmp_path):
    Image.fromarray(picture).save(tmp_path / "whole.png")
    (tmp_path / "broken.png").write_bytes(b"\x89PNG no picture")
    result = explain(pictures, [str(tmp_path / "broken.png"), str(tmp_path / "whole.png")], check=False)
    assert [explanation.name for explanation in result.each] == [str(tmp_path / "whole.png")]
    assert result.set_aside[0].name == str(tmp_path / "broken.png")
    with pytest.raises(ValueError, match="no input can be explained"):
        explain(pictures, [str(tmp_path / "broken.png")])


def test_an_onnx_file_has_no_gradients_and_is_explained_by_occlusion(picture, tmp_path):
    file = tmp_path / "network.onnx"
    kernel = numpy_helper.from_array(np.random.default_rng(0).normal(size=(6, 3, 3, 3)).astype(np.float32), "kernel")
    nodes = [
        helper.make_node("Conv", ["x", "kernel"], ["map"]),
        helper.make_node("Relu", ["map"], ["y"]),
        helper.make_node("GlobalAveragePool", ["y"], ["p"]),
        helper.make_node("Flatten", ["p"], ["z"]),
    ]
    ends = [
        [helper.make_tensor_value_info(name, TensorProto.FLOAT, shape)]
        for name, shape in (("x", ["N", 3, 32, 32]), ("z", ["N", 6]))
    ]
    graph = helper.make_graph(nodes, "network", *ends, [kernel])
    save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8), file)
    model = fitted(load(f"onnx:{file}?preprocess=torch"), "image", head(6))
    explanation = explain(model, [picture])[0]
    assert explanation.how == "occlusion"
    assert any("an ONNX file" in note for note in explanation.notes)
    assert explanation.checks.randomisation.all is None
