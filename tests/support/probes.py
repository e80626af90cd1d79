"""The choice of a head on rows of the fixtures."""

from __future__ import annotations

from headstart.heads.select import fit_probe
from headstart.tasks import CLASSIFICATION


def probe(data, **options):
    classes = int(data.targets.max()) + 1
    options = {"kind": CLASSIFICATION, "classes": classes, "folds": data.folds, **options}
    return fit_probe(data.features, data.targets, **options)
