"""The tutorial: a source CSV and a target CSV with few labels; cleaning, scaling, source rows added to the target's.

python examples/recipe_csv.py    (needs bokeh-sampledata: cars of the United States, then of Europe)
"""

from __future__ import annotations

import sys
from pathlib import Path

import bokeh_sampledata
import pandas as pd

import headstart as hs


def main(out: Path) -> None:
    cars = pd.read_csv(Path(bokeh_sampledata.__file__).parent / "_data" / "auto-mpg.csv")
    out.mkdir(parents=True, exist_ok=True)
    for name, origin in (("source", 1), ("target", 2)):
        cars[cars["origin"] == origin].drop(columns=["origin", "name"]).to_csv(out / f"{name}.csv", index=False)
    model = hs.fit(out / "target.csv", source=out / "source.csv", target="mpg", method="pooled")
    model.save(out / "model", overwrite=True)
    sys.stdout.write(f"{model.evidence_}\n")


if __name__ == "__main__":
    main(Path("demo-out/csv"))
