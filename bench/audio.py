"""How fast recordings are read: decoded, mixed, resampled to 16 kHz, and turned into mel power and a sketch.

    python bench/audio.py [clips]

Writes 1,000 clips of 2 s at 44.1 kHz in each format into a temporary folder, passes them through the lanes of
`headstart check` without a cache, a thread a core, and prints seconds of sound for each second that took, and for each
second of a core, which other processes do not change much; of a third of them also what one plain loop of soundfile,
soxr and the same mel power takes, and the ratio of the first to that.

Then what a cold fit of three fifths of the clips takes (read, check, features of the default backbone, head, evidence;
no cache) over the bare network on waves that are there already, in seconds of cores.
"""

from __future__ import annotations

import os
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import soundfile
import soxr
import torch

import headstart as hs
from headstart.backbones.load import load
from headstart.data.sounds import find_sounds
from headstart.features.extract import Extraction, sketches
from headstart.linalg.blas import one_thread
from headstart.linalg.mel import RATE, mel_power
from headstart.tasks import AUDIO

SECONDS, ORIGINAL = 2.0, 44100
FORMATS = ("wav", "flac", "mp3", "ogg")
SHARE = 3
BATCH = 24


def written(folder: Path, suffix: str, count: int) -> list[Path]:
    """Clips of noise whose pitch glides, no two alike."""
    rng = np.random.default_rng(0)
    at = np.arange(round(SECONDS * ORIGINAL)) / ORIGINAL
    paths = []
    for number in range(count):
        low, high = rng.uniform(80, 2000, 2)
        wave = 0.2 * np.sin(2 * np.pi * (low + (high - low) * at / SECONDS / 2) * at) + rng.normal(0, 0.02, len(at))
        paths.append(folder / f"{number}.{suffix}")
        soundfile.write(paths[-1], wave.astype(np.float32), ORIGINAL)
    return paths


def plain(paths: list[Path]) -> float:
    """Seconds of one loop, on one thread."""
    start = time.perf_counter()
    with one_thread():
        for path in paths:
            wave, rate = soundfile.read(path, dtype="float32")
            mel_power(soxr.resample(wave, rate, RATE, quality="HQ"))
    return time.perf_counter() - start


def lanes(paths: list[Path]) -> tuple[float, float]:
    """Seconds of the lanes, headers and all; and seconds of cores."""
    start, cores = time.perf_counter(), time.process_time()
    clips, broken = find_sounds(paths)
    result = sketches(clips, Extraction(cache=None))
    assert not broken
    assert len(result) == len(paths)
    return time.perf_counter() - start, time.process_time() - cores


def cold_fit(folder: Path) -> float:
    """Seconds of cores of a fit on a folder of classes."""
    start = time.process_time()
    hs.fit(folder, backbone=AUDIO.backbone, method="ridge", control=False, cache=False)
    return time.process_time() - start


def bare(folder: Path) -> float:
    """Seconds of cores of the network alone, on batches of `BATCH` clips."""
    backbone = load(str(AUDIO.backbone))
    clips, _ = find_sounds(sorted(folder.rglob("*.wav")))
    waves = [backbone.preprocess.prepare(clip)[0] for clip in clips]
    batches = [backbone.preprocess.collate(waves[at : at + BATCH]) for at in range(0, len(waves), BATCH)]
    threads = torch.get_num_threads()
    torch.set_num_threads(1)  # two that wait for each other would count double
    start = time.process_time()
    with torch.inference_mode():
        for batch in batches:
            backbone.module(*map(torch.from_numpy, batch))
    seconds = time.process_time() - start
    torch.set_num_threads(threads)
    return seconds


def two_classes(folder: Path, count: int) -> Path:
    """Clips in a folder a class, which are told apart by nothing."""
    for number, path in enumerate(written(folder, "wav", count)):
        (folder / "ab"[number % 2]).mkdir(exist_ok=True)
        path.rename(folder / "ab"[number % 2] / f"{number * 7919 % 10007}x.wav")
    return folder


def main() -> None:
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 1000
    print(f"{count:,} clips of {SECONDS:g} s at {ORIGINAL:,} Hz, {os.cpu_count()} cores\n")
    print(f"{'format':<8}{'x real time':>12}{'a core':>10}{'plain loop':>12}{'ratio':>8}")
    for suffix in FORMATS:
        with tempfile.TemporaryDirectory() as folder:
            paths = written(Path(folder), suffix, count)
            some = paths[: max(1, count // SHARE)]
            lanes(some[:8])
            fast, core = (SECONDS * count / took for took in lanes(paths))
            slow = SECONDS * len(some) / plain(some)
        print(f"{suffix:<8}{fast:>12,.0f}{core:>10,.0f}{slow:>12,.0f}{fast / slow:>8.2f}")
    with tempfile.TemporaryDirectory() as place:
        folder = two_classes(Path(place), max(50, 3 * count // 5))
        bare(folder)  # what is set up once is no part of either
        alone, whole = bare(folder), cold_fit(folder)
    print(f"\ncold fit {whole:.1f} s of cores, bare network {alone:.1f} s: {whole / alone:.2f}")


if __name__ == "__main__":
    main()
