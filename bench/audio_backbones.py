"""Backbones of sounds on spoken words from one recording each, and on who speaks, as a Markdown table.

    python bench/audio_backbones.py CARLO MENARDI ALLISON [--fast]

The folders are those of the recordings that the Debian packages asterisk-core-sounds-it-wav,
asterisk-prompt-it-menardi-wav and asterisk-core-sounds-en-wav install (CC-BY-SA-3.0), below which digits/ and letters/
lie. `apt-get download` and `dpkg-deb -x` put them anywhere.

Words: digits, letters and the phonetic alphabet, as both Italian speakers say them. All that is learnt from is a single
recording of each word by one speaker; the other speaker's words are told by the nearest (cosine of standardised
features), and the other way round. "Without letters" asks and learns the numbers and the phonetic alphabet only: names
of letters and signs are short, and some are a word that another file says as well (letters/e and digits/e, letters/x
and phonetic/x_p). The last row adds the cosines of two networks. Speakers: a probe on 40 prompts of each of the three,
asked of the others; no prompt is on both sides.
--fast leaves Whisper out.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from scipy.fft import dct
from sklearn.linear_model import LogisticRegression
from sklearn.preprocessing import StandardScaler

from headstart.backbones.load import load
from headstart.backbones.sound.front_end import FrontEnd, Spectrum
from headstart.data.sounds import clip_of
from headstart.data.waves import samples_of
from headstart.features.extract import extract
from headstart.tasks.audio import Clip
from headstart.tasks.task import Array

FOLDERS = ("digits", "letters", "phonetic")
NAMES = (
    "spectrogram+bundled:efficientnet-lite0",
    "bundled:ge2e",
    "bundled:speech-embedding",
    "bundled:speech-embedding@max",
    "bundled:speech-embedding@thirds",
    "bundled:whisper-base",
    "bundled:whisper-base@thirds",
    "bundled:whisper-base@5@thirds",
)
BOTH = ("bundled:speech-embedding@thirds", "bundled:whisper-base@thirds")
PROMPTS, LEARNT = 120, 40


def main() -> None:
    options = {"--fast"} & set(sys.argv[1:])
    folders = [Path(argument) for argument in sys.argv[1:] if argument not in options]
    if len(folders) != 3:
        sys.exit(__doc__)
    names = [name for name in NAMES if not (options and "whisper" in name)]
    words, prompts = spoken_words(*folders[:2]), _prompts(folders)
    print(f"{len(words)} words of two speakers, {len(prompts)} prompts of three.\n")
    print("| backbone | features | words, to Menardi | to Carlo | without letters | | speakers | x real time |")
    print("|---|--:|--:|--:|--:|--:|--:|--:|")
    spoken = [_clips(folder, words) for folder in folders[:2]]
    prompted = [_clips(folder, prompts) for folder in folders]
    seconds = sum(clip.seconds for clips in (*spoken, *prompted) for clip in clips)
    unlettered = np.array([not word.startswith("letters") for word in words])
    rows = [[cepstra(clips) for clips in some] for some in (spoken, prompted)]
    print(_row("20 cepstra, mean and deviation", *rows, unlettered))
    of_words: dict[str, list[Array]] = {}
    for name in names:
        backbone, start = load(name), time.perf_counter()
        rows = [[extract(clips, backbone).values for clips in some] for some in (spoken, prompted)]
        of_words[name] = rows[0]
        print(_row(name, *rows, unlettered, f"{seconds / (time.perf_counter() - start):.0f}"), flush=True)
    if set(BOTH) <= of_words.keys():
        told = _told([of_words[name] for name in BOTH], unlettered)
        print(f"| {' and '.join(BOTH)} | | {told} | | |")


def _row(name: str, words: list[Array], speakers: list[Array], unlettered: Array, speed: str = "") -> str:
    return f"| {name} | {words[0].shape[1]} | {_told([words], unlettered)} | {who(speakers):.3f} | {speed} |"


def _told(networks: list[list[Array]], unlettered: Array) -> str:
    """Accuracy forth and back, of all words and of those without letters; cosines of several networks are added."""
    parts = (np.ones_like(unlettered), unlettered)
    ways = [[rows[::step] for rows in networks] for step in (1, -1)]
    values = [one_shot(*([rows[part] for rows in pair] for pair in way)) for part in parts for way in ways]
    return " | ".join(f"{value:.3f}" for value in values)


def cepstra(clips: list[Clip]) -> Array:
    """(N, 40): mean and deviation over the frames of 20 mel-frequency cepstra (Davis and Mermelstein, 1980)."""
    front_end = FrontEnd(Spectrum(mels=40, scale="htk", by_area=False, edge="none", floor=1e-6))
    rows = []
    for clip in clips:
        wave = samples_of(clip, 16000)
        levels = front_end(torch.from_numpy(wave)[None], torch.tensor([len(wave)]))[0].numpy()
        values = dct(levels, norm="ortho", axis=1)[:, :20]
        rows.append(np.concatenate([values.mean(0), values.std(0)]))
    return np.stack(rows)


def _clips(folder: Path, names: list[str]) -> list[Clip]:
    return [clip_of(str(folder / name)) for name in names]


def one_shot(*networks: Sequence[Array]) -> float:
    """Accuracy where row i of what is learnt and of what is asked, (N, D) each, is word i; cosines are added."""
    nearness = sum(_cosines(asked, learnt) for learnt, asked in networks)
    return float((np.argmax(nearness, axis=1) == np.arange(len(networks[0][0]))).mean())


def _cosines(asked: Array, learnt: Array) -> Array:
    asked, learnt = (_unit((rows - rows.mean(0)) / (rows.std(0) + 1e-6)) for rows in (asked, learnt))
    return np.asarray(asked @ learnt.T)


def who(speakers: list[Array]) -> float:
    """Accuracy of a logistic regression that learnt from the first rows of each speaker."""
    learnt, asked = (np.concatenate([rows[part] for rows in speakers]) for part in (slice(LEARNT), slice(LEARNT, None)))
    labels = [np.repeat(np.arange(len(speakers)), len(rows) // len(speakers)) for rows in (learnt, asked)]
    scaler = StandardScaler().fit(learnt)
    probe = LogisticRegression(max_iter=1000).fit(scaler.transform(learnt), labels[0])
    return float(probe.score(scaler.transform(asked), labels[1]))


def _unit(rows: Array) -> Array:
    return rows / np.linalg.norm(rows, axis=1, keepdims=True)


def spoken_words(first: Path, second: Path) -> list[str]:
    return sorted(
        str(file.relative_to(first))
        for folder in FOLDERS
        for file in (first / folder).glob("*.wav")
        if (second / file.relative_to(first)).is_file()
    )


def _prompts(folders: list[Path]) -> list[str]:
    shared = set.intersection(*({file.name for file in folder.glob("*.wav")} for folder in folders))
    return [str(name) for name in np.random.default_rng(0).permutation(sorted(shared))[:PROMPTS]]


if __name__ == "__main__":
    main()
