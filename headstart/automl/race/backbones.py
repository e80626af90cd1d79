"""The backbones that a race may choose among."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from headstart.automl.candidates import candidate_names
from headstart.automl.pick import CANDIDATES
from headstart.backbones.backbone import Backbone
from headstart.backbones.load import load
from headstart.errors import BackboneError
from headstart.tasks.modality import Modality
from headstart.tasks.task import SetAside

__all__ = ["backbones_for"]


def backbones_for(modality: Modality, names: Sequence[str] | None) -> tuple[tuple[Backbone, ...], tuple[SetAside, ...]]:
    """The candidates that can be used, and why others cannot.

    names   of backbones of any hub; None: those that `fit` picks among, as far as they are on this machine

    ValueError for a name given twice, or none; DataError for data whose columns are the features; BackboneError where
    no candidate is left
    """
    backbones, left_out = [], []
    for name in candidate_names(modality, CANDIDATES.get(modality) if names is None else names):
        try:
            backbone = replace(load(name), name=name)
        except BackboneError as error:
            left_out.append(SetAside(name, str(error)))
            continue
        if backbone.modality == modality:
            backbones.append(backbone)
        else:
            left_out.append(SetAside(name, f"it takes {backbone.modality.noun}, and these are {modality.noun}"))
    if not backbones:
        reasons = "; ".join(f"{item.name}: {item.why}" for item in left_out)
        raise BackboneError(f"none of the candidates can be used. {reasons}")
    return tuple(backbones), tuple(left_out)
