import struct
import subprocess
import sys
import zlib
from io import BytesIO

import numpy as np
import pytest
import torch
from PIL import Image, ImageOps
from torchvision.io import ImageReadMode, decode_image
from torchvision.transforms.v2.functional import resize_image

from headstart.errors import DataError
from headstart.features.quiet import quiet
from headstart.preprocessing import decode as module
from headstart.preprocessing.decode import DRAFT, PIXEL_LIMIT, decode_array, decode_picture
from headstart.preprocessing.prepare import thumbnail


def decode(data, draft=False):
    with quiet():
        return module.decode(data, draft=draft)


def as_array(tensor):
    return tensor.permute(1, 2, 0).numpy()


@pytest.mark.parametrize(
    ("format", "options"),
    [("JPEG", {"quality": 85}), ("JPEG", {"progressive": True}), ("JPEG", {"subsampling": 0}), ("PNG", {})],
)
@pytest.mark.parametrize("mode", ["RGB", "L"])
def test_plain_files_equal_torchvision(make, format, options, mode):
    data = make.encoded(make.photo(61, 47).convert(mode), format, **options)
    with quiet():
        plain = decode_image(torch.frombuffer(bytearray(data), dtype=torch.uint8), ImageReadMode.RGB)
    assert torch.equal(decode(data), plain)
    assert decode(data).dtype == torch.uint8


def test_png_equals_its_pixels(make):
    picture = make.photo(30, 20)
    assert np.array_equal(as_array(decode(make.encoded(picture))), np.asarray(picture))


def test_cmyk_jpeg(make):
    data = make.encoded(make.photo(40, 30).convert("CMYK"), "JPEG", quality=95)
    assert np.array_equal(as_array(decode(data)), np.asarray(Image.open(BytesIO(data)).convert("RGB")))


@pytest.mark.parametrize("format", ["PNG", "TIFF"])
def test_sixteen_bits_are_scaled_not_clipped(make, format):
    values = np.linspace(0, 65535, 300).round().astype(np.uint16).reshape(10, 30)
    grey = as_array(decode(make.encoded(Image.fromarray(values), format)))
    assert np.array_equal(grey[:, :, 0], np.rint(values / 257.0))
    assert np.array_equal(grey[:, :, 0], grey[:, :, 2])


def test_floating_point_greys(make):
    values = np.linspace(0, 1, 20, dtype=np.float32).reshape(4, 5)
    grey = as_array(decode(make.encoded(Image.fromarray(values), "TIFF")))
    assert np.array_equal(grey[:, :, 1], np.rint(values * 255))
    with pytest.raises(DataError, match=r"numbers from 0.0 to 900.0: expected 0 to 1 in a floating-point picture"):
        decode(make.encoded(Image.fromarray(values * 900), "TIFF"))


def test_whole_numbers_beyond_sixteen_bits(make):
    values = np.array([[0, 70000]], np.int32)
    with pytest.raises(DataError, match="whole numbers from 0 to 70000: expected 0 to 65535"):
        decode(make.encoded(Image.fromarray(values), "TIFF"))


def on_white(picture):
    white = Image.new("RGBA", picture.size, "white")
    white.alpha_composite(picture.convert("RGBA"))
    return np.asarray(white.convert("RGB"))


def with_alpha(make, mode):
    picture = make.photo(20, 16).convert("RGBA")
    picture.putalpha(Image.linear_gradient("L").resize(picture.size))
    return picture.convert(mode)


@pytest.mark.parametrize("mode", ["RGBA", "LA"])
def test_alpha_is_composited_on_white(make, mode):
    picture = with_alpha(make, mode)
    found = as_array(decode(make.encoded(picture)))
    assert np.array_equal(found, on_white(picture))
    assert found[0].min() > 240, "the first row is transparent, so white"


def test_palette_with_alpha(make):
    picture = make.photo(20, 16).quantize(16)
    data = make.encoded(picture, transparency=bytes([0, 128] + [255] * 14))
    assert np.array_equal(as_array(decode(data)), on_white(Image.open(BytesIO(data))))


