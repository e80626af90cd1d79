import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from headstart.preprocessing.jpeg import Header, read_header


@given(st.integers(1, 300), st.integers(1, 300), st.booleans(), st.booleans())
def test_the_size(make, width, height, progressive, grey):
    picture = Image.new("L" if grey else "RGB", (width, height))
    data = make.encoded(picture, "JPEG", progressive=progressive, comment=b"\xff\xc0 not a frame")
    assert read_header(data) == Header(width, height, plain=True)


def test_what_is_not_plain(make):
    assert not read_header(make.encoded(Image.new("CMYK", (4, 4)), "JPEG")).plain


@pytest.mark.parametrize("format", ["PNG", "GIF", "BMP", "TIFF", "WEBP"])
def test_other_formats_have_no_header_here(make, format):
    assert read_header(make.encoded(Image.new("RGB", (4, 4)), format)) is None


@given(st.sampled_from([b"", b"\xff\xd8\xff"]), st.binary(max_size=80))
def test_any_bytes_give_a_header_or_none(start, rest):
    header = read_header(start + rest)
    assert header is None or (header.width >= 0 and header.height >= 0)


@given(st.data())
def test_a_cut_header_is_none_or_the_whole_one(make, data):
    whole = make.encoded(Image.new("RGB", (5, 7)), "JPEG")
    cut = whole[: data.draw(st.integers(0, len(whole)))]
    assert read_header(cut) in (None, read_header(whole))
