import subprocess
import sys

import hypothesis
import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torchvision.transforms import InterpolationMode, v2

from headstart.features.quiet import quiet
from headstart.preprocessing.decode import decode
from headstart.preprocessing.prepare import normalise, prepare, thumbnail
from headstart.preprocessing.spec import PicturePreprocess

IMAGENET = {"mean": (0.485, 0.456, 0.406), "std": (0.229, 0.224, 0.225)}


def plain(picture, p):
    """The textbook: torchvision's own transforms, one after the other."""
    how = {"bilinear": InterpolationMode.BILINEAR, "bicubic": InterpolationMode.BICUBIC}[p.interpolation]
    resize = v2.Resize(list(p.size) if p.squash else p.resize, interpolation=how, antialias=True)
    return v2.CenterCrop(list(p.size))(resize(picture))


@given(
    st.integers(1, 400),
    st.integers(1, 400),
    st.sampled_from(["bilinear", "bicubic"]),
    st.sampled_from([((224, 224), 256), ((64, 48), 80), ((96, 96), 96), ((50, 50), 40)]),
    st.booleans(),
)
@hypothesis.settings(max_examples=60, deadline=None)
def test_it_equals_the_plain_transforms_bit_for_bit(height, width, interpolation, geometry, squash):
    size, resize = geometry
    if max(height, width) > 40 * min(height, width):
        return
    p = PicturePreprocess(size=size, resize=resize, interpolation=interpolation, squash=squash, **IMAGENET)
    pixels = torch.randint(
        0, 256, (height, width, 3), dtype=torch.uint8, generator=torch.Generator().manual_seed(height)
    )
    picture = pixels.permute(2, 0, 1)
    prepared = prepare(picture, p)
    assert prepared.shape == (*size, 3)
    assert prepared.flags.c_contiguous
    assert np.array_equal(prepared, plain(picture, p).permute(1, 2, 0).numpy())


@quiet()
def test_from_the_file_to_the_tensor_as_the_plain_reference_does(make):
    data = make.encoded(make.photo(500, 375), "JPEG", quality=85)
    p = PicturePreprocess(size=(224, 224), resize=256, interpolation="bilinear", **IMAGENET)
    from torchvision.io import ImageReadMode, decode_image

    encoded = torch.frombuffer(bytearray(data), dtype=torch.uint8)
    reference = v2.Compose([v2.ToDtype(torch.float32, scale=True), v2.Normalize(**IMAGENET)])(
        plain(decode_image(encoded, ImageReadMode.RGB), p)
    )
    ours = normalise(torch.from_numpy(prepare(decode(data), p))[None], p)[0]
    assert torch.allclose(ours, reference, rtol=0, atol=1e-6)


def test_normalise_is_channels_last_and_right():
    p = PicturePreprocess(size=(3, 5), resize=5, interpolation="bilinear", mean=(0.1, 0.5, 0.9), std=(0.2, 0.5, 2.0))
    pixels = torch.arange(2 * 3 * 5 * 3, dtype=torch.uint8).reshape(2, 3, 5, 3)
    ours = normalise(pixels, p)
    assert ours.is_contiguous(memory_format=torch.channels_last)
    reference = v2.functional.normalize(pixels.permute(0, 3, 1, 2).float() / 255, list(p.mean), list(p.std))
    assert torch.allclose(ours, reference, rtol=0, atol=1e-6)


@pytest.mark.parametrize("shape", [(3, 32, 32), (3, 500, 20), (3, 1, 1)])
def test_thumbnails(shape):
    picture = torch.full(shape, 77, dtype=torch.uint8)
    found = thumbnail(picture)
    assert found.shape == (32, 32, 3)
    assert (found == 77).all()


@given(st.integers(1, 6), st.sampled_from(["bilinear", "bicubic"]), st.sampled_from([((32, 32), 32), ((24, 32), 40)]))
@hypothesis.settings(max_examples=25, deadline=None)
def test_the_centre_of_a_strip_is_that_of_the_whole(width, interpolation, geometry):
    size, resize = geometry
    length = width * 60 + 1
    p = PicturePreprocess(size=size, resize=resize, interpolation=interpolation, **IMAGENET)
    wave = (127 + 120 * torch.sin(torch.arange(length) / (3.0 * width))).round().to(torch.uint8)
    for picture in (wave.expand(3, width, length), wave[:, None].expand(3, length, width)):
        ours = prepare(picture.contiguous(), p).astype(int)
        whole = plain(picture.contiguous(), p).permute(1, 2, 0).numpy()
        assert np.abs(ours - whole).mean() < 6


MEMORY = """
import resource, sys
import numpy as np
import torch
from headstart.preprocessing.spec import PicturePreprocess
from headstart.preprocessing.prepare import prepare, thumbnail
torch.set_num_threads(1)
p = PicturePreprocess(size=(224, 224), resize=256, interpolation="bicubic", mean=(0, 0, 0), std=(1, 1, 1))
prepare(torch.zeros(3, 300, 300, dtype=torch.uint8), p)
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
for shape in ((1, 300_000), (300_000, 1), (500, 20_000), (20_000, 500), (3, 200_000), (1, 1)):
    picture = torch.zeros(3, *shape, dtype=torch.uint8)
    assert prepare(picture, p).shape == (224, 224, 3)
    assert thumbnail(picture).shape == (32, 32, 3)
    print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)
"""


def test_strips_take_bounded_memory():
    done = subprocess.run([sys.executable, "-c", MEMORY], capture_output=True, text=True, check=True)
    kilobytes = [int(line) / (1024 if sys.platform == "darwin" else 1) for line in done.stdout.split()]
    assert len(kilobytes) == 6
    assert max(kilobytes) < 400_000


def test_a_preprocessing_prepares_pictures_one_by_one_and_puts_them_together():
    p = PicturePreprocess(size=(24, 32), resize=24, interpolation="bilinear", **IMAGENET)
    pictures = [torch.randint(0, 256, (3, 40, 60 + row), dtype=torch.uint8) for row in range(3)]
    prepared, cut = zip(*map(p.prepare, pictures), strict=True)
    (batch,) = p.collate(prepared)
    assert (batch.shape, batch.dtype, cut) == ((3, 24, 32, 3), np.uint8, (0, 0, 0))
    for row, picture in enumerate(pictures):
        np.testing.assert_array_equal(batch[row], prepare(picture, p))
    (network_input,) = p.tensors(torch.from_numpy(batch))
    assert network_input.shape == (3, 3, 24, 32)
