"""Networks of every hub, in the hub's own format with random weights, and what each must be able to do.

One `Row` a network. `checked` loads it, holds its inputs to what the hub's own preprocessing makes of the same bytes,
fits a probe and methods that move weights, saves each and compares its answers in a fresh process.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import sound_rows
import torch
from hub_folders import SMALL, VOCABULARY, write_model, write_tokenizer
from PIL import Image

from headstart.backbones.load import load
from headstart.transfer import Transfer

METHODS = ("probe", "top", "gradual", "fine-tune")
STEPS = ("loads", "input", *METHODS, "fresh process")
WORDS = ["the film was not good", "a very dull story", "very bad", "bright story", "the good film", "a dull bad film"]
FRESH = """
import sys, json
import numpy as np
from headstart.transfer import Transfer
folder, *methods = sys.argv[1:]
inputs = json.loads(open(f"{folder}/inputs.json").read())
for method in methods:
    np.save(f"{folder}/{method}.npy", Transfer.load(f"{folder}/{method}").predict_proba(inputs))
"""


class Row(NamedTuple):
    """hub, network   as the table names them
    write    to a folder; the name of the backbone there
    width    of its features
    expected what the hub's own preprocessing makes of a picture or a text, from the folder; None: not compared
    """

    hub: str
    network: str
    write: Callable[[Path], str]
    width: int
    expected: Callable[[Path, Any], Any] | None = None


def keras(network: str, side: int, width: int) -> Row:
    def write(folder: Path) -> str:
        script = Path(__file__).with_name("keras_files.py")
        subprocess.run([sys.executable, "-W", "ignore", script, folder, f"{network}:{side}"], check=True)
        return f"keras:{network}?size={side}&weights={folder / network}.h5"

    def expected(folder: Path, picture: Image.Image) -> Any:
        (folder / "x.json").write_text(json.dumps(np.asarray(picture.resize((side, side))).tolist()))
        script = Path(__file__).with_name("keras_files.py")
        subprocess.run([sys.executable, "-W", "ignore", script, folder, "prepare", network], check=True)
        prepared = np.load(folder / "p.npy")
        flipped = network.startswith("VGG") or network in ("ResNet50", "ResNet101", "ResNet152")
        return torch.from_numpy(np.ascontiguousarray(prepared[..., ::-1] if flipped else prepared)).permute(2, 0, 1)

    return Row("keras", network, write, width, expected)


def torchvision(network: str, side: int, width: int) -> Row:
    def write(folder: Path) -> str:
        from torchvision import models

        torch.manual_seed(0)
        options: dict[str, Any] = {"image_size": side} if network.startswith("vit") else {}
        options |= {"init_weights": False} if network == "inception_v3" else {}
        torch.save(models.get_model(network, weights=None, **options).state_dict(), folder / "weights.pth")
        return f"torchvision:{network}?size={side}&weights={folder / 'weights.pth'}"

    def expected(folder: Path, picture: Image.Image) -> Any:
        from torchvision.models import get_model_weights
        from torchvision.transforms._presets import ImageClassification

        own = get_model_weights(network).DEFAULT.transforms()
        resize = max(side, round(own.resize_size[0] * side / own.crop_size[0]))
        options = {"mean": own.mean, "std": own.std, "interpolation": own.interpolation}
        return ImageClassification(crop_size=side, resize_size=resize, **options)(picture)

    return Row("torchvision", network, write, width, expected)


def timm(network: str, side: int, width: int, **options: Any) -> Row:
    def write(folder: Path) -> str:
        import timm as library

        torch.manual_seed(0)
        overlay = {"input_size": (3, side, side)}
        model = library.create_model(network, num_classes=3, pretrained_cfg_overlay=overlay, **options)
        library.models.save_for_hf(
            model, folder, model_config={"num_classes": 3}, model_args=options or None, safe_serialization=True
        )
        return f"timm:{folder}"

    def expected(folder: Path, picture: Image.Image) -> Any:
        from timm.data import create_transform, resolve_data_config

        config = json.loads((folder / "config.json").read_text())["pretrained_cfg"]
        return create_transform(**resolve_data_config(pretrained_cfg=config))(picture)

    return Row("timm", network, write, width, expected)


def pictures(network: str, make: Callable[[Any], Any], width: int) -> Row:
    """Of transformers; `make` gets the library."""

    def write(folder: Path) -> str:
        import transformers

        torch.manual_seed(0)
        write_model(folder, make(transformers))
        processor = transformers.CLIPImageProcessor if network in ("CLIP", "DINOv2") else transformers.ViTImageProcessor
        square = {"height": 32, "width": 32}
        crop = (
            {"size": {"shortest_edge": 36}, "crop_size": square} if network in ("CLIP", "DINOv2") else {"size": square}
        )
        processor(**crop).save_pretrained(folder)
        return f"hf:{folder}"

    def expected(folder: Path, picture: Image.Image) -> Any:
        from transformers import AutoImageProcessor

        return AutoImageProcessor.from_pretrained(folder)(images=picture, return_tensors="pt")["pixel_values"][0]

    return Row("hf", network, write, width, expected)


def texts(network: str, make: Callable[[Any], Any], *, special: bool = True) -> Row:
    def write(folder: Path) -> str:
        import transformers

        torch.manual_seed(0)
        write_tokenizer(folder, special=special)
        write_model(folder, make(transformers), tokenizer_config={"model_max_length": 24} if special else {})
        return f"hf:{folder}"

    def expected(folder: Path, text: str) -> Any:
        from transformers import PreTrainedTokenizerFast

        tokenizer = PreTrainedTokenizerFast(tokenizer_file=str(folder / "tokenizer.json"))
        return torch.tensor(tokenizer(text)["input_ids"])

    return Row("hf", network, write, 32, expected)


TEXT = {"vocab_size": len(VOCABULARY), "max_position_embeddings": 40}
VISION = {"image_size": 32, "patch_size": 8, **SMALL}
GPT2 = {"n_embd": 32, "n_layer": 2, "n_head": 4, "n_positions": 30, "bos_token_id": 2, "eos_token_id": 3}
T5 = {"d_model": 32, "d_kv": 8, "d_ff": 64, "num_layers": 2, "num_heads": 4, "decoder_start_token_id": 0}
DISTIL = {"dim": 32, "n_layers": 2, "n_heads": 4, "hidden_dim": 64}
LLAMA = {"num_key_value_heads": 2, "bos_token_id": 2, "eos_token_id": 3}
SWIN = {"image_size": 32, "patch_size": 4, "embed_dim": 16, "depths": [1, 1], "num_heads": [2, 2], "window_size": 4}
CONVNEXT = {"hidden_sizes": [8, 16, 24, 32], "depths": [1, 1, 1, 1]}
CLIP_TEXT = {**SMALL, "vocab_size": 99, "bos_token_id": 0, "eos_token_id": 1, "pad_token_id": 1}

ROWS = (
    keras("VGG16", 32, 512),
    keras("VGG19", 32, 512),
    keras("ResNet50", 32, 2048),
    keras("ResNet50V2", 32, 2048),
    keras("InceptionV3", 75, 2048),
    keras("Xception", 71, 2048),
    keras("MobileNetV2", 32, 1280),
    keras("EfficientNetB0", 32, 1280),
    keras("DenseNet121", 32, 1024),
    keras("ConvNeXtTiny", 32, 768),
    torchvision("vgg16", 32, 4096),
    torchvision("vgg19", 32, 4096),
    torchvision("resnet50", 32, 2048),
    torchvision("inception_v3", 75, 2048),
    torchvision("efficientnet_b0", 32, 1280),
    torchvision("vit_b_16", 32, 768),
    torchvision("convnext_tiny", 32, 768),
    timm("vgg16", 32, 4096),
    timm("vgg19", 32, 4096),
    timm("resnet50", 32, 2048),
    timm("resnetv2_50", 32, 2048),
    timm("inception_v3", 75, 2048),
    timm("efficientnet_b0", 32, 1280),
    timm("vit_tiny_patch16_224", 32, 192, img_size=32),
    timm("convnext_atto", 32, 320),
    pictures("ViT", lambda hf: hf.ViTModel(hf.ViTConfig(**VISION)), 32),
    pictures("Swin", lambda hf: hf.SwinModel(hf.SwinConfig(**SWIN)), 32),
    pictures("ConvNeXt", lambda hf: hf.ConvNextModel(hf.ConvNextConfig(**CONVNEXT)), 32),
    pictures("DINOv2", lambda hf: hf.Dinov2Model(hf.Dinov2Config(**VISION)), 32),
    pictures("CLIP", lambda hf: hf.CLIPModel(hf.CLIPConfig(text_config=CLIP_TEXT, vision_config=VISION)), 32),
    pictures("SigLIP", lambda hf: hf.SiglipModel(hf.SiglipConfig(text_config=CLIP_TEXT, vision_config=VISION)), 32),
    texts("BERT", lambda hf: hf.BertModel(hf.BertConfig(**TEXT, **SMALL))),
    texts("DistilBERT", lambda hf: hf.DistilBertModel(hf.DistilBertConfig(**TEXT, **DISTIL))),
    texts("RoBERTa", lambda hf: hf.RobertaModel(hf.RobertaConfig(**TEXT, **SMALL, pad_token_id=0))),
    texts("DeBERTa", lambda hf: hf.DebertaV2Model(hf.DebertaV2Config(**TEXT, **SMALL))),
    texts("GPT-2", lambda hf: hf.GPT2Model(hf.GPT2Config(vocab_size=len(VOCABULARY), **GPT2)), special=False),
    texts("Llama", lambda hf: hf.LlamaModel(hf.LlamaConfig(**TEXT, **SMALL, **LLAMA)), special=False),
    texts("T5 encoder", lambda hf: hf.T5EncoderModel(hf.T5Config(vocab_size=len(VOCABULARY), **T5))),
    *(Row(*network) for network in sound_rows.NETWORKS),
)


def checked(row: Row, folder: Path) -> dict[str, str]:
    """By step of `STEPS`, "yes" or what went wrong; "width" and "stages" beside them."""
    source = folder / "source"
    source.mkdir()
    name = row.write(source)
    backbone = load(name)
    found = {"width": str(backbone.dim), "stages": str(len(backbone.stages)), "loads": "yes"}
    if backbone.dim != row.width or not _in_order(backbone):
        found["loads"] = f"{backbone.dim} features, expected {row.width}" if backbone.dim != row.width else "stages"
    inputs, answers = rows_of(backbone.modality, folder)
    found["input"] = "-" if row.expected is None else _same_input(row, backbone, source, inputs[0])
    own = {}
    for method in METHODS:
        options = None if method == "probe" else {"epochs": 1}
        model = Transfer(name, method, options=options, engine="torch").fit(inputs, answers)
        model.save(folder / method)
        own[method] = model.predict_proba(inputs)
        found[method] = "yes"
    (folder / "inputs.json").write_text(json.dumps([str(item) for item in inputs]))
    subprocess.run([sys.executable, "-c", FRESH, folder, *METHODS], check=True)
    fresh = {method: np.load(folder / f"{method}.npy") for method in METHODS}
    same = all(np.allclose(fresh[method], own[method], rtol=1e-4, atol=1e-5) for method in METHODS)
    return found | {"fresh process": "yes" if same else "other answers"}


def _in_order(backbone: Any) -> bool:
    """Each parameter is in one stage, and stages begin to calculate in the order in which they are named."""
    names = [name for name, _ in backbone.module.named_parameters()]
    owners = [[stage for stage, prefixes in backbone.stages if name.startswith(prefixes)] for name in names]
    begun: list[str] = []
    for path, part in backbone.module.named_modules():
        own = next((f"{path}.{name}" for name, _ in part.named_parameters(recurse=False)), None)
        stage = next((stage for stage, prefixes in backbone.stages if own and own.startswith(prefixes)), None)
        if path and stage is not None:
            part.register_forward_pre_hook(lambda module, inputs, stage=stage: begun.append(stage))
    with torch.inference_mode():
        backbone.module(*backbone.preprocess.example())
    named = [stage for stage, _ in backbone.stages]
    order = list(dict.fromkeys(begun))
    return len(named) > 1 and all(len(stages) == 1 for stages in owners) and order == [s for s in named if s in order]


def rows_of(modality: str, folder: Path) -> tuple[list[Any], list[str]]:
    """Twenty-four rows of two classes."""
    if modality == "audio":
        return sound_rows.recordings(folder)
    if modality == "text":
        return [f"{WORDS[number % 6]} {'good' if number % 2 else 'bad'}" for number in range(24)], ["a", "b"] * 12
    rng = np.random.default_rng(0)
    places = []
    for number in range(24):
        soft = Image.fromarray(rng.integers(0, 256, (6, 6, 3)).astype(np.uint8)).resize(
            (80, 80), Image.Resampling.BICUBIC
        )
        pixels = np.asarray(soft) // 2 + (100 if number % 2 else 0)
        places.append(folder / f"{number}.png")
        Image.fromarray(pixels.astype(np.uint8)).save(places[-1])
    return places, ["a", "b"] * 12


def _same_input(row: Row, backbone: Any, source: Path, item: Any) -> str:
    from headstart.preprocessing.decode import decode

    preprocess = backbone.preprocess
    if backbone.modality == "audio":
        return sound_rows.same_input(backbone, row.expected, source, item)
    if isinstance(item, str):
        ids, _ = preprocess.prepare(item)
        return "yes" if ids.tolist() == row.expected(source, item).tolist() else "other tokens"
    picture = Image.open(item).convert("RGB")
    if row.hub == "keras":  # Keras leaves it to the user how pictures are resized
        picture.resize(preprocess.size[::-1]).save(item.with_suffix(".same.png"))
        item = item.with_suffix(".same.png")
    prepared, _ = preprocess.prepare(decode(item.read_bytes()))
    (tensor,) = preprocess.tensors(torch.from_numpy(preprocess.collate([prepared])[0]))
    levels = (tensor[0] - row.expected(source, picture)).abs() * 255 * torch.tensor(preprocess.std)[:, None, None]
    # Whole numbers of pixels: libraries round a few of them to the one beside it.
    return "yes" if levels.max() < 1.1 and levels.mean() < 0.05 else f"differs by {levels.max():.1f} of 255"
