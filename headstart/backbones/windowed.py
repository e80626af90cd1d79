"""A backbone that sees pictures of more than 8 bits through a window."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from headstart.backbones.backbone import Backbone, Classifier, PretrainedClassifier

__all__ = ["windowed"]


def windowed(backbone: Backbone, window: tuple[float, float] | None) -> Backbone:
    """The same network with this window in its preprocessing, and so with a fingerprint of its own; its twin of random
    weights and its classifier likewise. Unchanged where it has this window, or its inputs are no pictures."""
    preprocess = backbone.preprocess
    changed = None if preprocess is None else preprocess.with_window(window)
    if changed == preprocess:
        return backbone
    from headstart.backbones.fingerprint import fingerprint

    return replace(
        backbone,
        preprocess=changed,
        fingerprint=fingerprint(backbone.module, changed, backbone.spec),
        random=_random(backbone.random, window),
        classifier=_classifier(backbone.classifier, window),
    )


def _random(
    random: Callable[[int], Backbone] | None, window: tuple[float, float] | None
) -> Callable[[int], Backbone] | None:
    return None if random is None else lambda seed: windowed(random(seed), window)


def _classifier(
    classifier: PretrainedClassifier | None, window: tuple[float, float] | None
) -> PretrainedClassifier | None:
    if classifier is None:
        return None

    def read() -> Classifier | None:
        original = classifier()
        return None if original is None else original._replace(backbone=windowed(original.backbone, window))

    return classifier._replace(read=read)
