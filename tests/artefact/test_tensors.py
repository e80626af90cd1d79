import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from headstart.artefact.tensors import as_tensors, check_head, same_bits, stored_tensors, to_bytes
from headstart.errors import ArtefactError

ODD = {
    "backbone.scalar": torch.tensor(7),
    "backbone.empty": torch.zeros(0, 3),
    "backbone.half": torch.tensor([1.0, float("nan")], dtype=torch.bfloat16),
    "backbone.flags": torch.tensor([True, False]),
    "backbone.slice": torch.arange(12.0).reshape(3, 4)[1:, :],
}


def head(**changes: np.ndarray) -> dict[str, np.ndarray]:
    arrays = {"mean": np.zeros(3), "scale": np.ones(3), "weight.0": np.ones((3, 2)), "bias.0": np.zeros(2)}
    return {name: array.astype(np.float32) for name, array in arrays.items()} | changes


def test_every_type_and_shape_survives():
    assert same_bits(as_tensors(stored_tensors(to_bytes(ODD), "x")), ODD) is None


@pytest.mark.parametrize(
    ("name", "other"),
    [
        ("a", {"a": torch.tensor([1.0, 3.0])}),
        ("a", {"a": torch.tensor([[1.0, 2.0]])}),
        ("a", {"a": torch.tensor([1.0, 2.0], dtype=torch.float64)}),
        ("a", {}),
        ("b", {"a": torch.tensor([1.0, 2.0]), "b": torch.zeros(1)}),
    ],
)
def test_a_difference_is_named(name, other):
    assert same_bits({"a": torch.tensor([1.0, 2.0])}, other) == name


def test_negative_zero_is_another_bit_pattern():
    assert same_bits({"a": torch.tensor([0.0])}, {"a": torch.tensor([-0.0])}) == "a"


@given(st.data())
def test_damaged_safetensors_are_tensors_or_an_error(data):
    good = to_bytes(ODD)
    damaged = bytearray(good[: data.draw(st.integers(0, len(good)))])
    for _ in range(data.draw(st.integers(0, 3))):
        if damaged:
            damaged[data.draw(st.integers(0, len(damaged) - 1))] = data.draw(st.integers(0, 255))
    try:
        as_tensors(stored_tensors(bytes(damaged), "model.safetensors"))
    except ArtefactError as error:
        assert "model.safetensors is not a valid" in str(error)  # noqa: PT017 - either outcome is right


def test_a_sound_head_is_accepted():
    check_head(head(), features=3, outputs=2)
    check_head(head(), features=None, outputs=2)
    deep = head() | {"weight.1": np.ones((2, 4), np.float32), "bias.1": np.ones(4, np.float32)}
    check_head(deep, features=3, outputs=4)


@pytest.mark.parametrize(
    ("arrays", "words"),
    [
        ({}, "the head lacks bias.0, mean, scale, weight.0"),
        (head(extra=np.zeros(1, np.float32)), "the head holds extra: expected only mean, scale"),
        ({name: a for name, a in head().items() if name != "bias.0"}, "the head lacks bias.0"),
        (head(mean=np.zeros(3, np.int64)), "head.mean is int64, expected float32 or float64"),
        (head(mean=np.array([0, 0, np.nan], np.float32)), "head.mean holds NaN or infinity"),
        (head(scale=np.array([1, 0, 1], np.float32)), "head.scale holds a value that is not above 0"),
        (head(mean=np.zeros((3, 1), np.float32)), r"head.mean has the shape \(3, 1\), expected \(3,\)"),
        (head(scale=np.ones(4, np.float32)), r"head.scale has the shape \(4,\), expected \(3,\)"),
        (head(**{"bias.0": np.zeros(3, np.float32)}), r"head.bias.0 has the shape \(3,\), expected \(2,\)"),
        (head(**{"weight.1": np.ones((3, 2), np.float32)}), "the head lacks bias.1"),
    ],
)
def test_an_unsound_head_is_refused(arrays, words):
    with pytest.raises(ArtefactError, match=words):
        check_head(arrays, features=3, outputs=2)


def test_a_head_of_another_width_or_count_is_refused():
    with pytest.raises(ArtefactError, match=r"expected \(5,\) for 5 features and 2 outputs"):
        check_head(head(), features=5, outputs=2)
    with pytest.raises(ArtefactError, match=r"head.weight.0 has the shape \(3, 2\), expected \(3, 4\)"):
        check_head(head(), features=3, outputs=4)


def below(**changes: np.ndarray) -> dict[str, np.ndarray]:
    """A head whose features are turned and then asked by one tree of three nodes."""
    trees = np.array([[[1, 0.5, 1, 2, 0], [-1, 0, 0, 0, 3.0], [-1, 0, 0, 0, 4.0]]])
    arrays = {"turn": np.ones((5, 3)), "shift": np.zeros(3), "trees": trees, "weight.0": np.ones((1, 2))}
    return head() | {name: array.astype(np.float32) for name, array in arrays.items()} | changes


def radial(**changes: np.ndarray) -> dict[str, np.ndarray]:
    arrays = {"landmarks": np.ones((4, 3)), "gamma": np.ones(1), "weight.0": np.ones((4, 2))}
    return head() | {name: array.astype(np.float32) for name, array in arrays.items()} | changes


def test_what_stands_below_the_layers_is_accepted():
    check_head(below(), features=5, outputs=2)
    check_head(radial(), features=3, outputs=2)
    check_head(radial(), features=None, outputs=2)


def node(place: int, value: float) -> np.ndarray:
    trees = below()["trees"].copy()
    trees[0, 0, place] = value
    return trees


@pytest.mark.parametrize(
    ("arrays", "words"),
    [
        ({name: a for name, a in below().items() if name != "shift"}, "the head lacks shift"),
        (below(turn=np.ones((4, 3), np.float32)), r"head.turn has the shape \(4, 3\), expected \(5, 3\)"),
        (below(trees=np.ones((1, 3, 4), np.float32)), r"head.trees has the shape \(1, 3, 4\), expected \(1, 3, 5\)"),
        (below(trees=np.ones(3, np.float32)), "head.trees has the shape"),
        (below(trees=node(2, 0)), "head.trees holds a node that leads nowhere"),  # to itself: for ever
        (below(trees=node(3, 3)), "head.trees holds a node that leads nowhere"),
        (below(trees=node(3, 1.5)), "head.trees holds a node that leads nowhere"),
        (below(trees=node(0, 3)), "head.trees holds a node that leads nowhere"),
        (below(trees=node(0, -2)), "head.trees holds a node that leads nowhere"),
        (radial(gamma=np.zeros(1, np.float32)), "head.gamma holds a value that is not above 0"),
        (radial(landmarks=np.ones((4, 2), np.float32)), "head.landmarks has the shape"),
        (radial(landmarks=np.float32(1.0) * np.ones(())), "head.landmarks has the shape"),
        ({name: a for name, a in radial().items() if name != "gamma"}, "the head lacks gamma"),
        (radial(trees=below()["trees"]), "the head holds trees: expected only mean, scale"),
        (below(**{"weight.0": np.ones((2, 2), np.float32)}), "head.trees holds 1 trees for 2 functions: expected as"),
        (below(centre=np.zeros(3, np.float32)), "the head holds centre: expected only mean, scale"),
    ],
)
def test_what_stands_below_the_layers_and_could_not_answer_is_refused(arrays, words):
    with pytest.raises(ArtefactError, match=words):
        check_head(arrays, features=5 if "turn" in arrays or "trees" in arrays else 3, outputs=2)
