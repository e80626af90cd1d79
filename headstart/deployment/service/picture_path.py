"""The short way of pictures: straight from the bytes of files to what the heads of a model stand on.

By the way of `predict`, a task and a feature set, an answer to one picture costs a third more than its network and its
decoding take; both give the same numbers.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from headstart.artefact.model import Model
from headstart.errors import DataError
from headstart.features.extraction import Extraction
from headstart.features.featurizer import PictureFeaturizer, picture_featurizer
from headstart.tasks.task import Array

__all__ = ["PicturePath", "picture_path"]


class PicturePath:
    """By the featurizers of the members of a model, in their order; members of one backbone share one."""

    def __init__(self, featurizers: Sequence[PictureFeaturizer]) -> None:
        self._featurizers = featurizers

    def __call__(self, pictures: Sequence[Any]) -> tuple[list[Array], dict[int, str]]:
        """(n, D) for each member, of the n pictures that can be read; and by place, why others cannot.

        Raises DataError where a picture could be read once and not a second time.
        """
        first, *others = self._featurizers
        values, failed = first(pictures)
        seen = {first: values}
        readable = [picture for place, picture in enumerate(pictures) if place not in failed] if others else []
        for featurizer in others:
            if featurizer in seen:
                continue
            seen[featurizer], lost = featurizer(readable)
            if lost:
                raise DataError(f"{len(lost)} inputs could be read once, and not a second time")
        return [seen[featurizer] for featurizer in self._featurizers], failed


def picture_path(model: Model, extraction: Extraction) -> PicturePath | None:
    """None where a member of the model stands on more than the features of a backbone, and where one of their engines
    is not ready yet, or is none that `picture_featurizer` takes.

    extraction   of the first member
    """
    if not model.modality.has_pixels:
        return None
    made: dict[str, PictureFeaturizer] = {}
    featurizers = []
    for number, member in enumerate(model.members):
        backbone, own = member.model.backbone, member.model
        if backbone is None or own.encoder is not None:
            return None
        featurizer = made.get(backbone.fingerprint)
        if featurizer is None:
            featurizer = picture_featurizer(backbone, extraction.as_fitted(own.engine) if number else extraction)
        if featurizer is None:
            return None
        made[backbone.fingerprint] = featurizer
        featurizers.append(featurizer)
    return PicturePath(featurizers)
