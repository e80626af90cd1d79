"""Networks of sounds for the table in docs/backbones.md, in the hub's own format with random weights."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from public_layouts import public_tacotron2, public_wavenet
from tones import words
from torch import nn

from headstart.data.sounds import clip_of

WAVES = {
    "hidden_size": 24, "num_hidden_layers": 2, "num_attention_heads": 2, "intermediate_size": 32,
    "conv_dim": (16, 16, 24), "conv_kernel": (10, 8, 4), "conv_stride": (5, 8, 4), "num_feat_extract_layers": 3,
    "num_conv_pos_embeddings": 16, "num_conv_pos_embedding_groups": 2,
}  # fmt: skip
AST = {
    "hidden_size": 24, "num_hidden_layers": 2, "num_attention_heads": 2, "intermediate_size": 32,
    "num_mel_bins": 32, "max_length": 64,
}  # fmt: skip
CLAP = {
    "patch_embeds_hidden_size": 8, "depths": [1, 1], "num_attention_heads": [2, 2], "num_hidden_layers": 2,
    "hidden_size": 16, "window_size": 4, "spec_size": 64, "num_mel_bins": 16,
}  # fmt: skip
CLAP_TEXT = {"hidden_size": 16, "num_hidden_layers": 1, "num_attention_heads": 2, "intermediate_size": 16}
WHISPER = {
    "d_model": 32, "encoder_layers": 2, "encoder_attention_heads": 2, "encoder_ffn_dim": 48, "decoder_layers": 1,
    "decoder_attention_heads": 2, "decoder_ffn_dim": 32, "vocab_size": 50, "pad_token_id": 0, "bos_token_id": 1,
    "eos_token_id": 2, "decoder_start_token_id": 1,
}  # fmt: skip


def recordings(folder: Path) -> tuple[list[Any], list[str]]:
    """Twenty-four files of two classes, low and high melodies."""
    places = sorted(words(folder / "recordings").rglob("*.wav"))
    return list(places), [place.parent.name for place in places]


def transformers_folder(
    model: Callable[[Any], Any], extractor: Callable[[Any], Any], inner: str = ""
) -> tuple[Callable[[Path], str], Callable[[Path, Any], Any]]:
    """How such a folder is written, and what transformers' own model gives its first layer with weights.

    Both functions get the library; `inner` is the part of the model that hears, where another does not.
    """

    def write(folder: Path) -> str:
        import transformers

        torch.manual_seed(0)
        model(transformers).eval().save_pretrained(folder)
        extractor(transformers).save_pretrained(folder)
        return f"hf:{folder}"

    def expected(folder: Path, wave: Any) -> Any:
        import transformers

        own = transformers.AutoFeatureExtractor.from_pretrained(folder)
        inputs = dict(own(wave, sampling_rate=own.sampling_rate, return_tensors="pt"))
        network = transformers.AutoModel.from_pretrained(folder).eval()
        hearing = network.get_submodule(inner)
        return first_input(hearing, lambda: hearing(**inputs))

    return write, expected


def first_input(network: nn.Module, run: Callable[[], Any]) -> torch.Tensor:
    """What the first layer of a network that has weights is given when `run` is called."""
    given: list[torch.Tensor] = []
    layers = [layer for layer in network.modules() if next(layer.parameters(), None) is not None]
    layers = [layer for layer in layers if not list(layer.children())]
    hooks = [layer.register_forward_pre_hook(lambda _, inputs: given.append(inputs[0].clone())) for layer in layers]
    with torch.inference_mode():
        run()
    for hook in hooks:
        hook.remove()
    return given[0]


def wavenet(folder: Path) -> str:
    _, stored = public_wavenet(4, 5, 2, weight_norm=True)
    torch.save({"state_dict": stored, "global_step": 7}, folder / "checkpoint.pth")
    return f"wavenet:2x2-5?weights={folder / 'checkpoint.pth'}"


def tacotron2(folder: Path) -> str:
    torch.save({"state_dict": public_tacotron2(12)[1], "iteration": 5}, folder / "tacotron2.pt")
    return f"tacotron2:12?weights={folder / 'tacotron2.pt'}"


def clap(library: Any) -> Any:
    text, audio = library.ClapTextConfig(**CLAP_TEXT), library.ClapAudioConfig(**CLAP)
    both = {"text_config": text.to_dict(), "audio_config": audio.to_dict()}
    return library.ClapModel(library.ClapConfig(**both, projection_dim=8))


def same_input(backbone: Any, expected: Callable[[Path, Any], Any], folder: Path, item: Path) -> str:
    """ "yes", or by how much its first layer is given something else than that of the hub's own model."""
    wave, _ = backbone.preprocess.prepare(clip_of(item))
    arrays = [torch.from_numpy(array) for array in backbone.preprocess.collate([wave])]
    given = first_input(backbone.module, lambda: backbone.module(*arrays))
    other = expected(folder, wave)
    if given.shape != other.shape:
        return f"{tuple(given.shape)}, expected {tuple(other.shape)}"
    apart = float((given - other).abs().max() / other.abs().max())
    return "yes" if apart < 1e-3 else f"differs by {apart:.4f} of the largest"


def hub(network: str, width: int, model: Callable[[Any], Any], extractor: Callable[[Any], Any], inner: str = "") -> Any:
    """Hub, network, how it is written, width, and what its first layer is given."""
    write, expected = transformers_folder(model, extractor, inner)
    return "hf", network, write, width, expected


def of_waves(library: Any) -> Any:
    return library.Wav2Vec2FeatureExtractor()


NETWORKS = (
    hub("wav2vec 2.0", 24, lambda hf: hf.Wav2Vec2Model(hf.Wav2Vec2Config(**WAVES)), of_waves),
    hub("HuBERT", 24, lambda hf: hf.HubertModel(hf.HubertConfig(**WAVES)), of_waves),
    hub("WavLM", 24, lambda hf: hf.WavLMModel(hf.WavLMConfig(**WAVES)), of_waves),
    hub(
        "AST", 24, lambda hf: hf.ASTModel(hf.ASTConfig(**AST)),
        lambda hf: hf.ASTFeatureExtractor(num_mel_bins=32, max_length=64, mean=-3.0, std=4.0),
    ),
    hub(
        "Whisper", 32, lambda hf: hf.WhisperModel(hf.WhisperConfig(**WHISPER)),
        lambda hf: hf.WhisperFeatureExtractor(), "encoder",
    ),
    hub(
        "CLAP", 16, clap,
        lambda hf: hf.ClapFeatureExtractor(feature_size=16, max_length_s=2, truncation="rand_trunc"), "audio_model",
    ),
    ("wavenet", "WaveNet", wavenet, 6),
    ("tacotron2", "Tacotron 2 encoder", tacotron2, 12),
    ("cbhg", "Tacotron encoder (CBHG)", lambda folder: "cbhg:16", 32),
)  # fmt: skip
"""As the fields of `hub_rows.Row`; where the hub has no preprocessing of its own, none is compared."""
