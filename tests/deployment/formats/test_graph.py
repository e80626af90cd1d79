"""The module of a whole prediction answers as the model: of every modality, of averages and goals; without a file."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from explained import fitted, head
from torch import nn

import headstart as hs
from headstart.artefact.model import Member
from headstart.backbones.backbone import Backbone
from headstart.data.arrays import as_task
from headstart.deployment.formats.feeds import batches, feeds
from headstart.deployment.formats.graph import graph_of, of_one_length, run
from headstart.deployment.formats.made_up import made_up
from headstart.deployment.formats.sample import exact_features
from headstart.errors import ArtefactError
from headstart.methods.answers import answers_of
from headstart.preprocessing.numbers import NumberPreprocess
from headstart.preprocessing.sound import SoundPreprocess
from headstart.tasks import MULTILABEL, REGRESSION
from headstart.tasks.goal import Decided


def same(model, task, tolerance=1e-5):
    """Batch by batch, and in the same decisions."""
    graph = graph_of(model.model_)
    rows = exact_features(model, task)
    assert len(rows) == len(task)
    answers = answers_of(model.model_, rows)
    p = answers.predictions if isinstance(answers, Decided) else answers
    decided = answers.decisions if isinstance(answers, Decided) else model.model_.head.decide(p)
    parts = [run(graph, made) for _, made in batches(task, graph.readings)]
    outputs = {name: np.concatenate([part[name] for part in parts]) for name in graph.outputs}
    if not model.model_.kind.has_classes:
        np.testing.assert_allclose(outputs["values"], p, rtol=tolerance, atol=tolerance)
        return outputs
    np.testing.assert_allclose(outputs["probabilities"], p, atol=tolerance)
    np.testing.assert_array_equal(outputs["decision"], decided)
    return outputs


class Heard(nn.Module):
    """Loudness and change of waves: (waves (N, T), samples (N,)) -> (N, 2)."""

    def __init__(self):
        super().__init__()
        self.scale = nn.Parameter(torch.ones(()))

    def forward(self, waves, samples):
        change = (waves[:, 1:] - waves[:, :-1]).abs().sum(1)
        return self.scale * torch.stack([waves.square().sum(1), change], 1) / samples[:, None]


def sound_backbone():
    form = SoundPreprocess(rate=8000, max_samples=4000, min_samples=200)
    return Backbone(
        name="heard", modality="audio", module=Heard().eval(), dim=2, preprocess=form, fingerprint="heard", spec={}
    )


def test_pictures_of_all_sizes(tiny):
    model = fitted(tiny, "image", head(6))
    outputs = same(model, made_up(model.model_, 12))
    assert outputs["features"].shape == (12, 6)


def test_grey_and_transparent_pictures_and_a_single_pixel(tiny):
    rng = np.random.default_rng(0)
    shapes = [(30, 40), (1, 1), (25, 60, 4), (300, 20, 3)]
    model = fitted(tiny, "image", head(6))
    same(model, as_task([rng.integers(0, 256, shape, dtype=np.uint8) for shape in shapes]))


def test_texts(words):
    same(fitted(words, "text", head(5, 2), classes=("bad", "good")), as_task(["a b c", "d", "a e f g h i j k l m"]))


def test_recordings_shorter_and_longer_than_a_window():
    model = fitted(sound_backbone(), "audio", head(2))
    task = made_up(model.model_, 6)
    assert {clip.frames > 4000 for clip in task.inputs} == {True, False}
    same(model, task)


def test_waves_of_one_length_answer_the_same():
    model = fitted(sound_backbone(), "audio", head(2))
    task, graph = made_up(model.model_, 3), graph_of(model.model_)
    whole = of_one_length(graph)
    assert whole is not None
    made, padded = (feeds(task, each.readings) for each in (graph, whole))
    assert padded["waves"].shape[1] == 4000
    expected = run(graph, made)["probabilities"]
    np.testing.assert_allclose(run(whole, padded)["probabilities"], expected, atol=0.05)  # Heard hears the end
    assert of_one_length(whole) is None


def test_rows_of_numbers_with_gaps():
    form = NumberPreprocess(mean=(1.0, -2.0, 3.0), scale=(2.0, 1.0, 0.5))
    module = nn.Sequential(nn.Linear(3, 4), nn.Tanh()).eval()
    backbone = Backbone(
        name="numbers", modality="array", module=module, dim=4, preprocess=form, fingerprint="numbers", spec={}
    )
    model = fitted(backbone, "array", head(4))
    graph = graph_of(model.model_)
    rows = np.array([[1.0, np.nan, 3.0], [np.inf, 1e30, -4.0]])
    expected = module(torch.from_numpy(np.stack([form.prepare(row)[0] for row in rows])))
    features = run(graph, {"columns": rows})["features"]
    np.testing.assert_allclose(features, expected.detach().numpy(), atol=1e-6)


def test_decisions_follow_the_goal_and_not_the_likeliest():
    costs = np.array([[1.0, 0.0, 0.0], [0.0, 0.2, 0.0], [0.0, 0.0, 0.1]])
    model = fitted(None, "array", head(4, utility=costs))
    rows = np.random.default_rng(0).normal(size=(50, 4))
    graph = graph_of(model.model_)
    outputs = run(graph, {"columns": rows})
    expected = model.model_.head.answer(rows)
    np.testing.assert_array_equal(outputs["decision"], expected.decisions)
    assert (outputs["decision"] != outputs["probabilities"].argmax(1)).any()


def test_labels_and_values():
    rows = np.random.default_rng(0).normal(size=(50, 4))
    several = fitted(None, "array", head(4, kind=MULTILABEL))
    outputs = run(graph_of(several.model_), {"columns": rows})
    np.testing.assert_array_equal(outputs["decision"], several.model_.head.decide(several.model_.head.predict(rows)))
    values = fitted(None, "array", replace(head(4, 1, kind=REGRESSION), temperature=1.0), classes=())
    outputs = run(graph_of(values.model_), {"columns": rows})
    np.testing.assert_allclose(outputs["values"], values.model_.head.predict(rows))


def test_models_that_are_averaged_share_their_pictures(tiny, make):
    other = fitted(make.backbone(1), "image", head(6, seed=1)).model_
    model = fitted(tiny, "image", head(6))
    model.hold(replace(model.model_, beside=(Member(0.3, other),)))
    outputs = same(model, made_up(model.model_, 4))
    assert "features" not in outputs
    assert graph_of(model.model_).inputs == ("pixels",)


def test_networks_that_read_texts_otherwise_have_inputs_of_their_own(words):
    wider = replace(words.preprocess, max_length=4)
    other = fitted(replace(words, preprocess=wider, fingerprint="other"), "text", head(5, 2), classes=("bad", "good"))
    model = fitted(words, "text", head(5, 2), classes=("bad", "good"))
    model.hold(replace(model.model_, beside=(Member(0.3, other.model_),)))
    graph = graph_of(model.model_)
    assert graph.inputs == ("input_ids", "attention_mask", "input_ids.2", "attention_mask.2")
    same(model, as_task(["a b c d e f g", "n"]))


def test_models_of_descriptions_are_refused_in_words():
    rng = np.random.default_rng(0)
    pictures = [rng.integers(0, 256, (20, 20, 3), dtype=np.uint8) // (1 + row % 2) for row in range(12)]
    model = hs.Transfer(method="no-transfer", cache=False).fit(pictures, [row % 2 for row in range(12)])
    with pytest.raises(ArtefactError, match="without a network stands on descriptions"):
        graph_of(model.model_)
