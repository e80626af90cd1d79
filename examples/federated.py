"""Three islands, three owners of penguins: one model of all rows, none of which leaves its island.

python examples/federated.py [FOLDER]

Needs the extra `federated` and the package palmerpenguins.
"""

from __future__ import annotations

import sys
from pathlib import Path

from palmerpenguins import load_penguins  # type: ignore[import-untyped]

from headstart.distributed import federate


def owners(folder: Path) -> Path:
    """A table for each island, and the clients.toml; one island has penguins of one species only."""
    folder.mkdir(parents=True, exist_ok=True)
    lines = ['target = "species"', "secure = true"]
    for island, rows in load_penguins().drop(columns=["year"]).groupby("island"):
        rows.drop(columns=["island"]).to_csv(folder / f"{island}.csv", index=False)
        lines.append(f'[[client]]\nname = "{island}"\ndata = "{island}.csv"')
    file = folder / "clients.toml"
    file.write_text("\n".join(lines) + "\n", "utf-8")
    return file


def main(folder: Path) -> None:
    result = federate(owners(folder), folder / "model", overwrite=True)
    sys.stdout.write(f"{result}\n")


if __name__ == "__main__":
    main(Path(sys.argv[1] if len(sys.argv) > 1 else "demo-out/federated"))
