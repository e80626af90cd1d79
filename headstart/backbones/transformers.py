"""Texts, pictures, sounds: the networks of transformers (Wolf et al., 2020), read without a repository's code."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import torch
from torch import nn

from headstart.backbones.bert import Bert, is_plain_bert
from headstart.backbones.checkpoint import checkpoint, configured, quiet
from headstart.backbones.classifier import named
from headstart.backbones.encoders import PictureClassifier, PictureEncoder, TextClassifier, TextEncoder
from headstart.backbones.hub import SOUND_TYPES
from headstart.backbones.parts import Labelled, Parts, Whole
from headstart.backbones.sentence import dense_layers, pooling_of, transformer_folder, with_dense
from headstart.backbones.sound import transformers as sound
from headstart.backbones.weights import files_hash
from headstart.errors import BackboneError
from headstart.preprocessing.config_file import read_config
from headstart.preprocessing.image_processor import picture_preprocess
from headstart.preprocessing.spec import PicturePreprocess, TextPreprocess
from headstart.preprocessing.tokenizer import text_preprocess
from headstart.tasks import IMAGE, TEXT, Modality

__all__ = ["architecture", "build", "from_folder"]

FORGET = {"_name_or_path", "transformers_version", "architectures", "torch_dtype", "dtype", "use_cache", "model_type"}
FORGET |= {"id2label", "label2id", "problem_type", "task_specific_params", "finetuning_task"}
_ENCODERS: dict[str, Callable[[Any, str], nn.Module]] = {TEXT: TextEncoder, IMAGE: PictureEncoder}
ATTENTION = {"_attn_implementation", "attn_implementation", "_attn_implementation_internal"}


def build(spec: dict[str, Any]) -> nn.Module:
    """The encoder of {"hub": "hf", "modality", "config", "pool"}, see `encoders`."""
    if spec["modality"] not in _ENCODERS:
        raise BackboneError(f"the stored architecture reads {spec['modality']!r:.40}: expected 'text' or 'image'")
    if spec["modality"] == TEXT and spec["pool"] != "pooler" and is_plain_bert(spec["config"]):
        return TextEncoder(Bert(spec["config"]), spec["pool"])
    config = configured(spec["config"], "the stored architecture")
    with quiet():
        model = _loader(config).from_config(config)
    return _encoder(model, spec["modality"], spec["pool"])


def from_folder(folder: Path, name: str) -> Parts:
    """A folder in transformers' format: config.json, weights, and tokenizer.json or preprocessor_config.json; or one of
    sentence-transformers, with its own pooling and dense layers."""
    outer, folder = folder, transformer_folder(folder)
    raw = architecture(_pictures_alone(read_config(folder)))
    if raw["model_type"] in SOUND_TYPES:
        return sound.from_folder(folder, raw, name)._replace(licence=_licence(outer))
    config = configured(raw, str(folder / "config.json"))
    modality = _modality(config, name)
    model, missing = checkpoint(folder, config, name, _loader(config))
    preprocess: PicturePreprocess | TextPreprocess
    if modality.has_pixels:
        preprocess = picture_preprocess(folder)
        pool = _picture_pool(model, preprocess, trained="pooler" not in missing)
    else:
        preprocess = text_preprocess(
            folder, positions=_positions(model), vocabulary=config.vocab_size, pad_id=getattr(config, "pad_token_id", 0)
        )
        pool = pooling_of(outer, _text_pool(config))
    if lacking := sorted(missing - ({"pooler"} if pool != "pooler" else set())):
        more = f" and {len(lacking) - 5} more" if len(lacking) > 5 else ""
        raise BackboneError(f"{name}: the weights in {folder} lack {', '.join(lacking[:5])}{more}; fetch them again.")
    spec: dict[str, Any] = {"hub": "hf", "modality": modality, "config": raw, "pool": pool}
    labels = partial(_labels, folder, preprocess)
    classifier = Whole(labels, partial(files_hash, folder), partial(_classifier, folder, name, preprocess))
    module = _encoder(model, modality, pool)
    if isinstance(module, TextEncoder) and (dense := dense_layers(outer)):
        spec = {"hub": "sentence", "base": spec, "dense": [layer.layer for layer in dense]}
        return Parts(name, spec, with_dense(module, dense, name), preprocess, _licence(outer))
    return Parts(name, spec, module, preprocess, _licence(outer), classifier)


def architecture(config: dict[str, Any]) -> dict[str, Any]:
    """What of a config.json tells the architecture: not where it came from, who wrote it, nor how fast to run it."""
    settings = {key: value for key, value in config.items() if key not in FORGET | ATTENTION}
    return {"model_type": config.get("model_type"), **settings}


def _classifier(folder: Path, name: str, preprocess: PicturePreprocess | TextPreprocess) -> Labelled | None:
    """The whole network, where it has labels; None where a part of it was never trained."""
    from transformers import AutoModelForImageClassification, AutoModelForSequenceClassification

    labels = _labels(folder, preprocess)
    if labels is None:
        return None
    text = isinstance(preprocess, TextPreprocess)
    loader = AutoModelForSequenceClassification if text else AutoModelForImageClassification
    model, missing = checkpoint(folder, _configuration(folder), name, loader)
    return None if missing else Labelled(TextClassifier(model) if text else PictureClassifier(model), labels)


def _configuration(folder: Path) -> Any:
    raw = {key: value for key, value in read_config(folder).items() if key not in ATTENTION}
    return configured(raw, str(folder / "config.json"))


def _labels(folder: Path, preprocess: PicturePreprocess | TextPreprocess) -> tuple[str, ...] | None:
    """The labels of a ...ForSequenceClassification or ...ForImageClassification, one label an input.

    None where they are only numbered, and where it would take padding for text: a decoder answers at the last token
    that is not its own padding token.
    """
    config = _configuration(folder)
    kind = "ForSequenceClassification" if isinstance(preprocess, TextPreprocess) else "ForImageClassification"
    if not any(str(class_name).endswith(kind) for class_name in config.architectures or ()):
        return None
    labels = named([config.id2label.get(index, "") for index in range(config.num_labels)], config.num_labels)
    if labels is None or config.problem_type not in (None, "single_label_classification"):
        return None
    if isinstance(preprocess, TextPreprocess) and getattr(config, "pad_token_id", None) != preprocess.pad_id:
        return None
    return labels


def _modality(config: Any, name: str) -> Modality:
    from transformers import MODEL_MAPPING

    if _has_text_encoder(config):
        return TEXT
    takes = None
    if type(config) in MODEL_MAPPING and not config.is_encoder_decoder and not hasattr(config, "vision_config"):
        takes = MODEL_MAPPING[type(config)].main_input_name
    modality = {"input_ids": TEXT, "pixel_values": IMAGE}.get(str(takes))
    if modality is None:
        raise BackboneError(
            f"{name}: {config.model_type!r} is not supported; expected one encoder or decoder of text, of pictures or "
            "of sounds."
        )
    return modality


def _encoder(model: Any, modality: str, pool: str) -> nn.Module:
    if pool != "pooler" and getattr(model, "pooler", None) is not None:
        model.pooler = None  # unused, and in many checkpoints untrained
    return _ENCODERS[modality](model, pool)


def _picture_pool(model: Any, preprocess: PicturePreprocess, *, trained: bool) -> str:
    with torch.inference_mode():
        output = model.eval()(pixel_values=torch.zeros(1, 3, *preprocess.size))
    if trained and getattr(output, "pooler_output", None) is not None:
        return "pooler"
    return "cls" if any(name.endswith("cls_token") for name, _ in model.named_parameters()) else "mean"


def _text_pool(config: Any) -> str:
    """Of a decoder, whose last token alone has seen all others, that one; else the mean."""
    from transformers import MODEL_FOR_CAUSAL_LM_MAPPING, MODEL_FOR_MASKED_LM_MAPPING

    decodes = type(config) in MODEL_FOR_CAUSAL_LM_MAPPING and type(config) not in MODEL_FOR_MASKED_LM_MAPPING
    return "last" if decodes and not config.is_encoder_decoder else "mean"


def _loader(config: Any) -> Any:
    """The encoder alone, of a network that has a decoder too."""
    from transformers import AutoModel, AutoModelForTextEncoding

    return AutoModelForTextEncoding if _has_text_encoder(config) else AutoModel


def _has_text_encoder(config: Any) -> bool:
    """Whether a network is one of an encoder and a decoder, whose encoder may stand alone (T5)."""
    from transformers import MODEL_FOR_SEQ_TO_SEQ_CAUSAL_LM_MAPPING, MODEL_FOR_TEXT_ENCODING_MAPPING

    return type(config) in MODEL_FOR_SEQ_TO_SEQ_CAUSAL_LM_MAPPING and type(config) in MODEL_FOR_TEXT_ENCODING_MAPPING


def _pictures_alone(config: dict[str, Any]) -> dict[str, Any]:
    """Of a network of pictures and texts, such as CLIP, what there is for pictures."""
    from transformers import CONFIG_MAPPING

    pictures, kind = config.get("vision_config"), f"{config.get('model_type')}_vision_model"
    if isinstance(pictures, dict) and kind in CONFIG_MAPPING:
        return {**pictures, "model_type": kind}
    return config


def _positions(model: Any) -> int:
    """How many tokens have a position; the rows that RoBERTa and its kin keep for padding do not count."""
    limit = int(getattr(model.config, "max_position_embeddings", None) or 1 << 20)
    for name, module in model.named_modules():
        if name.endswith("position_embeddings") and getattr(module, "padding_idx", None) is not None:
            return limit - int(module.padding_idx) - 1
    return limit


def _licence(folder: Path) -> str:
    card = folder / "README.md"
    lines = card.read_text(encoding="utf-8", errors="replace").splitlines()[:60] if card.is_file() else []
    licences = [line.partition(":")[2].strip(" '\"") for line in lines if line.startswith("license:")]
    return licences[0] if licences else ""
