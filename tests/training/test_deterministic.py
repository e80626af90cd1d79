import os
import warnings

import pytest
import torch

from headstart.training.deterministic import deterministic

GPU, CPU = torch.device("cuda"), torch.device("cpu")
PUT = (
    "put_ has no deterministic form on cuda: a second training, or one that goes on after it was killed, may differ in "
    "the last bits"
)


def settings():
    return (
        torch.are_deterministic_algorithms_enabled(),
        torch.is_deterministic_algorithms_warn_only_enabled(),
        torch.backends.cudnn.benchmark,
        torch.utils.deterministic.fill_uninitialized_memory,
    )


def put():
    """An operation that torch has no deterministic form of, on any device."""
    torch.zeros(3).put_(torch.tensor([0, 1]), torch.ones(2), accumulate=False)


@pytest.fixture
def plain(monkeypatch):
    monkeypatch.delenv("CUBLAS_WORKSPACE_CONFIG", raising=False)
    monkeypatch.setattr(torch.backends.cudnn, "benchmark", True)
    return settings()


def test_what_has_no_deterministic_form_is_told_once(plain):
    notes = []
    with deterministic(GPU, notes.append):
        assert settings() == (True, True, False, False)
        assert os.environ["CUBLAS_WORKSPACE_CONFIG"] == ":4096:8"
        put()
        put()
        assert notes == [PUT]
    assert settings() == plain


@pytest.mark.parametrize(
    ("warning", "name"),
    [
        ("Memory Efficient attention defaults to a non-deterministic algorithm. To ...", "Memory Efficient attention"),
        (
            "Deterministic behavior was enabled with `torch.use_deterministic_algorithms(True)` or ..., but this "
            "operation is not deterministic because it uses CuBLAS and you have CUDA >= 10.2.",
            "a matrix product",
        ),
        (
            "grid_sampler_2d_backward_cuda does not have a deterministic implementation, but you",
            "grid_sampler_2d",
        ),
    ],
)
def test_torchs_other_words_for_it(plain, warning, name):
    notes = []
    with deterministic(GPU, notes.append):
        warnings.warn(warning, stacklevel=1)
    assert len(notes) == 1
    assert notes[0].startswith(name)
    assert "has no deterministic form on cuda" in notes[0]


def test_other_warnings_go_where_they_went(plain):
    notes = []
    with pytest.warns(UserWarning, match="something else"), deterministic(GPU, notes.append):
        warnings.warn("something else", stacklevel=1)
    with pytest.raises(UserWarning, match="an error here"), deterministic(GPU, notes.append):
        warnings.warn("an error here", stacklevel=1)  # as the tests have all warnings
    assert notes == []
    assert settings() == plain


def test_nothing_changes_on_the_cpu_nor_for_who_has_asked_before(plain):
    with deterministic(CPU, pytest.fail):
        assert settings() == plain
    torch.use_deterministic_algorithms(True)
    try:
        before = settings()
        with deterministic(GPU, pytest.fail):
            assert settings() == before
            with pytest.raises(RuntimeError, match="put_"):
                put()
    finally:
        torch.use_deterministic_algorithms(False)
    assert "CUBLAS_WORKSPACE_CONFIG" not in os.environ
