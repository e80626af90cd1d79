"""The tutorial: a pretrained network on CIFAR-10's binary archive, as it is fetched.

python examples/recipe_cifar.py [cifar-10-binary.tar.gz]    (without it a small archive of emoji in that format)
"""

import sys
from pathlib import Path

from demo_data import cifar_archive

import headstart as hs


def main(archive: str, out: Path, backbone: str = "bundled:mobilenetv2") -> None:
    out.mkdir(parents=True, exist_ok=True)
    model = hs.fit(archive or cifar_archive(out / "cifar-10-binary.tar.gz"), backbone=backbone)
    model.save(out / "model", overwrite=True)
    sys.stdout.write(f"{model.evidence_}\n")


if __name__ == "__main__":
    main(sys.argv[1] if len(sys.argv) > 1 else "", Path("demo-out/cifar"))
