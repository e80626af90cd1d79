"""A recording as the log-mel picture that its backbone makes of it, in cells of time and pitch; a cell that is missing
holds what silence has there. Of a model that makes no such picture: in stretches of time, which are silenced."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import cached_property
from itertools import pairwise
from typing import Any, NamedTuple, cast

import numpy as np
import torch
from torch import Tensor, nn

from headstart.artefact.model import Model
from headstart.backbones.sound.front_end import FrontEnd
from headstart.explanations.asking import answers_to_all
from headstart.explanations.attribution import Attribution, Way
from headstart.explanations.integrated import integrated_gradients
from headstart.explanations.network import Network, network_of, slopeless
from headstart.explanations.occlusion import occlusion
from headstart.explanations.overridden import outputs_of, overridden
from headstart.explanations.question import Question
from headstart.features.extraction import Extraction
from headstart.linalg.torch_threads import one_torch_thread
from headstart.preprocessing.sound import SoundPreprocess
from headstart.tasks.audio import Clip
from headstart.tasks.task import Array

__all__ = ["SoundCase"]

_TIMES, _BANDS, _STRETCHES = 20, 8, 20
_WINDOW = 3
_ROWS = 16
_RATE, _SECONDS = 16000, 30.0


class _Mel(NamedTuple):
    """levels, silence   (1, frames, bands)"""

    layer: nn.Module
    levels: Tensor
    silence: Tensor


class SoundCase:
    """One recording of a model; of a long one the first window.

    levels    (bands, frames) the log-mel picture, low pitch first; None where there is none
    seconds   how long what is explained is
    """

    def __init__(self, model: Model, item: Any, extraction: Extraction) -> None:
        self._model, self._extraction = model, extraction
        self._network = network_of(model)
        preprocess = _form(self._network)
        self._rate = preprocess.rate
        self.wave, cut = preprocess.prepare(cast(Clip, item))
        self.seconds = len(self.wave) / self._rate
        self.notes: tuple[str, ...] = ()
        if cut:
            self.notes = (f"only the first {self.seconds:.3g} s are explained, as the backbone takes them at once",)
        self.shape: tuple[int, int] | None = None
        if self._mel is None:
            ends = np.linspace(0, self.seconds, _STRETCHES + 1)
            self.parts = tuple(f"{a:.2f}-{b:.2f} s" for a, b in pairwise(ends))
        else:
            self.shape = bands, times = min(_BANDS, self._mel.levels.shape[2]), min(_TIMES, self._mel.levels.shape[1])
            ends = np.linspace(0, self.seconds, times + 1)
            self.parts = tuple(
                f"{ends[time]:.2f}-{ends[time + 1]:.2f} s, band {band + 1} of {bands}"
                for band in range(bands)
                for time in range(times)
            )

    def ask(self, kept: Array) -> Array:
        """See `Case`."""
        kept = np.asarray(kept, bool)
        if self._mel is not None:
            return self._ask_levels(kept)
        of_stretch = np.arange(len(self.wave)) * len(self.parts) // len(self.wave)
        waves = [np.where(row[of_stretch], self.wave, np.float32(0)) for row in kept]
        if self._network is not None:
            return self._network.predict(waves, self._model.kind)
        clips = [Clip(wave=wave[:, None], rate=self._rate, channels=1, frames=len(wave)) for wave in waves]
        return answers_to_all(self._model, clips, self._extraction)

    @property
    def ways(self) -> Mapping[str, Way]:
        """See `Case`: integrated gradients over the log-mel picture, occlusion."""
        ways: dict[str, Way] = {}
        if not self.without:
            ways["integrated-gradients"] = self._integrated
        return ways | {"occlusion": self._occluded}

    @property
    def without(self) -> Mapping[str, str]:
        """See `Case`."""
        why = slopeless(self._model) or ("" if self._mel is not None else "its backbone makes no log-mel picture")
        return {"integrated-gradients": why} if why else {}

    @property
    def levels(self) -> Array | None:
        """See above."""
        return None if self._mel is None else np.asarray(self._mel.levels[0].T.numpy())

    @cached_property
    def _mel(self) -> _Mel | None:
        """The front end and what it makes of the recording and of silence; None where that is not one picture."""
        if self._network is None:
            return None
        layer = next((part for part in self._network.backbone.modules() if isinstance(part, FrontEnd)), None)
        if layer is None:
            return None
        outputs = []
        with one_torch_thread(), torch.no_grad(), outputs_of(layer) as taken:
            for wave in (self.wave, np.zeros_like(self.wave)):
                self._network.backbone(*self._network.tensors([wave]))
            outputs = list(taken)
        whole = len(outputs) == 2 and all(len(output) == 1 and output.ndim == 3 for output in outputs)
        return _Mel(layer, *outputs) if whole else None

    @cached_property
    def _of_cell(self) -> Array:
        """(frames, bands) the cell of each place of the picture."""
        frames, mels = cast(_Mel, self._mel).levels.shape[1:]
        bands, times = cast(tuple[int, int], self.shape)
        return (np.arange(mels) * bands // mels)[None, :] * times + (np.arange(frames) * times // frames)[:, None]

    def _ask_levels(self, kept: Array) -> Array:
        mel, network = cast(_Mel, self._mel), cast(Network, self._network)
        parts = []
        with torch.inference_mode(), one_torch_thread():
            for at in range(0, len(kept), _ROWS):
                stays = torch.from_numpy(kept[at : at + _ROWS][:, self._of_cell])
                with self._given(torch.where(stays, mel.levels, mel.silence)) as inputs:
                    parts.append(network.logits(*inputs).numpy())
        return np.asarray(self._model.kind.probabilities(np.concatenate(parts), 1.0))

    @contextmanager
    def _given(self, levels: Tensor) -> Iterator[tuple[Tensor, ...]]:
        """The inputs of the backbone, whose front end puts out these levels (N, frames, bands)."""
        mel, network = cast(_Mel, self._mel), cast(Network, self._network)
        inputs = network.tensors([self.wave])
        with overridden(mel.layer, levels):
            yield tuple(tensor.expand(len(levels), *tensor.shape[1:]) for tensor in inputs)

    def _integrated(self, question: Question) -> Attribution:
        mel, network = cast(_Mel, self._mel), cast(Network, self._network)

        def function(levels: Tensor) -> Tensor:
            with self._given(levels) as inputs:
                return question.of_logits(network.logits(*inputs))

        fine, base, score = integrated_gradients(function, mel.levels, mel.silence)
        cells = np.bincount(self._of_cell.ravel(), fine.ravel(), len(self.parts))
        return Attribution(cells, fine.T, base, score, gap=float(abs(fine.sum() - (score - base))))

    def _occluded(self, question: Question) -> Attribution:
        attribution = occlusion(self, question, side=_WINDOW if self._mel is not None else 1)
        if self._mel is None:
            return attribution
        return attribution._replace(fine=attribution.values[self._of_cell].T)


def _form(network: Network | None) -> SoundPreprocess:
    """How samples are taken; without a network at 16 kHz, the first half minute."""
    if network is not None and isinstance(network.preprocess, SoundPreprocess):
        return network.preprocess
    return SoundPreprocess(rate=_RATE, max_samples=round(_SECONDS * _RATE), min_samples=_RATE // 10)
