from dataclasses import replace

import numpy as np
import pytest

from headstart.features.engines.agreement import agrees, compare, probe, run, seconds
from headstart.features.engines.engine import Agreement
from headstart.features.engines.torch_engine import TorchEngine


def test_the_probe_is_always_the_same(tiny, words):
    (pixels,) = probe(tiny)
    assert pixels.shape == (4, 32, 32, 3)
    assert pixels.std() > 20
    assert np.array_equal(pixels, probe(tiny)[0])
    ids, mask = probe(words)
    assert ids.shape == mask.shape
    assert len(set(mask.sum(1))) > 1, "texts of several lengths, so that padding is tried"


def test_a_backbone_without_a_network(tiny):
    with pytest.raises(ValueError, match="tiny has no network to probe"):
        probe(replace(tiny, module=None, preprocess=None))


@pytest.mark.parametrize("count", [1, 4, 9])
def test_any_number_of_pictures(tiny, count):
    engine = TorchEngine(tiny, "float32", "cpu")
    pixels = np.random.default_rng(0).integers(0, 256, (count, 32, 32, 3), dtype=np.uint8)
    found = run(engine, engine.lane(), (pixels,))
    assert found.shape == (count, 6)
    assert np.array_equal(found[-1:], run(engine, engine.lane(), (pixels[-1:],)))


def test_compare_against_the_formula():
    reference = np.array([[1.0, 0, 0], [0, 2, 0]], np.float32)
    assert compare(reference, reference) == pytest.approx((1, 1, 0))
    found = compare(reference, np.array([[1.0, 0, 0], [0, 2, 1]], np.float32))
    assert found.cosine == pytest.approx(2 / 5**0.5)
    assert found.error == pytest.approx(0.5)
    mean = reference.mean(0)
    one, other = reference - mean, np.array([[1.0, 0, 0], [0, 2, 1]]) - mean
    cosines = (one * other).sum(1) / np.linalg.norm(one, axis=1) / np.linalg.norm(other, axis=1)
    assert found.centred == pytest.approx(cosines.min())


def test_nan_agrees_with_nothing():
    rows = np.ones((2, 3), np.float32)
    assert not agrees(compare(rows, rows * np.nan), "bfloat16")


def test_the_limits():
    assert agrees(Agreement(cosine=1, centred=0.9999, error=1e-5), "float32")
    assert not agrees(Agreement(cosine=1, centred=0.95, error=0.01), "float32")
    assert agrees(Agreement(cosine=0.999, centred=0.95, error=0.01), "bfloat16")
    assert not agrees(Agreement(cosine=0.999, centred=0.8, error=0.01), "bfloat16")
    assert not agrees(Agreement(cosine=0.9, centred=1, error=0.01), "bfloat16")
    assert not agrees(Agreement(cosine=1, centred=1, error=0.2), "bfloat16")


def test_the_time_of_a_row(tiny, words):
    for backbone in (tiny, words):
        engine = TorchEngine(backbone, "float32", "cpu")
        assert 0 < seconds(engine, probe(backbone)) < 10
