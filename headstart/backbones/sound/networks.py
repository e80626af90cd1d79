"""By the name in a spec, the networks of sounds that are written here, and what their sizes are."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

from torch import nn

from headstart.backbones.sound.ge2e import GE2E
from headstart.backbones.sound.speech_embedding import SpeechEmbedding
from headstart.backbones.sound.tacotron import CBHG, CBHG_KEYS, TACOTRON2_KEYS, Tacotron2Encoder
from headstart.backbones.sound.wavenet import KEYS as WAVENET_KEYS
from headstart.backbones.sound.wavenet import WaveNet
from headstart.backbones.sound.whisper import KEYS as WHISPER_KEYS
from headstart.backbones.sound.whisper import WhisperEncoder

__all__ = ["KEYS", "build"]

KEYS = ("network", "sizes")


class _Network(NamedTuple):
    """keys    of its sizes, whole numbers
    build   from them to the module
    """

    keys: tuple[str, ...]
    build: Callable[[dict[str, int]], nn.Module]


_NETWORKS = {
    "whisper": _Network(WHISPER_KEYS, WhisperEncoder),
    "speech-embedding": _Network((), lambda sizes: SpeechEmbedding()),
    "ge2e": _Network((), lambda sizes: GE2E()),
    "wavenet": _Network(WAVENET_KEYS, WaveNet),
    "cbhg": _Network(CBHG_KEYS, CBHG),
    "tacotron2": _Network(TACOTRON2_KEYS, Tacotron2Encoder),
}


def build(spec: dict[str, Any]) -> nn.Module:
    """The network of {"hub": "sound", "network", "sizes"}, with weights drawn from torch's generator.

    ValueError for an unknown one, and for sizes that are not its own.
    """
    if spec["network"] not in _NETWORKS:
        raise ValueError(f"network {spec['network']!r}: expected one of {', '.join(_NETWORKS)}")
    network = _NETWORKS[spec["network"]]
    sizes = spec["sizes"]
    if sizes.keys() != set(network.keys) or any(type(value) is not int or value < 1 for value in sizes.values()):
        raise ValueError(f"sizes {sizes}: expected whole numbers from 1 for {', '.join(network.keys) or 'nothing'}")
    return network.build(sizes)
