"""A modality that headstart does not know, made in this file: fitted, asked, tested, saved and loaded by public calls.

Sequences of numbers of different lengths, as tuples. What is here is all that a modality consists of: the value, its
preprocessing, a hub with a backbone, and a model without transfer.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, ClassVar

import numpy as np
import pytest
import torch
from sklearn.base import clone
from torch import nn

import headstart as hs
from headstart.backbones.assemble import ARCHITECTURES
from headstart.backbones.load import _PARTS, HUBS, register_hub
from headstart.backbones.parts import Parts
from headstart.backbones.randomness import seeded
from headstart.evidence.baselines.no_transfer import LEARNERS
from headstart.evidence.baselines.tables import learn_table
from headstart.preprocessing.preprocess import PREPROCESSES, Preprocess, Schema, register_preprocess
from headstart.tasks import ARRAY, MODALITIES, Modality, Task, register_modality


class Steps(Modality):
    """Sequences of numbers."""

    __slots__ = ()
    noun = card_noun = "sequences"
    card_example = ("NEW_DATA", "[(0.5, 1.5)]")
    backbone = "toy:waves"

    def recognises(self, items: list[Any]) -> bool:
        return all(isinstance(item, tuple) for item in items)

    def obstacle(self, item: Any) -> str:
        return "" if item else "the sequence is empty"

    def content(self, item: Any) -> bytes:
        return np.asarray(item, "<f8").tobytes()


STEPS = Steps("steps")


@dataclass(frozen=True, kw_only=True)
class StepsPreprocess(Preprocess):
    """From numbers to numbers in another unit, at most so many."""

    kind: ClassVar[str] = "steps"
    modality: ClassVar[Modality] = STEPS
    schema: ClassVar[Schema] = {
        "most": (lambda value: type(value) is int and value > 0, "a whole number"),
        "unit": (lambda value: type(value) is float, "a number"),
    }

    most: int
    unit: float

    def prepare(self, item: Any) -> tuple[np.ndarray, int]:
        return np.asarray(item[: self.most], np.float32) / np.float32(self.unit), max(0, len(item) - self.most)

    def collate(self, prepared: Sequence[np.ndarray]) -> tuple[np.ndarray, ...]:
        numbers = np.zeros((len(prepared), max(map(len, prepared))), np.float32)
        mask = np.zeros(numbers.shape, np.int64)
        for row, some in enumerate(prepared):
            numbers[row, : len(some)], mask[row, : len(some)] = some, 1
        return numbers, mask

    def vary(self, batch: tuple[np.ndarray, ...], place: int, length: int, rng: np.random.Generator) -> None:
        batch[0][place, :length] += rng.normal(0, 0.01, length)

    def largest(self) -> tuple[torch.Tensor, ...]:
        return torch.zeros(1, self.most), torch.ones(1, self.most).long()

    def probe(self) -> tuple[np.ndarray, ...]:
        return self.collate([np.sin(np.arange(n, dtype=np.float32)) for n in (3, 9, 5, 7)])


class Waves(nn.Module):
    """Numbers and mask (N, L) to the mean of each of some filters (N, width)."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.first = nn.Conv1d(1, width, 3, padding=1)
        self.second = nn.Conv1d(width, width, 3, padding=1)

    def forward(self, numbers: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
        mask = mask.unsqueeze(1).to(numbers.dtype)
        hidden = self.second(self.first(numbers.unsqueeze(1)).relu() * mask).relu() * mask
        return hidden.sum(2) / mask.sum(2)


def build(spec: dict[str, Any]) -> nn.Module:
    return Waves(spec["width"])


def waves(name: str) -> Parts:
    with seeded(7):
        return Parts(f"toy:{name}", {"hub": "toy", "width": 24}, Waves(24), StepsPreprocess(most=12, unit=2.0), "MIT")


def summary(items: Sequence[Any]) -> np.ndarray:
    return np.array([[len(item), np.mean(item), np.std(item)] for item in items])


def learn_steps(train: Task, new: Any, folds: Any, class_weight: Any, seed: int, aim: Any) -> Any:
    numbers = replace(train, inputs=summary(train.inputs), modality=ARRAY)
    return learn_table(numbers, summary(new), folds=folds, class_weight=class_weight, seed=seed, aim=aim)


@pytest.fixture(autouse=True)
def known():
    register_modality(STEPS)
    register_preprocess(StepsPreprocess)
    register_hub("toy", "toy:NAME, sequences", waves, keys=("width",), build=build)
    LEARNERS[STEPS] = learn_steps
    yield
    del MODALITIES["steps"], PREPROCESSES["steps"], HUBS["toy"], _PARTS["toy"], ARCHITECTURES["toy"], LEARNERS[STEPS]


def sequences(count: int, seed: int = 0, shift: float = 0.0) -> tuple[list[tuple[float, ...]], list[str]]:
    """Slow and fast waves of the same mean, spread and lengths."""
    rng = np.random.default_rng(seed)
    labels = ["fast" if row % 2 else "slow" for row in range(count)]
    items = []
    for label in labels:
        time, start = np.arange(rng.integers(6, 15)), rng.uniform(0, 6.3)
        wave = np.sin(start + time * (2.6 if label == "fast" else 0.7))
        items.append(tuple((wave + shift + rng.normal(0, 0.1, len(time))).tolist()))
    return items, labels


def task_of(count: int, seed: int = 0, shift: float = 0.0) -> Task:
    """With a split, for one trial: every other pair of rows is tested on."""
    items, labels = sequences(count, seed, shift)
    codes = np.array([["fast", "slow"].index(label) for label in labels])
    split = np.where(np.arange(count) % 4 < 2, "train", "test")
    return Task(
        inputs=items, targets=codes, kind="classification", modality=STEPS, classes=("fast", "slow"), split=split
    )


def same_after_a_round_trip(model: hs.Transfer, folder: Any, items: list[Any], **options: Any) -> hs.Transfer:
    answers = model.predict_proba(items)
    again = hs.Transfer.load(model.save(folder, **options))
    np.testing.assert_allclose(again.predict_proba(items), answers, rtol=1e-5, atol=1e-6)
    assert again.model_.modality is STEPS
    return again


def test_a_fit_is_tested_saved_and_loaded(tmp_path):
    model = hs.fit(task_of(160), engine="torch", cache=False)
    evidence = model.evidence_.to_json()
    assert evidence["verdict"] == "helps"
    assert {"majority", "no-transfer", "random-weights"} <= set(evidence["baselines"])
    items, labels = sequences(40, seed=1)
    assert np.mean(model.predict(items) == labels) > 0.9
    assert hs.evaluate(model, task_of(40, seed=1)).metrics["accuracy"].value > 0.9
    for name, slim in (("whole", False), ("slim", True)):
        again = same_after_a_round_trip(model, tmp_path / name, items, slim=slim)
        answers = hs.predict(again, items)
        assert list(np.array(answers.classes)[answers.values.argmax(1)]) == model.predict(items).tolist()
        config = json.loads((tmp_path / name / "config.json").read_text())
        assert (config["modality"], config["backbone"]["preprocess"]) == (
            "steps",
            {"kind": "steps", "most": 12, "unit": 2.0},
        )
        assert "sorts sequences into 2 classes" in (tmp_path / name / "README.md").read_text()


def test_a_saved_model_is_a_backbone(tmp_path):
    items, labels = sequences(60)
    folder = hs.Transfer(cache=False).fit(items, labels).save(tmp_path / "first")
    second = clone(hs.Transfer(f"file:{folder}", cache=False)).fit(items, labels)
    assert second.backbone_.modality is STEPS
    same_after_a_round_trip(second, tmp_path / "second", items)


@pytest.mark.parametrize("method", ["fine-tune", "gradual"])
def test_its_weights_move(tmp_path, method):
    items, labels = sequences(48)
    options = {"epochs": 2, "batch": 8}
    model = hs.Transfer(method=method, options=options, cache=False).fit(items, labels)
    assert model.backbone_.fingerprint != hs.Transfer(cache=False).fit(items, labels).backbone_.fingerprint
    same_after_a_round_trip(model, tmp_path / "model", items)


def test_it_draws_on_a_source(tmp_path):
    model = hs.fit(
        task_of(40, seed=2), source=task_of(60, seed=3, shift=0.5), method="coral", engine="torch", cache=False
    )
    assert model.evidence_.to_json()["adaptation"] is not None
    same_after_a_round_trip(model, tmp_path / "model", sequences(8, seed=4)[0])


def test_features_are_cached_and_what_cannot_be_used_is_named(tmp_path):
    items, labels = sequences(30)
    task = task_of(30)
    task = replace(task, inputs=[(), *task.inputs[1:]])
    model = hs.fit(task, engine="torch")
    assert len(model.evidence_.to_json()["findings"]) > 0
    report = hs.check(task)
    assert any("the sequence is empty" in str(finding.to_json()) for finding in report.findings)
    answers = hs.predict(model, [(), *items[:3]])
    assert [(item.name, item.why) for item in answers.set_aside] == [("row 0", "the sequence is empty")]
    with pytest.raises(hs.DataError, match="the sequence is empty"):
        hs.Transfer(cache=False).fit([(), *items[1:]], labels)


def test_a_model_of_a_modality_that_nobody_made_is_refused(tmp_path):
    items, labels = sequences(20)
    folder = hs.Transfer(cache=False).fit(items, labels).save(tmp_path / "model")
    del MODALITIES["steps"]
    try:
        with pytest.raises(hs.ArtefactError, match="modality is 'steps', expected 'image' or 'text'"):
            hs.Transfer.load(folder)
    finally:
        register_modality(STEPS)


def test_a_hub_is_registered_once():
    with pytest.raises(ValueError, match="the hub 'toy' is known already: register another name"):
        register_hub("toy", "again", waves, keys=(), build=build)


def test_a_task_is_read_as_it_is():
    task = task_of(6)
    assert hs.read(task).names == [f"row {row}" for row in range(6)]
    assert hs.read(task, need_target=False).targets is None
    with pytest.raises(hs.DataError, match=r"the task has no targets, and they are needed: give Task\(targets="):
        hs.read(replace(task, targets=None))
    with pytest.raises(hs.DataError, match="the task asks for classification, and regression is asked for"):
        hs.read(task, kind="regression")
    with pytest.raises(hs.DataError, match="the task has no rows: at least one is needed"):
        hs.read(task.take([]))
    with pytest.raises(hs.DataError, match="no usable rows: all 6 were set aside, the first of them row 0"):
        hs.read(replace(task, inputs=[()] * 6))


def test_a_preprocessing_that_lacks_something_cannot_be_made():
    with pytest.raises(TypeError, match=r"abstract methods '?collate'?, '?largest'?, '?prepare'?, '?probe'?"):
        Preprocess()
