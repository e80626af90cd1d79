"""Names of splits: one list for folders, for the cells of a split column, and for the parts of a `DatasetDict`.

A name is taken apart into words (case, digits and what stands between words do not count), and words that only say
that there is data are dropped: "seg_train", "Training set", "train2017" and "train_images" are all "train". What
stays must be one of the words below. "eval" and "holdout" are test data: nothing is chosen by them.
"""

from __future__ import annotations

import re

__all__ = ["is_unlabelled", "split_of"]

SPLITS = {
    "train": "train", "training": "train", "trn": "train", "trainval": "train", "trainset": "train",
    "val": "val", "valid": "val", "validation": "val", "validate": "val", "dev": "val", "development": "val",
    "valset": "val", "devset": "val",
    "test": "test", "testing": "test", "tst": "test", "testset": "test", "eval": "test", "evaluation": "test",
    "evalset": "test", "holdout": "test", "heldout": "test",
}  # fmt: skip
UNLABELLED = frozenset({
    "unlabeled", "unlabelled", "unsup", "unsupervised", "nolabel", "nolabels", "withoutlabels", "pred", "predict",
    "prediction", "predictions",
})  # fmt: skip
_FILLERS = frozenset({
    "set", "split", "data", "dataset", "seg", "folder", "dir", "part", "x", "obj",
    "image", "images", "img", "imgs", "picture", "pictures", "photo", "photos", "jpg", "jpeg", "png",
    "text", "texts", "files",
})  # fmt: skip


def split_of(name: object) -> str | None:
    """ "train", "val" or "test" for any usual spelling of it, else None."""
    return SPLITS.get(_core(name))


def is_unlabelled(name: object) -> bool:
    """Whether the name says that there are no labels: "unlabeled", "unsup", "seg_pred" and others."""
    return _core(name) in UNLABELLED


def _core(name: object) -> str:
    """The words that are left, without anything between them."""
    words: list[str] = re.findall(r"[^\W\d_]+", str(name).lower())
    return "".join(word for word in words if word not in _FILLERS)
