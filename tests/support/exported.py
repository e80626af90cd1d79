"""Small fitted models of transformers' and timm's own networks, and rows for them."""

from __future__ import annotations

from typing import Any

import numpy as np
from hub_rows import DISTIL, GPT2, SWIN, TEXT, VISION, VOCABULARY, WORDS, Row, pictures, texts, timm
from PIL import Image

from headstart.transfer import Transfer

CLASSES = ("dull", "bright")
TEXTS = [f"{WORDS[number % 6]} {('bad', 'good')[number % 2]}" for number in range(24)]

VIT = pictures("ViT", lambda hf: hf.ViTForImageClassification(hf.ViTConfig(**VISION)), 32)
POOLED_VIT = pictures("ViT", lambda hf: hf.ViTModel(hf.ViTConfig(**VISION)), 32)
SWIN_ROW = pictures("Swin", lambda hf: hf.SwinModel(hf.SwinConfig(**SWIN)), 32)
DINO = pictures("DINOv2", lambda hf: hf.Dinov2Model(hf.Dinov2Config(**VISION)), 32)
GPT = texts("GPT-2", lambda hf: hf.GPT2Model(hf.GPT2Config(vocab_size=len(VOCABULARY), **GPT2)), special=False)
DISTILBERT = texts("DistilBERT", lambda hf: hf.DistilBertModel(hf.DistilBertConfig(**TEXT, **DISTIL)))
TIMM_VIT = timm("vit_tiny_patch16_224", 32, 192, img_size=32)


def soft_pictures(count: int = 24, seed: int = 0) -> list[Image.Image]:
    """RGB, wider than high; every second one is brighter."""
    rng = np.random.default_rng(seed)
    made = []
    for number in range(count):
        coarse = Image.fromarray(rng.integers(0, 256, (6, 6, 3)).astype(np.uint8))
        soft = np.asarray(coarse.resize((80, 60), Image.Resampling.BICUBIC)) // 2
        made.append(Image.fromarray((soft + (100 if number % 2 else 0)).astype(np.uint8)))
    return made


def labels(count: int = 24) -> list[str]:
    """Of every second row "bright"."""
    return [CLASSES[number % 2] for number in range(count)]


def fitted_on(row: Row, folder: Any, inputs: Any, *, pool: str = "", **options: Any) -> Transfer:
    """A model on the network of a row, whose weights lie in a new folder."""
    folder.mkdir()
    name = row.write(folder)
    model = Transfer(f"{name}{pool}", options.pop("method", "ridge"), engine="torch", cache=False, **options)
    return model.fit(inputs, labels(len(inputs)))
