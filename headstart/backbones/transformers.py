"""Text and pictures: the networks of transformers (Wolf et al., 2020), read without running a repository's code."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from difflib import get_close_matches
from pathlib import Path
from typing import Any

import torch
from torch import nn

from headstart.backbones.backbone import PicturePreprocess, TextPreprocess
from headstart.backbones.config import read_config
from headstart.backbones.encoders import PictureEncoder, TextEncoder
from headstart.backbones.parts import Parts
from headstart.backbones.pictures import picture_preprocess
from headstart.backbones.randomness import seeded
from headstart.backbones.tokenizer import text_preprocess
from headstart.errors import BackboneError

__all__ = ["architecture", "build", "from_folder"]

FORGET = {"_name_or_path", "transformers_version", "architectures", "torch_dtype", "dtype", "use_cache", "model_type"}
FORGET |= {"id2label", "label2id", "problem_type", "task_specific_params", "finetuning_task"}
ATTENTION = {"_attn_implementation", "attn_implementation", "_attn_implementation_internal"}


def build(spec: dict[str, Any]) -> nn.Module:
    """The encoder of {"hub": "hf", "modality", "config", "pool"}, see `encoders`."""
    from transformers import AutoModel

    with _quiet():
        model = AutoModel.from_config(_config(spec["config"], "the stored architecture"))
    return _encoder(model, spec["modality"], spec["pool"])


def from_folder(folder: Path, name: str) -> Parts:
    """A folder in transformers' format: config.json, weights, and tokenizer.json or preprocessor_config.json."""
    raw = architecture(read_config(folder))
    config = _config(raw, str(folder / "config.json"))
    modality = _modality(config, name)
    model, missing = _load(folder, config, name)
    preprocess: PicturePreprocess | TextPreprocess
    if modality == "text":
        preprocess = text_preprocess(
            folder, positions=_positions(model), vocabulary=config.vocab_size, pad_id=getattr(config, "pad_token_id", 0)
        )
        pool = _sentence_pool(folder)
    else:
        preprocess = picture_preprocess(folder)
        pool = _picture_pool(model, preprocess, trained="pooler" not in missing)
    if missing - ({"pooler"} if pool != "pooler" else set()):
        raise BackboneError(f"{name}: the weights in {folder} lack {', '.join(sorted(missing))}; fetch them again.")
    spec = {"hub": "hf", "modality": modality, "config": raw, "pool": pool}
    return Parts(name, spec, _encoder(model, modality, pool), preprocess, _licence(folder))


def architecture(config: dict[str, Any]) -> dict[str, Any]:
    """What of a config.json tells the architecture: not where it came from, who wrote it, nor how fast to run it."""
    kept = {key: value for key, value in config.items() if key not in FORGET | ATTENTION}
    return {"model_type": config.get("model_type"), **kept}


def _config(raw: dict[str, Any], where: str) -> Any:
    from transformers import CONFIG_MAPPING

    kind = str(raw.get("model_type"))
    if kind not in CONFIG_MAPPING:
        near = ", ".join(get_close_matches(kind, list(CONFIG_MAPPING), n=3)) or "none"
        raise BackboneError(f"{where}: transformers has no architecture {kind!r}; nearest: {near}.")
    if "quantization_config" in raw:
        raise BackboneError(f"{where}: the weights are quantised; expected plain ones. Fetch the original model.")
    inner = "timm" if kind.startswith("timm") else raw.get("backbone") or raw.get("use_timm_backbone")
    if inner or raw.get("use_pretrained_backbone"):
        raise BackboneError(f"{where}: {kind!r} is built on another model, {inner!r}; that is not supported.")
    try:
        with _quiet():
            config = CONFIG_MAPPING[kind].from_dict(raw)
    except Exception as error:  # a configuration class may refuse a value with any error
        raise BackboneError(f"{where}: not a configuration of {kind!r}: {error}") from error
    if getattr(config, "use_cache", False):
        config.use_cache = False  # one forward pass: nothing to keep, and OpenVINO does not convert it
    return config


def _modality(config: Any, name: str) -> str:
    from transformers import MODEL_MAPPING

    takes = None
    if type(config) in MODEL_MAPPING and not config.is_encoder_decoder and not hasattr(config, "vision_config"):
        takes = MODEL_MAPPING[type(config)].main_input_name
    modality = {"input_ids": "text", "pixel_values": "image"}.get(str(takes))
    if modality is None:
        raise BackboneError(
            f"{name}: {config.model_type!r} is not supported; expected one encoder or decoder of text or of pictures."
        )
    return modality


def _load(folder: Path, config: Any, name: str) -> tuple[Any, set[str]]:
    """The model with its weights in float32, and the first name of each part that the weights do not have."""
    from transformers import AutoModel

    safe = bool(list(folder.glob("*.safetensors")))
    try:
        with seeded(0), _quiet():
            model, info = AutoModel.from_pretrained(
                folder,
                config=config,
                dtype=torch.float32,
                local_files_only=True,
                use_safetensors=safe,
                weights_only=True,
                ignore_mismatched_sizes=True,
                output_loading_info=True,
            )
    except Exception as error:  # transformers, safetensors and pickle each have their own
        raise BackboneError(f"{name}: the weights in {folder} cannot be read: {str(error)[:300]}") from error
    if info["mismatched_keys"] or info["error_msgs"]:
        wrong = [f"{key} has the shape {tuple(a)}, not {tuple(b)}" for key, a, b in sorted(info["mismatched_keys"])]
        wrong += info["error_msgs"]
        raise BackboneError(f"{name}: the weights in {folder} do not fit config.json: {'; '.join(wrong[:3])}.")
    return model, {key if not key.startswith("pooler.") else "pooler" for key in info["missing_keys"]}


def _encoder(model: Any, modality: str, pool: str) -> nn.Module:
    if pool != "pooler" and getattr(model, "pooler", None) is not None:
        model.pooler = None  # unused, and in many checkpoints untrained
    return TextEncoder(model, pool) if modality == "text" else PictureEncoder(model, pool)


def _picture_pool(model: Any, preprocess: PicturePreprocess, *, trained: bool) -> str:
    with torch.inference_mode():
        output = model.eval()(pixel_values=torch.zeros(1, 3, *preprocess.size))
    if trained and getattr(output, "pooler_output", None) is not None:
        return "pooler"
    return "cls" if any(name.endswith("cls_token") for name, _ in model.named_parameters()) else "mean"


def _sentence_pool(folder: Path) -> str:
    pooling = read_config(folder, "1_Pooling/config.json", optional=True)
    return "cls" if pooling.get("pooling_mode_cls_token") else "mean"


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
    found = [line.partition(":")[2].strip(" '\"") for line in lines if line.startswith("license:")]
    return found[0] if found else ""


@contextmanager
def _quiet() -> Iterator[None]:
    """No progress bars and no report about weights: what is missing or does not fit becomes an error of ours."""
    from transformers.utils import logging

    bars, level = logging.is_progress_bar_enabled(), logging.get_verbosity()
    logging.disable_progress_bar()
    logging.set_verbosity_error()
    try:
        yield
    finally:
        logging.set_verbosity(level)
        if bars:
            logging.enable_progress_bar()
