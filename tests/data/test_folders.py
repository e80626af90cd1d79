import os

import pytest

from headstart.data.folders import read_folder
from headstart.data.read import read
from headstart.errors import DataError
from headstart.tasks import TABLE, TEXT, Modality


def put(root, **files):
    for name, content in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return str(root)


@pytest.fixture
def pictures(tmp_path):
    return put(tmp_path / "photos", **{f"{name}/{i}.png": b"" for name in ("cat", "red fox") for i in range(3)})


def test_twemoji(twemoji):
    task = read(twemoji)
    names = sorted(os.listdir(twemoji))
    assert task.classes == tuple(names)
    assert len(task) == sum(len(os.listdir(twemoji / name)) for name in names)
    assert (task.kind, task.modality, task.set_aside, task.split) == ("classification", "image", (), None)
    for path, name, code in zip(task.inputs, task.names, task.targets, strict=True):
        assert path == os.path.join(twemoji, name)
        assert name.startswith(names[code] + "/")
    assert list(task.names) == sorted(task.names, key=lambda name: name.split("/"))


def test_twemoji_with_splits_above(twemoji, tmp_path):
    for split in ("train", "test"):
        (tmp_path / split).mkdir()
    for name in os.listdir(twemoji):
        first, *others = sorted(os.listdir(twemoji / name))
        for file in (first, *others):
            target = tmp_path / ("test" if file == first else "train") / name / file
            target.parent.mkdir(exist_ok=True)
            os.link(twemoji / name / file, target)
    task, whole = read(tmp_path), read(twemoji)
    assert task.classes == whole.classes
    assert len(task) == len(whole)
    assert (task.split == "test").sum() == len(whole.classes)
    assert all(name.startswith(f"{split}/") for name, split in zip(task.names, task.split, strict=True))


def test_pictures_are_not_opened(pictures):
    task = read(pictures)
    assert len(task) == 6
    assert task.classes == ("cat", "red fox")


def test_other_files_are_set_aside_by_name(pictures, tmp_path):
    put(tmp_path / "photos", **{"cat/notes.pdf": "", "README": "", "loose.png": "", "cat/x.heic": ""})
    task = read(pictures)
    assert [tuple(lost[:2]) for lost in task.set_aside] == [
        ("README", "not a picture, by its suffix"),
        ("cat/notes.pdf", "not a picture, by its suffix"),
        ("cat/x.heic", "not a picture, by its suffix"),
        ("loose.png", "lies outside the class folders"),
    ]
    assert len(task) == 6


def test_any_folder_of_pictures_serves_for_prediction(pictures, tmp_path):
    put(tmp_path / "photos", **{"loose.png": "", "a/b/c.jpg": ""})
    task = read(pictures, need_target=False)
    assert len(task) == 8
    assert task.targets is None
    assert task.names[0] == "a/b/c.jpg"


def test_ten_thousand_files_are_listed_in_order(tmp_path):
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        for i in range(5000):
            os.close(os.open(tmp_path / name / f"{i:04}.jpg", os.O_CREAT))
    task = read(tmp_path)
    assert len(task) == 10_000
    assert task.names[4999:5001] == ["a/4999.jpg", "b/0000.jpg"]
    assert task.targets.tolist() == [0] * 5000 + [1] * 5000


def test_text_files_by_class(tmp_path):
    root = put(
        tmp_path / "reviews",
        **{
            "good/1.txt": b"\xef\xbb\xbffine film",
            "good/2.txt": b"",
            "bad/1.txt": "x" * 1_000_000,
            "bad/2.txt": b"caf\xe9",
            "bad/3.txt": b"caf\xc3\xa9 \xe9",
            "bad/cover.png": b"",
        },
    )
    task = read(root)
    assert task.modality == "text"
    assert task.inputs == ["x" * 1_000_000, "café", "fine film", ""]
    assert task.names == ["bad/1.txt", "bad/2.txt", "good/1.txt", "good/2.txt"]
    assert task.classes == ("bad", "good")
    assert {lost.name: lost.why[:12] for lost in task.set_aside} == {
        "bad/cover.png": "not a text f",
        "bad/3.txt": "not UTF-8 (b",
    }
    assert "1 texts are empty" in task.notes
    assert "encoding: 1 of 5 files are cp1252 (bytes that are not UTF-8, read as 'café')" in task.notes


