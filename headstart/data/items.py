"""Lists of items whose modality recognises them itself: those that have no reader of files."""

from __future__ import annotations

from typing import Any

from headstart.data.draft import Draft
from headstart.tasks.modality import MODALITIES, Modality

__all__ = ["draft_of_items", "recognised"]


def recognised(source: Any, expected_modality: Modality | None = None) -> Modality | None:
    """The modality that says that these items are its inputs; where one is asked for, that one or none."""
    if not isinstance(source, list) or not source:
        return None
    among = MODALITIES.values() if expected_modality is None else [expected_modality]
    return next((modality for modality in among if modality.recognises(source)), None)


def draft_of_items(items: list[Any], modality: Modality) -> Draft:
    """Each item a row; one that is no input of the modality is broken, with the reason."""
    broken = {row: why for row, item in enumerate(items) if (why := modality.obstacle(item))}
    return Draft(inputs=items, modality=modality, names=[f"row {row}" for row in range(len(items))], broken=broken)
