import re
import unicodedata
from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from headstart.data.layout import by_class
from headstart.data.listing import Listing
from headstart.errors import DataError


def listing(*files):
    parts = [file.split("/")[:-1] for file in files]
    folders = {"/".join(part[:depth]) for part in parts for depth in range(1, len(part) + 1)}
    return Listing("photos", files=[file for file in files if not file.endswith("/")], folders=sorted(folders))


def labelled(*files):
    found = listing(*files)
    return by_class(found, found.files, "picture")


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


def fives(*folders):
    """Five pictures in each folder, or files of a given name."""
    return [
        name
        for folder in folders
        for name in ([f"{folder}/{i}.png" for i in range(5)] if "." not in folder else [folder])
    ]


def in_splits(*splits, classes=("cat", "dog")):
    return [f"{split}/{name}" for split in splits for name in classes]


@pytest.mark.parametrize(
    ("folders", "split"),
    [
        ([*in_splits("seg_train/seg_train", "seg_test/seg_test"), "seg_pred/seg_pred"], {"train", "test"}),
        (in_splits("training_set", "test_set"), {"train", "test"}),
        (in_splits("training_set/training_set", "test_set/test_set"), {"train", "test"}),
        (in_splits("train", "eval"), {"train", "test"}),
        (in_splits("train", "holdout"), {"train", "test"}),
        (in_splits("Train", "Valid", "Test"), {"train", "val", "test"}),
        ([*in_splits("train_images"), "test_images"], {"train"}),
        (in_splits("dataset/train", "dataset/test"), {"train", "test"}),
        (in_splits("train/PetImages", "test"), {"train", "test"}),
        (in_splits("train/images", "train/labels", "test/images", "test/labels"), {"train", "test"}),
        (["cat", "dog", "test/cat", "test/dog"], {"train", "test"}),
        (["cat/train", "cat/test", "dog/train", "dog/val"], {"train", "val", "test"}),
        (["train/cat/patient_1", "train/dog/patient_2", "test/cat/patient_3"], {"train", "test"}),
        (["PetImages/cat", "PetImages/dog"], None),
        (["a/b/cat", "a/b/dog"], None),
        (["data/raw/cat", "data/raw/dog"], None),
        (["images/cat", "images/dog", "annotations"], None),
        (["images/cat", "images/dog", "masks/cat", "masks/dog"], None),
        (["101_ObjectCategories/cat", "101_ObjectCategories/dog", "Annotations/cat"], None),
        (["images/cat", "images/dog", "test"], None),
        (["cat/patient_1", "cat/patient_2", "dog/patient_3"], None),
    ],
    ids=lambda value: " ".join(value)[:60] if isinstance(value, list) else "",
)
def test_layouts_that_are_met_in_real_use(folders, split):
    found = labelled(*fives(*folders))
    assert set(found.classes) == {"cat", "dog"}
    assert (found.split and set(found.split)) == split
    assert found.set_aside == []


@pytest.mark.parametrize("bare", ["test", "test/test", "test/unknown", "test/images", "unlabeled", "seg_pred/seg_pred"])
def test_a_folder_without_labels_is_counted_and_is_neither_a_class_nor_lost(bare):
    found = labelled(*fives("train/cat", "train/dog", bare))
    assert (len(found.files), set(found.classes), found.set_aside) == (10, {"cat", "dog"}, [])
    assert any(
        note.startswith(f"without labels: 5 pictures in {bare.partition('/')[0]!r}"[:-1]) for note in found.notes
    )


def test_unlabelled_reviews_beside_labelled_ones():
    found = labelled(*fives("train/pos", "train/neg", "train/unsup", "test/pos", "test/neg"), "train/urls_pos.txt")
    assert set(found.classes) == {"pos", "neg"}
    assert [lost.name for lost in found.set_aside] == ["train/urls_pos.txt"]
    assert (
        "without labels: 5 pictures in 'train/unsup', left out: they can be predicted once there is a model"
        in found.notes
    )


def test_a_copy_of_the_data_beside_the_splits_is_set_aside():
    found = labelled(*fives("train/cat", "train/dog", "test/cat", "all/train/cat", "all/train/dog"))
    assert set(found.classes) == {"cat", "dog"}
    assert {lost.name.partition("/")[0] for lost in found.set_aside} == {"all"}


@pytest.mark.parametrize(
    ("folders", "named"),
    [
        (["control", "test"], ["test"]),
        (["bus", "train", "car"], ["train"]),
        (["val", "eval", "train station"], ["eval", "val"]),
    ],
)
def test_a_class_that_is_named_like_a_split_is_warned_of(folders, named):
    found = labelled(*fives(*folders))
    assert set(found.classes) == set(folders)
    warned = [note for note in found.notes if note.startswith("warning: class")]
    assert [note.split("'")[1] for note in warned] == named


