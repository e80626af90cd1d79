"""Answers in context: nothing is trained on the table at hand; its labelled rows are read, and other rows are answered.

pip install 'headstart[bundled]' palmerpenguins && python examples/incontext.py [FOLDER]

FOLDER has the weights that `python -m headstart.table_prior.train FOLDER` made; without it those that come with
headstart are taken.
"""

from __future__ import annotations

import sys

import numpy as np
import pandas as pd
from sklearn.datasets import load_breast_cancer, load_wine

import headstart as hs

OTHERS = ("logistic", "kernel", "trees")


def tables() -> dict[str, tuple[pd.DataFrame, str]]:
    """Tables and their targets: 344 birds, 178 wines, 569 tumours."""
    import palmerpenguins

    wine, tumours = (load(as_frame=True) for load in (load_wine, load_breast_cancer))
    return {
        "penguins": (palmerpenguins.load_penguins().drop(columns="year"), "species"),
        "wine": (wine.frame.assign(target=wine.target_names[wine.target]), "target"),
        "tumours": (tumours.frame.assign(target=tumours.target_names[tumours.target]), "target"),
    }


def main(weights: str | None = None) -> None:
    """A line a table and a method: what rows held out say, and how long one fit took."""
    backbone = f"bundled:table-prior?weights={weights}" if weights else None
    print(f"{'table':<10}{'method':<11}{'accuracy':>9}{'log loss':>10}{'seconds':>9}")
    for name, (table, target) in tables().items():
        half = np.random.default_rng(0).permutation(np.resize(["train", "test"], len(table)))
        for method in ("incontext", *OTHERS):
            named = backbone if method == "incontext" else None
            data, roles = table.assign(split=half), hs.Roles(target=target)
            model = hs.fit(data, roles=roles, method=method, backbone=named)
            scores = model.evidence_.metrics
            figures = f"{scores['accuracy'].value:>9.3f}{scores['log_loss'].value:>10.3f}"
            print(f"{name:<10}{method:<11}{figures}{model.evidence_.seconds['head']:>9.2f}")


if __name__ == "__main__":
    main(*sys.argv[1:2])
