"""The backbone of tables: a network that answers in context, whose weights a head keeps beside its rows.

What it makes of a row depends on the labelled rows that are its context, so that nothing is computed once and cached:
its answers (`heads.incontext`) and its row embeddings (`heads.row_embeddings`) belong to the head.
"""

from __future__ import annotations

from collections.abc import Sized
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl

from blake3 import blake3

from headstart.backbones.backbone import Backbone
from headstart.backbones.fingerprint import fingerprint
from headstart.errors import BackboneError
from headstart.table_prior.weights import read_weights, shipped
from headstart.tasks import TABLE

__all__ = ["HUB", "TABLE_PRIOR", "is_table_prior", "of_spec", "table_prior", "weights_folder"]

TABLE_PRIOR = "bundled:table-prior"
HUB = "table-prior"


def is_table_prior(name: str | None, beside: Sized = ()) -> bool:
    """Whether a backbone of this name reads tables. ValueError where there are tasks of a source beside."""
    prior = name is not None and name.partition("?")[0] == TABLE_PRIOR
    if prior and len(beside):
        raise ValueError(f"backbone {name!r} has no use with a source: leave it out")
    return prior


def weights_folder(name: str) -> str:
    """The folder after "?weights=" in a name; "" where it names none, for the weights that come with the package."""
    query = name.partition("?")[2]
    options = dict(parse_qsl(query, keep_blank_values=True))
    folder = options.pop("weights", "")
    if options or (query and not folder):
        raise BackboneError(f"{name}: expected nothing after '?' but weights=FOLDER.")
    return folder


def table_prior(name: str) -> Backbone:
    """The backbone of such a name. `MissingWeights` where a folder has no weights, `BackboneError` for bad ones."""
    folder = weights_folder(name)
    weights = read_weights(Path(folder)) if folder else shipped()
    numbers = blake3(weights.vector.numpy().tobytes()).hexdigest()
    return of_spec({"hub": HUB, "design": list(weights.design), "weights": numbers}, name)


def of_spec(spec: dict[str, Any], name: str) -> Backbone:
    """The backbone that a fitted model names; its weights are in the model's head."""
    return Backbone(
        name=name,
        modality=TABLE,
        module=None,
        dim=0,
        preprocess=None,
        fingerprint=fingerprint(None, None, spec),
        spec=spec,
        licence="Apache-2.0",
    )
