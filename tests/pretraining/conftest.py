"""Pictures of three kinds in a folder, and how a tiny network learns from them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from small import RESNET, Killed, bright

SMALL = {"epochs": 2, "batch": 12, "size": 32, "journal": 0}
"""Options for tiny pictures."""


class Ended:
    """A listener that ends the run when so many epochs are done."""

    def __init__(self, epochs: int) -> None:
        self.epochs = epochs

    def say(self, line: str) -> None:
        """Nothing."""

    def progress(self, stage: str, done: int, total: int) -> None:
        if stage.endswith("epochs") and done == self.epochs:
            raise Killed


@pytest.fixture
def goes_on(monkeypatch, tmp_path):
    """Holds that a run which ends after its first epoch goes on, when it is asked for again, to the bits of one that
    was left alone."""
    monkeypatch.setenv("HEADSTART_CACHE", str(tmp_path / "cache"))
    runs = tmp_path / "cache" / "runs"

    def by(learn: Any) -> None:
        whole = learn(cache=False)
        with pytest.raises(Killed):
            learn(listener=Ended(1))
        assert list(runs.iterdir())
        again = learn()
        assert again.backbone.fingerprint == whole.backbone.fingerprint
        assert json.dumps(again.made.facts["curves"]) == json.dumps(whole.made.facts["curves"])
        assert not list(runs.iterdir())

    return by


@pytest.fixture(scope="session")
def pictures(tmp_path_factory):
    """A folder of 24 different ones."""
    folder = tmp_path_factory.mktemp("pictures")
    for row in range(24):
        bright(row).save(folder / f"{row}.png")
    return folder


@pytest.fixture(scope="session")
def by_colour(tmp_path_factory):
    """The same in a folder a class."""
    folder = tmp_path_factory.mktemp("colours")
    for row in range(24):
        (folder / "abc"[row % 3]).mkdir(exist_ok=True)
        bright(row).save(folder / "abc"[row % 3] / f"{row}.png")
    return folder


@pytest.fixture
def learn(pictures):
    """A tiny network learns from them, or from other data."""

    def by(method: str, data: Any = None, *, backbone: str = RESNET, options: Any = None, **more: Any):
        from headstart import pretrain

        given = SMALL | (options or {})
        if data is not None:
            given.pop("size")
        return pretrain(pictures if data is None else data, backbone=backbone, method=method, options=given, **more)

    return by


VOCABULARY = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "the", "film", "was", "not", "good", "bad"]
VOCABULARY += ["very", "dull", "bright", "a", "story"]


def text_folder(folder: Path, model: Any, vocabulary: list[str]) -> Path:
    """A network for texts in transformers' format, with a tokenizer of whole words."""
    from tokenizers import Tokenizer, models, pre_tokenizers, processors

    tokenizer = Tokenizer(models.WordLevel({word: number for number, word in enumerate(vocabulary)}, "[UNK]"))
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    tokenizer.add_special_tokens([word for word in vocabulary if word.startswith("[")])
    marks = [("[CLS]", 2), ("[SEP]", 3)]
    tokenizer.post_processor = processors.TemplateProcessing(single="[CLS] $A [SEP]", special_tokens=marks)
    model.save_pretrained(folder)
    tokenizer.save(str(folder / "tokenizer.json"))
    (folder / "tokenizer_config.json").write_text(json.dumps({"pad_token": "[PAD]", "model_max_length": 24}))
    return folder


def bert_of(folder: Path, vocabulary: list[str], **options: Any) -> Path:
    """A BERT of two layers of 32 and random weights."""
    import torch
    from transformers import BertConfig, BertModel

    torch.manual_seed(0)
    small = {"hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 4, "intermediate_size": 64}
    config = BertConfig(vocab_size=len(vocabulary), max_position_embeddings=40, **small, **options)
    return text_folder(folder, BertModel(config), vocabulary)


@pytest.fixture(scope="session")
def bert(tmp_path_factory):
    return bert_of(tmp_path_factory.mktemp("bert"), VOCABULARY)


@pytest.fixture(scope="session")
def unmasked(tmp_path_factory):
    """A BERT that has lost its mask."""
    return bert_of(tmp_path_factory.mktemp("unmasked"), [word for word in VOCABULARY if word != "[MASK]"])


@pytest.fixture(scope="session")
def steady(tmp_path_factory):
    """A BERT without dropout."""
    none = {"hidden_dropout_prob": 0.0, "attention_probs_dropout_prob": 0.0}
    return bert_of(tmp_path_factory.mktemp("steady"), VOCABULARY, **none)


@pytest.fixture(scope="session")
def gpt2(tmp_path_factory):
    from transformers import GPT2Config, GPT2Model

    config = GPT2Config(vocab_size=len(VOCABULARY), n_embd=32, n_layer=2, n_head=4, n_positions=30)
    config.bos_token_id, config.eos_token_id = 2, 3
    return text_folder(tmp_path_factory.mktemp("gpt2"), GPT2Model(config), VOCABULARY)
