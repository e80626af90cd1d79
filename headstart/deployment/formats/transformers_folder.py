"""A model as a folder in transformers' format (Wolf et al., 2020), whose own classes predict as headstart does."""

from __future__ import annotations

from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch

from headstart.artefact import Model
from headstart.backbones.checkpoint import quiet
from headstart.deployment.formats.class_names import class_names
from headstart.deployment.formats.comparison import compared_with, expected_of
from headstart.deployment.formats.formats import Exported, Options
from headstart.deployment.formats.linear_head import linear_head_of
from headstart.deployment.formats.model_card import write_card
from headstart.deployment.formats.notes import notes_of
from headstart.deployment.formats.staged_folder import files_in, new_folder
from headstart.deployment.formats.transformers_head import network_with
from headstart.features.picture_input import Source
from headstart.preprocessing.spec import PicturePreprocess, TextPreprocess
from headstart.tasks.kind import Kind
from headstart.tasks.task import Array
from headstart.transfer import Transfer

__all__ = ["answers_of_folder", "write_transformers"]

_NAME = "a transformers folder"
_BATCH = 16
_RESAMPLE = {"bilinear": 2, "bicubic": 3}
_PROBLEMS = {"classification": "single_label_classification", "multilabel": "multi_label_classification"}
_LOADS = """```python
{imports}from transformers import {network}, {reader}

network = {network}.from_pretrained("{name}")
reader = {reader}.from_pretrained("{name}")
logits = network(**reader({inputs}, return_tensors="pt")).logits
{answers}
```"""
_PICTURES = "from PIL import Image\n"


def write_transformers(fitted: Transfer, path: Path, options: Options) -> Exported:
    """Write the folder, load it anew with transformers' automatic classes, compare, and only then put it in place.

    Raises ValueError where the architecture of transformers cannot hold this model as it is, which names another
    format; ArtefactError where what was written answers otherwise.
    """
    model = fitted.model_
    head = linear_head_of(model, _NAME)
    if model.backbone is None:
        raise ValueError(f"{_NAME} holds a network, and this model has no backbone: export it to ONNX (--onnx)")
    network = network_with(model.backbone, head, _settings(model))
    with new_folder(path, "transformers", overwrite=options.overwrite) as stage:
        with quiet():
            network.save_pretrained(stage)
        _write_reader(model, stage)
        write_card(model, stage, path.name, _how_to_load(model, path.name))
        expected = expected_of(fitted, options)
        predictions = answers_of_folder(stage, list(expected.task.inputs), model)
        parity = compared_with(fitted, expected, predictions)
    return Exported("transformers", path, tuple(files_in(path)), parity, notes_of(model))


def _settings(model: Model) -> dict[str, Any]:
    names = class_names(model)
    settings: dict[str, Any] = {
        "id2label": dict(enumerate(names)),
        "label2id": {name: number for number, name in enumerate(names)},
        "problem_type": _PROBLEMS.get(str(model.kind), "regression"),
    }
    preprocess = model.backbone.preprocess if model.backbone is not None else None
    return settings | ({"pad_token_id": preprocess.pad_id} if isinstance(preprocess, TextPreprocess) else {})


def _write_reader(model: Model, stage: Path) -> None:
    """The image processor, or the tokenizer."""
    preprocess = model.backbone.preprocess if model.backbone is not None else None
    if isinstance(preprocess, TextPreprocess):
        from tokenizers import Tokenizer
        from transformers import PreTrainedTokenizerFast

        tokenizer = Tokenizer.from_str(preprocess.tokenizer_json)
        PreTrainedTokenizerFast(
            tokenizer_object=tokenizer,
            pad_token=tokenizer.id_to_token(preprocess.pad_id),
            model_max_length=preprocess.max_length,
            padding_side="right",
            truncation_side="right",
            model_input_names=["input_ids", "attention_mask"],
        ).save_pretrained(stage)
    elif isinstance(preprocess, PicturePreprocess):
        _processor(preprocess).save_pretrained(stage)


def _processor(preprocess: PicturePreprocess) -> Any:
    from transformers import CLIPImageProcessor, ViTImageProcessor

    height, width = preprocess.size
    shared: dict[str, Any] = {
        "resample": _RESAMPLE[preprocess.interpolation],
        "image_mean": list(preprocess.mean),
        "image_std": list(preprocess.std),
        "do_convert_rgb": True,
    }
    if preprocess.squash:
        return ViTImageProcessor(size={"height": height, "width": width}, **shared)
    crop = {"height": height, "width": width}
    return CLIPImageProcessor(size={"shortest_edge": preprocess.resize}, crop_size=crop, **shared)


class _Readers(NamedTuple):
    """Classes of transformers, and what the second is given in an example, with the imports that this takes."""

    network: str
    reader: str
    inputs: str
    imports: str = ""


def _readers(model: Model) -> _Readers:
    if model.modality.has_pixels:
        return _Readers("AutoModelForImageClassification", "AutoImageProcessor", 'Image.open("a.jpg")', _PICTURES)
    return _Readers("AutoModelForSequenceClassification", "AutoTokenizer", '["a text"], padding=True, truncation=True')


def _how_to_load(model: Model, name: str) -> str:
    ways = {"classification": "logits.softmax(1)", "multilabel": "logits.sigmoid()"}
    return _LOADS.format(name=name, answers=ways.get(str(model.kind), "logits[:, 0]"), **_readers(model)._asdict())


def answers_of_folder(folder: Path, inputs: list[Any], model: Model) -> Array:
    """What transformers' own classes, loaded anew from a folder, answer to pictures or texts: (N, C) or (N,)."""
    import transformers

    names = _readers(model)
    with quiet():
        network = getattr(transformers, names.network).from_pretrained(folder, local_files_only=True).eval()
        reader = getattr(transformers, names.reader).from_pretrained(folder, local_files_only=True)
    logits = []
    with torch.inference_mode():
        for start in range(0, len(inputs), _BATCH):
            batch = inputs[start : start + _BATCH]
            logits.append(network(**_read(reader, batch, model)).logits.double().numpy())
    return _predictions(np.concatenate(logits), model.kind)


def _read(reader: Any, batch: list[Any], model: Model) -> Any:
    if not model.modality.has_pixels:
        return reader(batch, padding=True, truncation=True, return_tensors="pt")
    from torchvision.transforms.v2.functional import to_pil_image

    window = getattr(model.backbone and model.backbone.preprocess, "window", None)
    pictures = [to_pil_image(Source(item).decode(draft=True, window=window)) for item in batch]
    return reader(images=pictures, return_tensors="pt")


def _predictions(logits: Array, kind: Kind) -> Array:
    return kind.probabilities(logits, 1.0)