def test_the_modality_decides_where_both_lie(tmp_path):
    root = put(tmp_path / "both", **{"a/1.png": "", "a/1.txt": "eins", "b/2.png": "", "b/2.txt": "zwei"})
    assert read_folder(root).modality == "image"
    assert read_folder(root, modality=TEXT).inputs == ["eins", "zwei"]


def test_one_class_only(tmp_path):
    root = put(tmp_path / "one", **{"cat/1.png": "", "cat/2.png": ""})
    with pytest.raises(DataError, match="only one class, 'cat', in all 2 rows: nothing can be told apart"):
        read(root)


def test_one_class_is_enough_to_evaluate_a_fitted_model(tmp_path):
    root = put(tmp_path / "one", **{"cat/1.png": "", "cat/2.png": ""})
    fitted = read(put(tmp_path / "two", **{"cat/1.png": "", "dog/2.png": ""}))
    assert read(root, columns=fitted.columns).classes == ("cat",)


def test_one_row_a_class(tmp_path):
    assert len(read(put(tmp_path / "two", **{"cat/1.png": "", "dog/2.png": ""}))) == 2


def test_folders_with_nothing_to_read(tmp_path):
    (tmp_path / "empty").mkdir()
    with pytest.raises(DataError, match=r"no files in .*empty': expected pictures"):
        read(tmp_path / "empty")
    root = put(tmp_path / "tables", **{"a.csv": "x", "b.pdf": "x", "c": "x"})
    with pytest.raises(
        DataError, match=r"no picture, no recording and no text file in .*\(1 .csv, 1 .pdf, 1 no suffix\).*tables/a.csv"
    ):
        read(root)
    with pytest.raises(DataError, match="put each class in a sub-folder"):
        read(put(tmp_path / "flat", **{"1.png": ""}))


def test_a_folder_of_the_other_modality(pictures):
    with pytest.raises(DataError, match=r"no text file in .*photos' \(6 .png\)"):
        read_folder(pictures, modality=TEXT)


def test_a_folder_cannot_feed_a_table_model(pictures):
    with pytest.raises(DataError, match="is a folder, and the model reads tables"):
        read_folder(pictures, modality=TABLE)


def test_reviews_with_unlabelled_ones_beside_them(tmp_path):
    root = put(
        tmp_path / "aclImdb",
        **{f"{top}/{name}/{i}.txt": f"{name} {i}" for top in ("train", "test") for name in ("neg", "pos") for i in "1"},
        **{f"train/unsup/{i}.txt": "who knows" for i in range(9)},
        README="not a review",
    )  # fmt: skip
    task = read(root)
    assert (task.modality, task.classes, len(task)) == ("text", ("neg", "pos"), 4)
    assert [lost.name for lost in task.set_aside] == ["README"]
    assert any(note.startswith("without labels: 9 text files in 'train/unsup'") for note in task.notes)


def test_texts_that_say_what_is_in_a_picture_do_not_make_it_a_set_of_texts(tmp_path):
    boxes = put(
        tmp_path / "boxes",
        **{f"train/images/{i}.jpg": "" for i in range(3)},
        **{f"train/labels/{i}.txt": "0 .5 .5 .1 .1" for i in range(3)},
        **{"README.txt": "", "data.yaml": "", "classes.txt": "cat"},
    )
    with pytest.raises(
        DataError, match=r"3 pictures lie directly in 'train/images'.* With 'data.yaml', 'train/labels' it"
    ):
        read(boxes)
    captions = put(
        tmp_path / "captions",
        **{f"{name}/{i}{suffix}": "" for name in ("cat", "dog") for i in range(3) for suffix in (".png", ".txt")},
        **{"about.txt": ""},
    )
    assert (read(captions).modality, len(read(captions))) == ("image", 6)


def test_files_in_folders_without_inputs_are_counted_not_listed(pictures, tmp_path):
    put(tmp_path / "photos", **{f"annotations/xmls/{i}.xml": "" for i in range(40)})
    task = read(pictures)
    assert task.set_aside == ()
    assert "left out: 'annotations', 40 files and no picture" in task.notes


def test_a_modality_without_files_is_not_read_from_a_folder(pictures):
    with pytest.raises(DataError, match="is a folder, and noise inputs are not read from folders"):
        read_folder(pictures, modality=Modality("noise"))
