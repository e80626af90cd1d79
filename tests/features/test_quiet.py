import warnings
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest
import torch
from PIL import Image

from headstart.features.quiet import quiet


def complain():
    warnings.warn_explicit("noise", UserWarning, "x.py", 1, module="PIL.Image")


def test_it_silences_third_parties_and_nobody_else():
    with quiet():
        complain()
        warnings.warn_explicit("noise", torch.jit.TracerWarning, "y.py", 1, module="timm.layers")
        with pytest.warns(UserWarning, match="mine"):
            warnings.warn("mine", stacklevel=1)
    with pytest.warns(UserWarning, match="noise"):
        complain()


def test_filters_are_as_before_whatever_the_order_of_leaving():
    before = list(warnings.filters)
    together = Barrier(8)

    def enter_and_leave(number):
        with quiet():
            together.wait()
            complain()
        return True

    with ThreadPoolExecutor(8) as pool:
        assert all(pool.map(enter_and_leave, range(8)))
    assert list(warnings.filters) == before


def test_it_ends_with_an_error_too():
    before = list(warnings.filters)
    with pytest.raises(ValueError, match="out"), quiet():
        raise ValueError("out")
    assert list(warnings.filters) == before


def test_the_bomb_warning_of_pillow_is_silent(make):
    import struct

    data = bytearray(make.encoded(Image.new("RGB", (4, 4)), "BMP"))
    data[18:26] = struct.pack("<ii", 10_000, 9_500)
    from headstart.preprocessing.pillow import open_picture

    with quiet():
        assert open_picture(data).size == (10_000, 9_500)
