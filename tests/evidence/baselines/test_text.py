"""TF-IDF: its words, texts without any, scripts without spaces, and strengths that follow the data."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from headstart.evidence.baselines.no_transfer import no_transfer
from headstart.tasks import CLASSIFICATION
from headstart.tasks.task import Task

FOLDS = np.arange(40) // 10


def learnt(texts: list[str], new: list[str], targets: Any = None) -> np.ndarray[Any, Any]:
    y = np.arange(len(texts)) % 2 if targets is None else np.asarray(targets)
    task = Task(inputs=texts, targets=y, kind="classification", modality="text", classes=("no", "yes"))
    return no_transfer(task, new, folds=FOLDS[: len(texts)])


def test_a_word_that_tells_is_found_among_others() -> None:
    random = np.random.default_rng(0)
    words = [" ".join(random.choice(["alpha", "beta", "gamma", "delta"], 4)) for _ in range(40)]
    texts = [f"{text} {('bad', 'good')[i % 2]}" for i, text in enumerate(words)]
    p = learnt(texts, ["alpha good", "alpha bad", "alpha"])
    assert p[0, 1] > 0.85
    assert p[1, 1] < 0.15
    assert 0.15 < p[2, 1] < 0.85


def test_pairs_of_words_tell_what_words_do_not() -> None:
    texts = [("not good bad", "not bad good")[i % 2] for i in range(40)]
    assert learnt(texts, ["not good bad", "not bad good"])[:, 1] == pytest.approx([0, 1], abs=0.2)


def test_a_script_without_spaces_is_read_letter_by_letter() -> None:
    texts = [f"{'猫犬鳥魚'[i % 4]}は{('悪い', '良い')[i % 2]}です" for i in range(40)]
    p = learnt(texts, ["馬は良いです", "馬は悪いです"])
    assert p[0, 1] > 0.7
    assert p[1, 1] < 0.3


@pytest.mark.parametrize("texts", [[""] * 40, ["?!"] * 40, ["same words"] * 40])
def test_texts_that_tell_nothing_give_the_shares(texts: list[str]) -> None:
    targets = np.arange(40) % 4 == 0
    p = learnt(texts, ["anything", ""], targets.astype(np.int64))
    assert p[:, 1] == pytest.approx([0.25, 0.25], abs=0.06)


def test_noise_is_not_taken_for_knowledge() -> None:
    random = np.random.default_rng(0)
    vocabulary = [f"w{i}" for i in range(60)]
    texts = [" ".join(random.choice(vocabulary, 6)) for _ in range(40)]
    p = learnt(texts, [" ".join(random.choice(vocabulary, 6)) for _ in range(50)], random.integers(0, 2, 40))
    assert np.abs(p[:, 1] - 0.5).mean() < 0.2


def test_many_texts_leave_out_what_occurs_once() -> None:
    texts = [f"common {('bad', 'good')[i % 2]} only{i}" for i in range(1000)]
    task = Task(inputs=texts, targets=np.arange(1000) % 2, kind=CLASSIFICATION, modality="text", classes=("no", "yes"))
    p = no_transfer(task, ["good", "bad"], folds=np.arange(1000) % 5)
    assert p[:, 1] == pytest.approx([1, 0], abs=0.05)
