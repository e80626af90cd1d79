"""Three islands, three owners of penguins: one model of all rows, none of which leaves its island. First of sums, in
one exact round, then by rounds of FedProx; and each island gets a head of its own about the model of all.

python examples/federated.py [FOLDER]

Needs the extra `federated` and the package palmerpenguins.
"""

from __future__ import annotations

import sys
from pathlib import Path

from palmerpenguins import load_penguins  # type: ignore[import-untyped]

from headstart import Transfer
from headstart.distributed import federate

ROUNDS = """
[rounds]
strategy = "fedprox"
rounds = 5
"""


def owners(folder: Path) -> Path:
    """A table for each island, and the clients.toml; one island has penguins of one species only."""
    folder.mkdir(parents=True, exist_ok=True)
    lines = ['target = "species"', "secure = true"]
    for island, rows in load_penguins().drop(columns=["year"]).groupby("island"):
        rows.drop(columns=["island"]).to_csv(folder / f"{island}.csv", index=False)
        lines.append(f'[[client]]\nname = "{island}"\ndata = "{island}.csv"\npersonal = "own-{island}"')
    file = folder / "clients.toml"
    file.write_text("\n".join(lines) + "\n", "utf-8")
    return file


def main(folder: Path) -> None:
    clients = owners(folder)
    result = federate(clients, folder / "model", overwrite=True)
    sys.stdout.write(f"{result}\n")
    clients.write_text(clients.read_text("utf-8") + ROUNDS, "utf-8")
    by_rounds = federate(clients, folder / "by-rounds", overwrite=True)
    sys.stdout.write("\nBy five rounds of FedProx:\n")
    sys.stdout.writelines(f"{island}\n" for island in by_rounds.clients.values())
    own = Transfer.load(folder / "own-Dream")
    sys.stdout.write(f"\nThe head of Dream's own, a model that stays there:\n{own.evidence_}\n")


if __name__ == "__main__":
    main(Path(sys.argv[1] if len(sys.argv) > 1 else "demo-out/federated"))
