import unicodedata

import pytest

from headstart.data.layout import by_class, split_of
from headstart.data.listing import Listing
from headstart.errors import DataError


def listing(*files):
    parts = [file.split("/")[:-1] for file in files]
    folders = {"/".join(part[:depth]) for part in parts for depth in range(1, len(part) + 1)}
    return Listing("photos", files=[file for file in files if not file.endswith("/")], folders=sorted(folders))


def labelled(*files):
    found = listing(*files)
    return by_class(found, found.files, "picture")


@pytest.mark.parametrize(
    ("name", "split"),
    [("train", "train"), ("Valid", "val"), (" validation ", "val"), ("dev", "val"), ("TEST", "test"), ("cat", None)],
)
def test_usual_spellings_of_splits(name, split):
    assert split_of(name) == split


def test_the_class_is_the_top_folder_however_deep_the_file():
    found = labelled("cat/1.png", "dog/a/b/2.png", "red fox/é.png")
    assert found.classes == ["cat", "dog", "red fox"]
    assert found.split is None


def test_train_and_test_above_the_classes_are_splits():
    found = labelled("train/cat/1.png", "train/dog/2.png", "validation/cat/3.png", "test/dog/4.png")
    assert found.classes == ["cat", "dog", "cat", "dog"]
    assert found.split == ["train", "train", "val", "test"]
    assert "split: from the folder names (test 1, train 2, val 1)" in found.notes


def test_other_folders_beside_splits_are_set_aside():
    found = labelled("train/cat/1.png", "test/cat/2.png", "extra/cat/3.png", "train/loose.png", "top.png")
    assert found.files == ["train/cat/1.png", "test/cat/2.png"]
    assert [lost.name for lost in found.set_aside] == ["extra/cat/3.png", "train/loose.png", "top.png"]
    assert found.set_aside[0].why == "lies outside the class folders"


def test_train_may_be_a_class_of_vehicles():
    found = labelled("bus/1.png", "train/2.png", "car/3.png")
    assert found.classes == ["bus", "train", "car"]
    assert found.split is None


def test_an_empty_class_is_named():
    found = labelled("cat/1.png", "dog/2.png", "ghost/", "cat/empty sub/")
    assert "class 'ghost' has no pictures and is left out" in found.notes
    assert len([note for note in found.notes if "left out" in note]) == 1


def test_an_empty_class_in_a_split_is_named():
    found = labelled("train/cat/1.png", "test/cat/2.png", "test/ghost/")
    assert "class 'ghost' has no pictures and is left out" in found.notes


def test_composed_and_decomposed_names_are_one_class():
    composed, decomposed = (unicodedata.normalize(form, "café") for form in ("NFC", "NFD"))
    found = labelled(f"train/{composed}/1.png", f"test/{decomposed}/2.png")
    assert found.classes == [composed, composed]


def test_pictures_without_class_folders_are_an_error():
    with pytest.raises(DataError, match=r"2 pictures lie directly in 'photos'.* put each class in a sub-folder"):
        labelled("1.png", "2.png")
