"""Fixtures: a tiny network for pictures and one for texts, with random weights; photographs made up for them."""

from io import BytesIO

import numpy as np
import pytest
import torch
from blake3 import blake3
from PIL import Image
from tokenizers import Tokenizer, models, pre_tokenizers, processors
from torch import nn

from headstart.backbones.backbone import Backbone
from headstart.features.cache.cache import Cache
from headstart.features.engines import processor
from headstart.preprocessing.spec import PicturePreprocess, TextPreprocess


class Tiny(nn.Module):
    """A small convolutional network: (N, 3, 32, 32) -> (N, 6)."""

    def __init__(self):
        super().__init__()
        self.net = nn.Sequential(
            nn.Conv2d(3, 8, 3, stride=2, padding=1), nn.BatchNorm2d(8), nn.ReLU(), nn.Conv2d(8, 6, 3, padding=1)
        )

    def forward(self, pixels):
        return self.net(pixels).mean((2, 3))


class Words(nn.Module):
    """Token vectors that see their neighbours, averaged: (ids, mask) -> (N, 5)."""

    def __init__(self):
        super().__init__()
        self.embedding = nn.Embedding(20, 5)
        self.mix = nn.Linear(5, 5)

    def forward(self, input_ids, attention_mask):
        hidden = torch.tanh(self.mix(self.embedding(input_ids)))
        real = attention_mask.unsqueeze(-1).to(hidden.dtype)
        return (hidden * real).sum(1) / real.sum(1).clamp(min=1)


def picture_backbone(seed, module=None, dim=6):
    torch.manual_seed(seed)
    return Backbone(
        name="tiny",
        modality="image",
        module=(module or Tiny()).eval(),
        dim=dim,
        preprocess=PicturePreprocess(
            size=(32, 32), resize=36, interpolation="bilinear", mean=(0.5, 0.4, 0.3), std=(0.2, 0.3, 0.4)
        ),
        fingerprint=f"tiny {seed} {dim}",
        spec={"hub": "test", "name": f"tiny {dim}"},
    )


def text_backbone(seed):
    torch.manual_seed(seed)
    vocabulary = {word: number for number, word in enumerate(["[PAD]", "[CLS]", "[SEP]", "[UNK]", *"abcdefghijklmn"])}
    tokenizer = Tokenizer(models.WordLevel(vocabulary, unk_token="[UNK]"))  # noqa: S106
    tokenizer.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    tokenizer.post_processor = processors.TemplateProcessing("[CLS] $A [SEP]", None, [("[CLS]", 1), ("[SEP]", 2)])
    return Backbone(
        name="words",
        modality="text",
        module=Words().eval(),
        dim=5,
        preprocess=TextPreprocess(tokenizer_json=tokenizer.to_str(), max_length=8, pad_id=0),
        fingerprint=f"words {seed}",
        spec={"hub": "test", "name": "words"},
    )


def encoded(picture, format="PNG", **options):
    buffer = BytesIO()
    picture.save(buffer, format, **options)
    return buffer.getvalue()


def photo(width, height, seed=0):
    """Soft shapes with some grain, as a PIL picture."""
    draw = np.random.default_rng(seed)
    coarse = draw.integers(0, 256, (6, 8, 3), dtype=np.uint8)
    smooth = np.asarray(Image.fromarray(coarse).resize((width, height), Image.Resampling.BICUBIC), np.int16)
    return Image.fromarray(np.clip(smooth + draw.integers(-6, 7, smooth.shape), 0, 255).astype(np.uint8))


@pytest.fixture
def tiny():
    return picture_backbone(0)


@pytest.fixture
def words():
    return text_backbone(0)


@pytest.fixture
def cache(tmp_path):
    return Cache(tmp_path / "cache")


@pytest.fixture(scope="session")
def make():
    """The helpers above: pytest's importlib mode cannot import them from a test."""

    class Make:
        backbone = staticmethod(picture_backbone)
        text_backbone = staticmethod(text_backbone)
        encoded = staticmethod(encoded)
        photo = staticmethod(photo)

        @staticmethod
        def key(number):
            return blake3(str(number).encode()).digest()

    return Make


@pytest.fixture
def photos(tmp_path):
    """A folder of 40 JPEG files and their paths, sorted."""
    folder = tmp_path / "photos"
    folder.mkdir()
    paths = []
    for number in range(40):
        path = folder / f"{number:02d}.jpg"
        path.write_bytes(encoded(photo(70 + number, 60, seed=number), "JPEG", quality=90))
        paths.append(str(path))
    return paths


@pytest.fixture(scope="session")
def has_openvino():
    pytest.importorskip("openvino")
    return True


@pytest.fixture
def no_bfloat16(monkeypatch):
    """A processor without bfloat16: what can be chosen does not depend on the machine."""
    monkeypatch.setattr(processor, "has_bfloat16", lambda: False)
