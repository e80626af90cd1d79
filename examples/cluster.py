"""Pictures through a network on every core by Ray, and a head that is fitted while the features pass by in blocks.

python examples/cluster.py [FOLDER]
"""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

from demo_data import emoji_folder

import headstart as hs
from headstart.distributed import cluster


def main(out: Path) -> None:
    shutil.rmtree(out, ignore_errors=True)
    pictures = emoji_folder(out / "emoji", at_least=25)

    # With the address of a cluster in the place of "local" the same runs on all its machines.
    with cluster("local") as machines:
        sys.stdout.write(f"{machines}\n")
        model = hs.fit(pictures, backbone="bundled:mobilenetv2", method="ridge", blocks=True)
    model.save(out / "model")
    sys.stdout.write(f"{model.evidence_}\n")


if __name__ == "__main__":
    main(Path(sys.argv[1] if len(sys.argv) > 1 else "demo-out/cluster"))
