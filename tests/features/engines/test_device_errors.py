import pytest
import torch
from elsewhere import pretended

from headstart.errors import BackboneError, TrainingError
from headstart.features.engines.device_errors import device_errors, is_out_of_memory

LOST = [
    torch.AcceleratorError("CUDA error: unspecified launch failure\nCUDA kernel errors might be reported later"),
    RuntimeError("CUDA error: CUBLAS_STATUS_EXECUTION_FAILED when calling cublasGemmEx"),
]
FULL = [
    torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB"),
    torch.AcceleratorError("CUDA error: out of memory"),
]


@pytest.mark.parametrize("error", LOST, ids=lambda error: type(error).__name__)
def test_a_device_that_fails_is_named_with_what_is_left(error):
    first = str(error).splitlines()[0]
    with pytest.raises(TrainingError) as caught, device_errors("cuda:1", TrainingError, "all is kept"):
        raise error
    assert str(caught.value) == f"cuda:1 failed and does not answer any more ({first}). All is kept"
    assert caught.value.__cause__ is error


@pytest.mark.parametrize("error", FULL, ids=lambda error: type(error).__name__)
def test_memory_that_is_not_there_is_told_with_how_much_there_is(error):
    assert is_out_of_memory(error)
    words = (
        r"cuda has too little memory left \(0\.1 of 0\.2 GiB; other processes may hold the rest\): end what else runs "
        r"there, or choose another device, such as --device cpu \(device='cpu'\)\. Nothing is kept"
    )
    with (
        pretended(),
        pytest.raises(BackboneError, match=words),
        device_errors("cuda", BackboneError, "nothing is kept"),
    ):
        raise error


def test_a_device_that_does_not_even_say_how_much_it_has(monkeypatch):
    def lost(*args):
        raise torch.AcceleratorError("CUDA error: device unavailable")

    with pretended(), monkeypatch.context() as patch:
        patch.setattr(torch.cuda, "mem_get_info", lost)
        with (
            pytest.raises(BackboneError, match="has too little memory left: end"),
            device_errors("cuda", BackboneError, "-"),
        ):
            raise FULL[0]


@pytest.mark.parametrize(
    "error", [*LOST, *FULL, RuntimeError("mat1 and mat2 must have the same dtype"), OSError("disk")]
)
def test_other_errors_and_other_places_pass(error):
    device = "cpu" if error in (*LOST, *FULL) else "cuda"
    with pytest.raises(type(error)) as caught, device_errors(device, BackboneError, "-"):
        raise error
    assert caught.value is error
    assert is_out_of_memory(error) == (error in FULL)
