"""A model of penguins as a scikit-learn pipeline and as an MLflow folder, asked without headstart's own verbs.

pip install 'headstart[skops,track]' palmerpenguins && python examples/export_formats.py [FOLDER]
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

import numpy as np
import skops.io
from palmerpenguins import load_penguins

import headstart as hs


def main(folder: str = "export-formats-out") -> None:
    """Fit, write both, and ask them about the same birds."""
    os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")
    import mlflow.pyfunc

    place = Path(folder)
    place.mkdir(parents=True, exist_ok=True)
    birds = load_penguins().drop(columns="year")
    birds.to_csv(place / "birds.csv", index=False)
    roles, goal = hs.Roles(target="species"), "accuracy"
    model = hs.fit(place / "birds.csv", roles=roles, method="logistic", goal=goal)
    inputs = birds.drop(columns="species")
    expected = model.predict_proba(inputs)

    file = hs.export(model, place / "birds.skops", format="skops", check_on=inputs, overwrite=True)
    pipeline = skops.io.load(file.path, trusted=file.facts["trusted"])
    print(type(pipeline).__name__, [type(step).__name__ for _, step in pipeline.steps])
    print("same probabilities:", np.allclose(pipeline.predict_proba(inputs), expected, atol=1e-4))

    flavour = hs.export(model, place / "birds-mlflow", format="mlflow", check_on=inputs, overwrite=True)
    answers = mlflow.pyfunc.load_model(str(flavour.path)).predict(inputs)
    print("same answers:", (answers["prediction"] == model.predict(inputs)).all())
    print(answers[["prediction", *(f"p({label})" for label in model.classes_)]].head(3).round(2).to_string(index=False))


if __name__ == "__main__":
    main(*sys.argv[1:2])
