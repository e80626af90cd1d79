"""The opponent of recordings that reuses nothing."""

from __future__ import annotations

import io

import numpy as np
import soundfile
from italian import both
from tones import RATE, melody

from headstart.data.arrays import as_task
from headstart.data.sound_sketch import described, sketch
from headstart.data.sounds import clip_of
from headstart.evidence.baselines.no_transfer import fit_untransferred, no_transfer
from headstart.preprocessing.encoders import encoder_from
from headstart.tasks import AUDIO
from headstart.tasks.task import Task


def tones(count: int, seed: int) -> Task:
    """Sketches of low and high melodies."""
    rng = np.random.default_rng(seed)
    waves = [melody((250, 700)[k % 2], 0.4, RATE, rng) for k in range(count)]
    task = as_task([(wave, RATE) for wave in waves], [("low", "high")[k % 2] for k in range(count)])
    return Task(
        inputs=np.stack([sketch(clip) for clip in task.inputs]), targets=task.targets, kind=task.kind, modality=AUDIO,
        classes=task.classes,
    )  # fmt: skip


def test_it_tells_melodies_apart_and_is_the_same_after_being_stored():
    train, new = tones(40, 0), tones(30, 1)
    folds = np.arange(40) // 2 % 5
    model = fit_untransferred(train, folds=folds)
    answers = model.answers(new.inputs)
    assert (answers.argmax(axis=1) == new.targets).mean() >= 0.9
    assert np.array_equal(no_transfer(train, new.inputs, folds=folds), answers)
    again = encoder_from(*model.encoder.state())
    assert np.array_equal(again.transform(new.inputs), described(new.inputs))


def test_it_tells_who_speaks_italian():
    """A man or a woman, on words that neither said in training."""
    names = [name for name in both() if not name.isdigit()]
    chosen = np.random.default_rng(0).permutation(len(names))[:80]
    clips, labels = [], []
    for at in chosen:
        for speaker in (0, 1):
            data = both()[names[at]][speaker]
            wave, rate = soundfile.read(io.BytesIO(data), dtype="float32")
            clips.append(clip_of((wave / max(np.abs(wave).max(), 1e-3), rate)))
            labels.append(speaker)
    task = as_task([(clip.wave, clip.rate) for clip in clips], labels)
    inputs = np.stack([sketch(clip) for clip in clips])
    task = Task(inputs=inputs, targets=task.targets, kind=task.kind, modality=AUDIO, classes=task.classes)
    model = fit_untransferred(task.take(np.arange(80)), folds=np.arange(80) // 2 % 5)
    answers = model.answers(inputs[80:])
    assert (answers.argmax(axis=1) == np.asarray(labels[80:])).mean() >= 0.9