def test_palette_without_alpha(make):
    picture = make.photo(20, 16).quantize(16)
    assert np.array_equal(as_array(decode(make.encoded(picture))), np.asarray(picture.convert("RGB")))


def test_a_transparent_colour(make):
    picture = Image.new("RGB", (4, 4), (10, 20, 30))
    assert (as_array(decode(make.encoded(picture, transparency=(10, 20, 30)))) == 255).all()


@pytest.mark.parametrize("format", ["GIF", "WEBP", "PNG", "TIFF"])
def test_an_animation_gives_its_first_frame(make, format):
    frames = [Image.new("RGB", (24, 24), colour) for colour in ("red", "lime", "blue")]
    options = {"lossless": True} if format == "WEBP" else {}
    data = make.encoded(frames[0], format, save_all=True, append_images=frames[1:], **options)
    assert np.array_equal(as_array(decode(data)), np.asarray(frames[0]))


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("format", ["JPEG", "PNG"])
def test_the_rotation_tag_is_applied(make, format, orientation):
    exif = Image.Exif()
    exif[0x0112] = orientation
    data = make.encoded(make.photo(50, 30), format, exif=exif)
    upright = np.asarray(ImageOps.exif_transpose(Image.open(BytesIO(data))).convert("RGB"))
    found = as_array(decode(data))
    assert found.shape == upright.shape
    assert np.abs(found.astype(int) - upright).mean() < 0.5


@pytest.mark.parametrize("format", ["BMP", "TIFF", "WEBP", "PPM", "TGA", "ICO"])
def test_other_formats(make, format):
    picture = make.photo(32, 32)
    options = {"lossless": True} if format == "WEBP" else {}
    found = as_array(decode(make.encoded(picture, format, **options)))
    assert np.array_equal(found, np.asarray(picture))


def test_one_bit(make):
    picture = Image.linear_gradient("L").convert("1")
    assert np.array_equal(as_array(decode(make.encoded(picture)))[:, :, 0], np.asarray(picture.convert("L")))


def test_without_the_fast_decoders_pillow_reads_all(make, monkeypatch):
    data = make.encoded(make.photo(50, 40), "JPEG", quality=90)
    fast = decode(data)
    monkeypatch.setattr(module, "jpeg_decoder", lambda: None)
    assert (decode(data).int() - fast.int()).abs().max() <= 2


def test_an_installation_without_the_operator_has_no_fast_decoder():
    script = "from headstart.preprocessing import vision; vision._OPERATORS = ('none.*',); print(vision.jpeg_decoder())"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout == "None\n"


def test_an_empty_file():
    with pytest.raises(DataError, match=r"the file is empty \(0 bytes\)"):
        decode(b"")


def test_text_renamed_to_png():
    with pytest.raises(DataError, match="not a picture in a known format; it begins with 'hello, this is no pictur'"):
        decode(b"hello, this is no picture")
    with pytest.raises(DataError, match="it begins with 00 01 02 ff"):
        decode(b"\x00\x01\x02\xff")


@pytest.mark.parametrize("share", [0.02, 0.3, 0.9, 0.99])
@pytest.mark.parametrize("format", ["JPEG", "PNG", "GIF", "WEBP", "BMP", "TIFF"])
def test_a_truncated_file_is_named_damaged(make, format, share):
    data = make.encoded(make.photo(90, 80), format)
    with pytest.raises(DataError, match=r"damaged picture: |not a picture in a known format"):
        decode(data[: int(share * len(data))])


