import io
import tarfile

import numpy as np
import pytest
from demo_data import cifar_archive

from headstart.data.read import read
from headstart.errors import DataError

RNG = np.random.default_rng(0)
PIXELS = RNG.integers(0, 256, (6, 32, 32, 3)).astype(np.uint8)
LABELS = [0, 1, 2, 0, 1, 2]


def records(before=()):
    """A row: labels, then all of red, of green and of blue."""
    rows = zip(LABELS, PIXELS, strict=True)
    return b"".join(bytes([*before, label]) + pixels.transpose(2, 0, 1).tobytes() for label, pixels in rows)


TEN = {"data_batch_1.bin": records(), "test_batch.bin": records(), "batches.meta.txt": b"cat\ndog\nship\n\n"}
HUNDRED = {"train.bin": records([9]), "test.bin": records([9]), "fine_label_names.txt": b"cat\ndog\nship\n"}


def archived(file, files, folder="cifar-10-batches-bin"):
    with tarfile.open(file, "w:gz") as archive:
        for name, data in files.items():
            member = tarfile.TarInfo(f"{folder}/{name}")
            member.size = len(data)
            archive.addfile(member, io.BytesIO(data))
    return file


@pytest.mark.parametrize("files", [TEN, HUNDRED])
@pytest.mark.parametrize("packed", [True, False])
def test_pictures_classes_and_splits(tmp_path, files, packed):
    source = archived(tmp_path / "cifar-binary.tar.gz", files)
    if not packed:
        source = tmp_path / "unpacked" / "batches"
        source.mkdir(parents=True)
        for name, data in files.items():
            (source / name).write_bytes(data)
    task = read(source)
    assert task.modality == "image"
    assert [task.classes[code] for code in task.targets] == ["cat", "dog", "ship"] * 4
    assert list(task.split) == ["train"] * 6 + ["test"] * 6
    assert all(np.array_equal(one, pixels) for one, pixels in zip(task.inputs, [*PIXELS, *PIXELS], strict=True))
    assert len(read(source, need_target=False)) == 12


def test_the_pickled_version_is_never_read(tmp_path):
    source = archived(
        tmp_path / "cifar-10-python.tar.gz", {"data_batch_1": b"", "test_batch": b"", "batches.meta": b""}
    )
    with pytest.raises(DataError, match=r"a pickle and is never read: fetch the binary version \(cifar-10-binary"):
        read(source)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"data_batch_1.bin": records()[:-1]}, r"data_batch_1.bin has 18,437 bytes, expected a multiple of 3,073"),
        ({"batches.meta.txt": b"cat\ndog\n"}, r"has the label 2, and there are 2 names of classes"),
    ],
)
def test_damaged_files_are_named(tmp_path, changes, words):
    with pytest.raises(DataError, match=words):
        read(archived(tmp_path / "c.tar.gz", TEN | changes))


def test_half_an_archive(tmp_path):
    source = archived(tmp_path / "c.tar.gz", TEN)
    source.write_bytes(source.read_bytes()[:9000])
    with pytest.raises(DataError, match=r"fetch it again|unpack it and name the folder"):
        read(source)


def test_another_archive_is_still_to_be_unpacked(tmp_path):
    with pytest.raises(DataError, match="unpack it and name the folder"):
        read(archived(tmp_path / "c.tar.gz", {"a.png": b""}))


def test_a_small_archive_of_emoji(tmp_path):
    task = read(cifar_archive(tmp_path / "c.tar.gz", classes=2, each=5, test=3))
    assert (len(task), len(task.classes), list(task.split).count("test")) == (16, 2, 6)
