import pytest

from headstart.features.engines.support_trial import _openvino, _torch


def test_torch_float32_works():
    _torch("float32")


@pytest.mark.usefixtures("has_openvino")
def test_openvino_float32_works():
    _openvino("float32")
