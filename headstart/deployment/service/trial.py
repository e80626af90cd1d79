"""A model is tried once before requests are sent to it: its engine is ready then, and what cannot answer is not put in
the place of what can."""

from __future__ import annotations

import io
import wave
from collections.abc import Callable
from typing import Any

import numpy as np
from PIL import Image

from headstart.artefact.model import Model
from headstart.deployment.service.served import Served
from headstart.errors import ArtefactError
from headstart.tasks import ARRAY, AUDIO, IMAGE, TABLE, TEXT

__all__ = ["example_of", "try_model"]


def try_model(served: Served) -> None:
    """Ask it for one made-up input. Raises ArtefactError where the answer is none."""
    answer = served.answers([example_of(served.model)])[0]
    if answer.values is None:
        raise ArtefactError(f"the model gives no answer when it is tried: {answer.why}")
    if not np.isfinite(answer.values).all():
        raise ArtefactError("the model answers NaN or infinity when it is tried")


def example_of(model: Model) -> Any:
    """An input as `inputs.task_of` takes it: a grey picture, a second of silence, a word, a row of missing cells."""
    if model.modality not in _EXAMPLES:
        raise ArtefactError(f"models of {model.modality} inputs are not served")
    return _EXAMPLES[model.modality](model)


def _picture(model: Model) -> bytes:
    file = io.BytesIO()
    Image.new("RGB", (32, 32), "grey").save(file, "PNG")
    return file.getvalue()


def _sound(model: Model) -> bytes:
    file = io.BytesIO()
    with wave.open(file, "wb") as recording:
        recording.setnchannels(1)
        recording.setsampwidth(2)
        recording.setframerate(16_000)
        noise = np.random.default_rng(0).integers(-999, 999, 16_000)
        recording.writeframes(noise.astype("<i2").tobytes())
    return file.getvalue()


def _row(model: Model) -> Any:
    if model.columns is not None and model.columns.input:
        return dict.fromkeys(model.columns.input)
    return [0.0] * model.head.width


_EXAMPLES: dict[str, Callable[[Model], Any]] = {
    IMAGE: _picture,
    AUDIO: _sound,
    TEXT: lambda model: "a word",
    TABLE: _row,
    ARRAY: _row,
}
