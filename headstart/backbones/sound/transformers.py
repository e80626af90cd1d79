"""Backbones of sounds from folders in transformers' format: config.json, weights and preprocessor_config.json."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

from torch import nn

from headstart.backbones.checkpoint import checkpoint, configured, quiet
from headstart.backbones.parts import Parts
from headstart.backbones.sound import networks
from headstart.backbones.sound.front_end import Spectrum
from headstart.backbones.sound.transformers_encoders import ASTEncoder, ClapEncoder, WaveEncoder
from headstart.backbones.weights import fill
from headstart.errors import BackboneError
from headstart.preprocessing.config_file import read_config
from headstart.preprocessing.sound import SoundPreprocess

__all__ = ["KEYS", "TYPES", "build", "from_folder"]

KEYS = ("config", "extractor")
_SECONDS = 30
_EXTRACTOR = "preprocessor_config.json"


class _Type(NamedTuple):
    """settings    of preprocessor_config.json that matter, and what they are where they lack
    encoder     from transformers' model and these settings
    longest     samples of the longest clip, from the settings
    """

    settings: dict[str, Any]
    encoder: Callable[[Any, dict[str, Any]], nn.Module]
    longest: Callable[[dict[str, Any]], int]


def _waves(model: Any, settings: dict[str, Any]) -> nn.Module:
    model.config.apply_spec_augment = False  # it draws from numpy, whose state no checkpoint of a training holds
    return WaveEncoder(model, normalise=settings["do_normalize"])


def _ast(model: Any, settings: dict[str, Any]) -> nn.Module:
    rate = settings["sampling_rate"]
    spectrum = Spectrum(
        rate=rate,
        n_fft=512,
        mels=settings["num_mel_bins"],
        low=20.0,
        high=float(rate // 2),
        scale="kaldi",
        by_area=False,
        floor=1.192092955078125e-07,
        edge="none",
        periodic=False,
        preemphasis=0.97,
        centre=True,
    )
    scale = (settings["mean"], settings["std"]) if settings["do_normalize"] else None
    return ASTEncoder(model, spectrum, settings["max_length"], scale)


def _clap(model: Any, settings: dict[str, Any]) -> nn.Module:
    fusion = settings["truncation"] == "fusion"
    size = settings["fft_window_size"]
    spectrum = Spectrum(
        rate=settings["sampling_rate"],
        n_fft=size,
        frame=size,
        window=size,
        hop=settings["hop_length"],
        mels=settings["feature_size"],
        low=float(settings["frequency_min"]),
        high=float(settings["frequency_max"]),
        scale="htk" if fusion else "slaney",
        by_area=not fusion,
        form="db",
        edge="reflect",
    )
    return ClapEncoder(model, spectrum, _clap_longest(settings), settings["padding"], fusion=fusion)


def _clap_longest(settings: dict[str, Any]) -> int:
    return int(settings["max_length_s"] * settings["sampling_rate"])


_WAVES = _Type(
    {"sampling_rate": 16000, "do_normalize": True}, _waves, lambda settings: _SECONDS * int(settings["sampling_rate"])
)
_AST = {"sampling_rate": 16000, "num_mel_bins": 128, "max_length": 1024, "do_normalize": True}
_CLAP = {"sampling_rate": 48000, "feature_size": 64, "hop_length": 480, "max_length_s": 10, "fft_window_size": 1024}
TYPES: dict[str, _Type] = {
    "wav2vec2": _WAVES,
    "hubert": _WAVES,
    "wavlm": _WAVES,
    "audio-spectrogram-transformer": _Type(
        _AST | {"mean": -4.2677393, "std": 4.5689974},
        _ast,
        lambda settings: 400 + (int(settings["max_length"]) - 1) * 160,
    ),
    "clap_audio_model": _Type(
        _CLAP | {"frequency_min": 0, "frequency_max": 14000, "truncation": "fusion", "padding": "repeatpad"},
        _clap,
        _clap_longest,
    ),
}
"""By the model_type of a config.json. Besides them there are whole CLAP models and Whisper, of which the encoder is
taken."""


def build(spec: dict[str, Any]) -> nn.Module:
    """The encoder of {"hub": "hf-sound", "config", "extractor"}; KeyError where a setting of the front end lacks."""
    from transformers import AutoModel, ClapAudioModel

    kind = str(spec["config"].get("model_type"))
    if kind not in TYPES:
        raise ValueError(f"architecture {kind!r}: expected one of {', '.join(TYPES)}")
    config = configured(spec["config"], "the stored architecture")
    with quiet():  # AutoModel knows CLAP only as a whole
        model = ClapAudioModel(config) if kind == "clap_audio_model" else AutoModel.from_config(config)
    return TYPES[kind].encoder(model, spec["extractor"])


def from_folder(folder: Path, raw: dict[str, Any], name: str) -> Parts:
    """The parts of a model whose model_type is among `hub.SOUND_TYPES`.

    `BackboneError` where the weights lack something, or the front end is one that is not known.
    """
    from transformers import AutoModel

    config = configured(raw, str(folder / "config.json"))
    extractor = read_config(folder, _EXTRACTOR, optional=True)
    model, missing = checkpoint(folder, config, name, AutoModel)
    missing -= {"masked_spec_embed", "pooler"}
    kind = raw["model_type"]
    if kind == "clap":
        model, raw = model.audio_model, {"model_type": "clap_audio_model", **raw["audio_config"]}
        missing = {key for key in missing if key.startswith("audio_model.")}
    if missing:
        raise BackboneError(f"{name}: the weights in {folder} lack {', '.join(sorted(missing)[:3])}; fetch them again.")
    if kind == "whisper":
        return _whisper(model, extractor, name)
    settings = _settings(extractor, TYPES[raw["model_type"]], f"{name}: {folder / _EXTRACTOR}")
    spec = {"hub": "hf-sound", "config": raw, "extractor": settings}
    rate, longest = settings["sampling_rate"], TYPES[raw["model_type"]].longest(settings)
    module = TYPES[raw["model_type"]].encoder(model, settings)
    return Parts(name, spec, module, SoundPreprocess(rate=rate, max_samples=longest, min_samples=rate // 40))


def _settings(extractor: dict[str, Any], kind: _Type, where: str) -> dict[str, Any]:
    """What of a preprocessor_config.json matters, each of the type that it has by default."""
    settings = {key: extractor.get(key, default) for key, default in kind.settings.items()}
    for key, default in kind.settings.items():
        number = isinstance(default, int | float) and not isinstance(default, bool)
        valid = isinstance(settings[key], int | float) if number else isinstance(settings[key], type(default))
        if not valid:
            raise BackboneError(f"{where}: {key} = {settings[key]!r}; expected something like {default!r}.")
    return settings


def _whisper(model: Any, extractor: dict[str, Any], name: str) -> Parts:
    """The encoder alone, over all the seconds it was trained on, as transformers computes it."""
    config = model.config
    expected = {"sampling_rate": 16000, "n_fft": 400, "hop_length": 160, "feature_size": config.num_mel_bins}
    wrong = {key: extractor.get(key, value) for key, value in expected.items() if extractor.get(key, value) != value}
    if wrong:
        raise BackboneError(f"{name}: {_EXTRACTOR} says {wrong}; expected {expected}.")
    sizes = {"width": config.d_model, "layers": config.encoder_layers, "heads": config.encoder_attention_heads}
    sizes |= {"inner": config.encoder_ffn_dim, "mels": config.num_mel_bins}
    sizes |= {"positions": config.max_source_positions, "least": config.max_source_positions}
    spec = {"hub": "sound", "network": "whisper", "sizes": sizes}
    module = networks.build(spec)
    fill(module, {_of_whisper(key): value for key, value in model.encoder.state_dict().items()}, name)
    longest = config.max_source_positions * 320
    return Parts(name, spec, module, SoundPreprocess(rate=16000, max_samples=longest, min_samples=400))


def _of_whisper(name: str) -> str:
    return f"stem.{name}" if name.startswith(("conv", "embed_positions")) else name
