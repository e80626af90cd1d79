"""Two targets at once, on real tables: what is shared, and what sharing bought each.

pip install 'headstart[bundled]' palmerpenguins bokeh-sampledata && python examples/multitask.py
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

import pandas as pd

import headstart as hs


def penguins() -> tuple[pd.DataFrame, list[str]]:
    """344 birds: the species and the body mass from the bill, the flippers, the sex and the island."""
    import palmerpenguins

    table = palmerpenguins.load_penguins()
    return table.drop(columns="year"), ["species", "body_mass_g"]


def cars() -> tuple[pd.DataFrame, list[str]]:
    """392 cars: miles per gallon and where they come from, by cylinders, displacement, power, weight and year."""
    import bokeh_sampledata

    table = pd.read_csv(Path(bokeh_sampledata.__file__).parent / "_data" / "auto-mpg.csv")
    table["origin"] = table["origin"].map({1: "America", 2: "Europe", 3: "Asia"})
    return table.drop(columns="name"), ["mpg", "origin"]


def main(seed: int = 0) -> None:
    """Print a page a table; the models are saved, and asked again."""
    for read in (penguins, cars):
        table, targets = read()
        model = hs.fit_tasks(table, targets, seed=seed)
        print(f"{read.__name__}\n\n{model.evidence_}\n")
        with tempfile.TemporaryDirectory() as folder:
            model.save(Path(folder) / read.__name__)
            loaded = hs.MultiTask.load(Path(folder) / read.__name__)
        print(loaded.predict(table.drop(columns=targets).head(3)), end="\n\n")


if __name__ == "__main__":
    main(*map(int, sys.argv[1:2]))