def test_damage_in_the_middle_of_a_png(make):
    data = bytearray(make.encoded(make.photo(90, 80)))
    data[len(data) // 2] ^= 0xFF
    with pytest.raises(DataError, match="damaged picture: "):
        decode(data)


def png_bomb(width, height):
    """A valid PNG of one colour, a few kilobytes small."""

    def chunk(kind, body):
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    packer = zlib.compressobj()
    rows = b"".join(packer.compress(bytes(width // 8 + 1)) for _ in range(height)) + packer.flush()
    header = struct.pack(">IIBBBBB", width, height, 1, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", rows) + chunk(b"IEND", b"")


def test_a_png_bomb_is_refused_from_its_header():
    with pytest.raises(DataError, match="bomb"):
        decode(png_bomb(30_000, 30_000))
    with pytest.raises(DataError, match=r"10100 x 10000 pixels are more than the limit of 100 million"):
        decode(png_bomb(10_100, 10_000))


def test_a_jpeg_bomb_is_refused_from_its_header(make):
    data = bytearray(make.encoded(Image.new("RGB", (8, 8)), "JPEG"))
    at = data.index(b"\xff\xc0")
    data[at + 5 : at + 9] = struct.pack(">HH", 60_000, 60_000)
    with pytest.raises(DataError, match="60000 x 60000 pixels are more than the limit"):
        decode(data)


def test_a_jpeg_of_no_height(make):
    data = bytearray(make.encoded(Image.new("RGB", (8, 8)), "JPEG"))
    at = data.index(b"\xff\xc0")
    data[at + 7 : at + 9] = b"\x00\x00"
    with pytest.raises(DataError, match=r"not a picture"):
        decode(data)


def test_formats_that_run_programs_are_not_read():
    with pytest.raises(DataError, match="not a picture in a known format"):
        decode(b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 10 10\nshowpage\n")


@pytest.mark.parametrize("times", [4, 6])
def test_a_drafted_photograph_is_within_tolerance_of_the_whole(make, times):
    data = make.encoded(make.photo(times * (DRAFT + 100), times * DRAFT), "JPEG", quality=92)
    whole, drafted = decode(data), decode(data, draft=True)
    assert min(drafted.shape[1:]) in (DRAFT, 6 * DRAFT // 4)
    one, other = (resize_image(picture, [256, 306], antialias=True).float() for picture in (whole, drafted))
    assert (one - other).abs().mean() < 0.5
    assert (one - other).abs().max() <= 8
    assert np.abs(thumbnail(whole).astype(int) - thumbnail(drafted)).max() <= 2


def test_smaller_photographs_are_never_drafted(make):
    data = make.encoded(make.photo(4 * DRAFT, 4 * DRAFT - 1), "JPEG")
    assert torch.equal(decode(data), decode(data, draft=True))


@pytest.mark.parametrize("mode", ["RGB", "L", "RGBA", "P", "1"])
def test_pil_pictures_are_left_as_they_are(make, mode):
    picture = make.photo(20, 10).convert(mode)
    before = picture.tobytes()
    assert np.array_equal(as_array(decode_picture(picture)), np.asarray(picture.convert("RGB")))
    assert (picture.mode, picture.tobytes()) == (mode, before)


@pytest.mark.parametrize("shape", [(7, 5), (7, 5, 1), (7, 5, 3), (7, 5, 4)])
def test_arrays(shape):
    array = np.random.default_rng(0).integers(0, 256, shape, dtype=np.uint8)
    if shape[2:] == (4,):
        array[:, :, 3] = 255
    found = as_array(decode_array(array))
    expected = array if shape[2:] in ((3,), (4,)) else np.repeat(array.reshape(7, 5, 1), 3, axis=2)
    assert np.array_equal(found, expected[:, :, :3])


@pytest.mark.parametrize(
    "array",
    [np.zeros((5, 5, 2), np.uint8), np.zeros((5, 5, 3)), np.zeros(5, np.uint8), np.zeros((0, 5, 3), np.uint8)],
    ids=["two channels", "floats", "one axis", "empty"],
)
def test_arrays_that_are_no_pictures(array):
    with pytest.raises(DataError, match=r"is no picture: expected uint8, uint16 or int16 and \(height, width\)"):
        decode_array(array)


def test_an_array_with_too_many_pixels():
    with pytest.raises(DataError, match="more than the limit of 100 million"):
        decode_array(np.broadcast_to(np.uint8(0), (PIXEL_LIMIT // 10000 + 1, 10000)))


def test_an_array_does_not_share_memory_with_what_is_changed_later():
    array = np.zeros((4, 4, 3), np.uint8)
    decoded = decode_array(array)
    assert decoded.shape == (3, 4, 4)
    assert not array.any()
