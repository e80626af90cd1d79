import numpy as np
import pytest
from datasets import ClassLabel, Dataset, DatasetDict, Features, Image, List, Value
from PIL import Image as PIL

from headstart.data.huggingface import is_dataset
from headstart.data.read import read
from headstart.data.roles import Roles
from headstart.errors import DataError

TEXTS = ["a fine film to watch", "a film to miss, really", "what a fine evening it was", "no plot at all, no"]


def texts(labels=(1, 0, 1, 0)):
    features = Features({"text": Value("string"), "label": ClassLabel(names=["neg", "pos"])})
    return Dataset.from_dict({"text": TEXTS, "label": list(labels)}, features=features)


def test_class_labels_become_their_names():
    task = read(texts())
    assert is_dataset(texts())
    assert task.modality == "text"
    assert task.inputs == TEXTS
    assert task.classes == ("neg", "pos")
    assert task.targets.tolist() == [1, 0, 1, 0]


def test_unknown_labels_are_set_aside():
    task = read(texts([1, 0, -1, None]))
    assert [tuple(lost) for lost in task.set_aside] == [
        ("row 2", "the target is missing", 2),
        ("row 3", "the target is missing", 3),
    ]


def test_selected_and_shuffled_rows():
    dataset = texts().select([3, 0]).shuffle(seed=1)
    assert read(dataset).inputs == dataset["text"][:]


def test_the_parts_of_a_dictionary_are_splits():
    parts = DatasetDict({"train": texts(), "validation": texts().select([0]), "unsupervised": texts()})
    task = read(parts)
    assert task.split.tolist() == ["train"] * 4 + ["val"]
    assert task.names[-1] == "validation row 0"
    assert "left out the parts 'unsupervised': expected train, validation and test" in task.notes
    only = read(DatasetDict({"train": texts()}))
    assert only.split is None
    with pytest.raises(DataError, match="no part of the dataset is called train, validation or test: it has 'all'"):
        read(DatasetDict({"all": texts()}))


def test_pictures_are_not_decoded_before_use(twemoji, tmp_path):
    paths = sorted(map(str, twemoji.glob("*/*.png")))[:2]
    (tmp_path / "broken.png").write_bytes(b"")
    paths.append(str(tmp_path / "broken.png"))
    labels = ["a", "b", "b"]
    dataset = Dataset.from_dict({"image": paths, "label": labels}).cast_column("image", Image())
    task = read(dataset)
    assert task.modality == "image"
    assert task.inputs == paths


def test_pictures_stored_as_bytes():
    pictures = [PIL.new("RGB", (4, 3), color) for color in ("red", "blue")]
    task = read(Dataset.from_dict({"image": pictures, "label": ["a", "b"]}, features=None))
    assert [picture.size for picture in task.inputs] == [(4, 3)] * 2
    assert task.inputs[0].getpixel((0, 0)) == (255, 0, 0)


def test_lists_of_class_labels():
    features = Features({"text": Value("string"), "tags": List(ClassLabel(names=["x", "y"]))})
    task = read(Dataset.from_dict({"text": TEXTS, "tags": [[1], [0, 1], [], None]}, features=features))
    assert task.kind == "multilabel"
    assert task.classes == ("x", "y")
    assert task.targets.tolist() == [[0, 1], [1, 1], [0, 0]]
    assert len(task.set_aside) == 1


def test_numbers_are_a_table():
    values = {"a": [0.5, 1.5, 2.5], "b": [1, 2, 3], "price": [9.5, 8.5, 7.5]}
    task = read(Dataset.from_dict(values), roles=Roles(target="price"))
    assert task.kind == "regression"
    assert np.allclose(task.inputs.to_numpy(), [[0.5, 1], [1.5, 2], [2.5, 3]])


def test_streams_are_refused():
    with pytest.raises(DataError, match="load it without streaming=True"):
        read(texts().to_iterable_dataset())


def test_other_objects_are_no_datasets():
    assert not is_dataset([1])
