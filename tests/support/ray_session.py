"""What one cluster of this machine does, beside what a single process does with the same, as FOLDER/told.json.

A process of its own: Ray warns, starts others, and must be ended whatever happens.
"""

import json
import os
import signal
import sys
import time
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from PIL import Image
from tiny_backbones import Tiny, picture_backbone, text_backbone

import headstart as hs
from headstart.distributed import cluster
from headstart.distributed.versions import check_versions
from headstart.errors import ClusterError
from headstart.features.cache.cache import Cache
from headstart.features.extract import Extraction, extract
from headstart.features.workers import workers

HOW = {"engine": "torch", "precision": "float32", "lanes": 1}


class Slow(Tiny):
    """Slow enough to be killed in the middle."""

    def forward(self, pixels):
        time.sleep(0.05)
        return super().forward(pixels)


class Heard:
    """A listener that no other process can be given."""

    def __init__(self):
        self.lines, self.stages, self.lock = [], {}, open(os.devnull)  # noqa: SIM115 - what does not travel

    def say(self, line):
        self.lines.append(line)

    def progress(self, stage, done, total):
        self.stages.setdefault(stage, []).append((done, total))


def same(a, b):
    """Whether features are the same bits, of the same rows."""
    pairs = [(a.values, b.values), (a.rows, b.rows), (a.thumbs, b.thumbs), (a.truncated, b.truncated)]
    return (
        all((x is None and y is None) or np.array_equal(x, y) for x, y in pairs)
        and a.keys == b.keys
        and a.failed == b.failed
    )


def pictures(folder):
    random = np.random.default_rng(0)
    paths = []
    for number in range(150):
        size = (36 + number % 5, 40, 3)
        paths.append(folder / f"{number}.png")
        Image.fromarray(random.integers(0, 256, size, dtype=np.uint8)).save(paths[-1])
    (folder / "text.png").write_text("no picture")
    return [str(path) for path in paths] + [str(folder / "text.png"), str(folder / "absent.png"), str(paths[0])]


def namespaces(folder):
    """What the cache holds, by the names that tell what computed it."""
    return sorted([each.kind, each.namespace, each.rows] for each in Cache(folder).describe())


def of_pictures(folder, backbone):
    """A folder of pictures, some unreadable, by one process and by a cluster; then again from each cache."""
    inputs = pictures(folder)
    plain = extract(inputs, backbone, Extraction(cache=Cache(folder / "plain"), **HOW))
    stages = []
    with_cluster = workers()
    parts = extract(
        inputs, backbone, Extraction(cache=Cache(folder / "parts"), **HOW), lambda *told: stages.append(told)
    )
    bare = extract(inputs, backbone, Extraction(cache=None, **HOW))
    return {
        "there": with_cluster is not None,
        "same": same(plain, parts),
        "same without a cache": same(plain, bare),
        "failed": [failed.why for failed in parts.failed],
        "told": [stages[-1], stages == sorted(stages)],
        "namespaces": [namespaces(folder / name) for name in ("plain", "parts")],
    }


def killed(folder):
    """The same while one process is killed."""
    inputs = list(np.random.default_rng(1).integers(0, 256, (400, 40, 40, 3), dtype=np.uint8))
    torch.manual_seed(1)
    backbone = picture_backbone(1, module=Slow())
    plain = extract(inputs, picture_backbone(1), Extraction(cache=None, **HOW))
    victims = []

    def kill(done, total):
        if not victims and done:
            victims.extend(processes(b"ray::FeatureWorker")[:1])
            os.kill(victims[0], signal.SIGKILL)

    parts = extract(inputs, backbone, Extraction(cache=Cache(folder / "killed"), **HOW), kill)
    return {"victims": len(victims), "gone": not Path(f"/proc/{victims[0]}").exists(), "same": same(plain, parts)}


def processes(name):
    """Those below this process whose command begins so."""
    mine = {os.getpid()}
    found = []
    for _ in range(4):
        for path in Path("/proc").iterdir():
            try:
                parent = int((path / "stat").read_text().rpartition(")")[2].split()[1]) if path.name.isdigit() else 0
                command = (path / "cmdline").read_bytes() if parent in mine else b""
            except OSError:
                continue
            if parent in mine:
                mine.add(int(path.name))
                if command.startswith(name) and int(path.name) not in found:
                    found.append(int(path.name))
    return found


def without_times(value):
    """A record without what no two runs have alike."""
    if isinstance(value, dict):
        return {name: without_times(each) for name, each in value.items() if "seconds" not in name and name != "cost"}
    return [without_times(each) for each in value] if isinstance(value, list) else value


def of_rows(call):
    """Rows of numbers whose trials are repeated cross-validation."""
    random = np.random.default_rng(2)
    X = random.normal(size=(60, 4))
    target = np.where(X[:, 0] + 0.5 * random.normal(size=60) > 0, "a", "b")
    return call(pd.DataFrame(X, columns=list("stuv")).assign(target=target), cache=False)


def fitted(heard):
    model = of_rows(
        lambda data, **how: hs.fit(data, method="ridge", listener=heard, roles=hs.Roles(target="target"), **how)
    )
    return without_times(model.evidence_.to_json())


def compared(heard):
    return without_times(
        of_rows(
            lambda data, **how: hs.compare(
                data, methods=["prototypes"], listener=heard, roles=hs.Roles(target="target"), **how
            )
        ).to_json()
    )


def other_versions(ray):
    """What is said where this process has another Python than those of the cluster."""
    import platform

    own, platform.python_version = platform.python_version, lambda: "3.0.1"
    try:
        check_versions(ray, 60.0)
    except ClusterError as error:
        return str(error)
    finally:
        platform.python_version = own
    return ""


def main(folder):
    torch.set_num_threads(1)
    torch.manual_seed(0)
    words = text_backbone(0)
    sentences = [" ".join("abcdefghijklmn"[(i * k) % 14] for k in range(1, 2 + i % 9)) for i in range(400)]
    heard, told = Heard(), {}
    alone = [fitted(heard), compared(heard), extract(sentences, words, Extraction(cache=None, **HOW))]
    with cluster("local", cores=2, listener=heard) as working:
        told["cluster"] = str(working)
        told["pictures"] = of_pictures(folder, picture_backbone(0))
        told["texts"] = same(alone[2], extract(sentences, words, Extraction(cache=None, **HOW)))
        told["killed"] = killed(folder)
        told["fit"] = fitted(heard) == alone[0]
        told["compare"] = compared(heard) == alone[1]
        told["versions"] = [other_versions(working.ray), check_versions(working.ray, 60.0)]
        ray = working.ray
    told["ended"] = [not ray.is_initialized(), processes(b"ray::"), workers() is None]
    told["stages"] = {stage: numbers[-1] for stage, numbers in heard.stages.items()}
    told["lines"] = heard.lines
    (folder / "told.json").write_text(json.dumps(told), encoding="utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
