"""A configuration and its weights in transformers' format, read without running a repository's code."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch

from headstart.backbones.randomness import seeded
from headstart.errors import BackboneError
from headstart.messages import nearest

__all__ = ["checkpoint", "configured", "quiet"]


def configured(raw: dict[str, Any], where: str) -> Any:
    """transformers' own configuration of a config.json; `BackboneError` where it has none for it."""
    from transformers import CONFIG_MAPPING

    kind = str(raw.get("model_type"))
    if kind not in CONFIG_MAPPING:
        near = nearest(kind, CONFIG_MAPPING, count=3) or "none"
        raise BackboneError(f"{where}: transformers has no architecture {kind!r}; nearest: {near}.")
    if "quantization_config" in raw:
        raise BackboneError(f"{where}: the weights are quantised; expected plain ones. Fetch the original model.")
    inner = "timm" if kind.startswith("timm") else raw.get("backbone") or raw.get("use_timm_backbone")
    if inner or raw.get("use_pretrained_backbone"):
        raise BackboneError(f"{where}: {kind!r} is built on another model, {inner!r}; that is not supported.")
    try:
        with quiet():
            config = CONFIG_MAPPING[kind].from_dict(raw)
    except Exception as error:  # a configuration class may refuse a value with any error
        raise BackboneError(f"{where}: not a configuration of {kind!r}: {error}") from error
    if getattr(config, "use_cache", False):
        config.use_cache = False  # one forward pass: nothing to keep, and OpenVINO does not convert it
    return config


def checkpoint(folder: Path, config: Any, name: str, loader: Any) -> tuple[Any, set[str]]:
    """The model with its weights in float32, and the names that the weights do not have, a pooler as one.

    loader   one of transformers' automatic classes, such as AutoModel
    """
    safe = bool(list(folder.glob("*.safetensors")))
    try:
        with seeded(0), quiet():
            model, info = loader.from_pretrained(
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


@contextmanager
def quiet() -> Iterator[None]:
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