@pytest.mark.parametrize(
    ("folders", "words"),
    [
        (["train", "test"], r"10 pictures lie directly in 'train', 'test'.*such as photos/train/cat"),
        (["train"], "5 pictures lie directly in 'train', so their classes are unknown"),
        (["train", "test/cat", "test/dog"], "5 pictures lie directly in 'train'"),
        (["images"], "5 pictures lie directly in 'images'"),
        (["images", "masks"], "'masks' looks like masks of a set for segmentation"),
        (["train/images", "train/labels/1.txt", "valid/images", "data.yaml"], "With 'data.yaml', 'train/labels' it"),
        (["images/train", "images/val", "labels/train/1.txt"], "With 'labels' it looks like a set for detection"),
        (["JPEGImages", "Annotations/1.xml"], "With 'Annotations' it looks like a set for detection"),
        (["train", "valid", "train/_annotations.coco.json"], r"With 'train/_annotations.coco.json' it looks like"),
        (["train/cat.1.png", "train/cat.2.png", "train/dog.1.png", "train/dog.2.png", "test1"],
         r"begin with 'cat' \(2\), 'dog' \(2\).*mv 'photos/train/cat'\[\._-\]\* 'photos/train/cat'"),
        (["images/great_dane_1.png", "images/great_dane_2.png", "images/pug_1.png", "images/pug_2.png"],
         r"begin with 'great_dane' \(2\), 'pug' \(2\)"),
        (["train_images", "test_images", "train.csv"], r"name that file itself: photos/train\.csv"),
        (["train/cat", "train/dog", "extra"], "'train' may be a split or a class"),
        (["train/cat", "train/dog", "round2/cat", "round2/dog"], "'round2' holds folders of the same names"),
        (["images/cat", "images/dog", "test/cat", "test/dog"], "'images' holds folders of the same names"),
        (["unlabeled"], "5 pictures lie directly in 'unlabeled'"),
    ],
    ids=lambda value: " ".join(value)[:60] if isinstance(value, list) else "",
)  # fmt: skip
def test_what_names_no_classes_is_refused_by_what_was_seen(folders, words):
    found = listing(*fives(*folders))
    pictures = [file for file in found.files if file.endswith(".png")]
    with pytest.raises(DataError, match=words):
        by_class(found, pictures, "picture")


@pytest.mark.parametrize(
    ("folders", "words"),
    [
        (
            in_splits("amazon/images", "dslr/images", classes=("bike", "mug")),
            "'amazon', 'dslr' hold folders of the same names",
        ),
        (
            ["PetImages/cat", "PetImages/dog", "misc"],
            r"class 'PetImages' holds folders \('cat', 'dog'\) and the others hold none",
        ),
    ],
    ids=["two domains", "one of two"],
)  # fmt: skip
def test_classes_that_may_be_wrappers_are_warned_of(folders, words):
    assert any(re.search(words, note) for note in labelled(*fives(*folders)).notes)


NAMES = st.sampled_from(["cat", "dog", "red fox", "été", "3", "Bus", "mask", "docs", "healthy"])
TOPS = st.sampled_from([(), ("train",), ("train", "test"), ("training_set", "val", "eval"), ("seg_train", "seg_test")])


@st.composite
def layouts(draw):
    """Files of two classes or more, in splits or not, some of them in folders of patients."""
    classes = draw(st.lists(NAMES, min_size=2, max_size=4, unique=True))
    patients = {
        name: draw(st.lists(st.sampled_from(["", "p1/", "p2/"]), min_size=1, max_size=2, unique=True))
        for name in classes
    }
    tops = [f"{top}/" for top in draw(TOPS)] or [""]
    return [
        f"{top}{name}/{patient}{i}.png"
        for top in tops
        for name in classes
        for patient in patients[name]
        for i in (1, 2)
    ]


def answer(files):
    """What the rule makes of them: class and split by the last part of each name."""
    found = labelled(*files)
    split = found.split or [""] * len(found.files)
    return Counter(zip([file.rpartition("/")[2] for file in found.files], found.classes, split, strict=True)), found


@given(layouts(), st.lists(st.sampled_from(["PetImages", "data", "v1.0", "my photos"]), max_size=3))
@settings(max_examples=150, deadline=None)
def test_a_wrapper_changes_nothing(files, wrappers):
    wrapped = ["/".join([*wrappers, file]) for file in files]
    assert answer(wrapped)[0] == answer(files)[0]


@given(layouts(), st.sampled_from(["unlabeled", "Unlabelled", "unsup", "seg_pred"]))
@settings(max_examples=100, deadline=None)
def test_a_folder_without_labels_never_adds_a_class(files, bare):
    with_bare, found = answer([*files, *(f"{bare}/{i}.png" for i in range(9))])
    assert with_bare == answer(files)[0]
    assert found.set_aside == []


@given(layouts(), st.randoms(use_true_random=False))
@settings(max_examples=50, deadline=None)
def test_the_order_of_files_changes_nothing(files, random):
    mixed = random.sample(files, len(files))
    first, second = labelled(*files), labelled(*mixed)
    assert dict(zip(first.files, first.classes, strict=True)) == dict(zip(second.files, second.classes, strict=True))
    assert first.notes == second.notes
