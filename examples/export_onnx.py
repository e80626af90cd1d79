"""A model of penguins as one ONNX file, which onnxruntime asks without headstart.

pip install 'headstart[onnx]' palmerpenguins && python examples/export_onnx.py [FOLDER]
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

import numpy as np
import onnxruntime
from palmerpenguins import load_penguins

import headstart as hs


def columns(rows: list[dict[str, str]], known: dict[str, str]) -> dict[str, np.ndarray]:
    """Cells as text -> what the file takes: numbers with NaN, words with the mark of an empty cell."""
    taken = {}
    for column in json.loads(known["headstart.inputs"])[0]["columns"]:
        cells = [row[column["column"]] for row in rows]
        if column["kind"] == "category":
            taken[column["input"]] = np.array([cell or column["missing_is"] for cell in cells], dtype=object)
        else:
            taken[column["input"]] = np.array([float(cell or "nan") for cell in cells])
    return taken


def main(folder: str = "export-out") -> None:
    """Fit, write, compare, and ask the file about two birds, of which one lacks its weight."""
    place = Path(folder)
    place.mkdir(parents=True, exist_ok=True)
    birds = load_penguins().drop(columns="year")
    birds.to_csv(place / "birds.csv", index=False)
    model = hs.fit(place / "birds.csv", roles=hs.Roles(target="species"), method="logistic")
    exported = hs.export(model, place / "birds.onnx", check_on=place / "birds.csv", overwrite=True)
    print(f"{exported.parity.rows} rows, the largest difference is under 0.0001: {exported.parity.largest < 1e-4}")

    session = onnxruntime.InferenceSession(exported.path)
    known = session.get_modelmeta().custom_metadata_map
    classes = json.loads(known["headstart.classes"])
    print(f"{json.loads(known['headstart.evidence'])}")
    bird = {"island": "Biscoe", "bill_length_mm": "46.1", "bill_depth_mm": "13.2", "flipper_length_mm": "211"}
    rows = [bird | {"body_mass_g": "4500", "sex": "female"}, bird | {"body_mass_g": "", "sex": ""}]
    probabilities, decision = session.run(["probabilities", "decision"], columns(rows, known))
    for row, place_of_class in zip(probabilities, decision, strict=True):
        print(f"{classes[place_of_class]:<10} {row.max():.2f}")


if __name__ == "__main__":
    main(*sys.argv[1:2])
