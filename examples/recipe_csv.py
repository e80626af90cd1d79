"""The tutorial: a source CSV and a target CSV: cleaning, scaling, and rows of the source where they help the target.

pip install bokeh-sampledata && python examples/recipe_csv.py FOLDER    (cars of America, then of Europe)
"""

import sys
from pathlib import Path

import bokeh_sampledata
import pandas as pd

import headstart as hs


def main(out: Path) -> None:
    cars = pd.read_csv(Path(bokeh_sampledata.__file__).parent / "_data" / "auto-mpg.csv").drop(columns="name")
    for origin, name in ((1, "source"), (2, "target")):
        cars[cars["origin"] == origin].drop(columns="origin").to_csv(out / f"{name}.csv", index=False)
    model = hs.fit(out / "target.csv", source=out / "source.csv", roles=hs.Roles(target="mpg"))
    sys.stdout.write(f"{model.evidence_}\n{model.save(out / 'model', overwrite=True)}\n")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
