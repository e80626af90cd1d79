import os
import resource
from contextlib import contextmanager
from dataclasses import replace

import numpy as np
import pytest
from disks import mounted

from headstart.artefact import read, write
from headstart.artefact.writing import compare
from headstart.errors import ArtefactError
from headstart.heads.facts import FitterFacts


@contextmanager
def file_size_limit(size):
    """No file may grow beyond `size` bytes."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def wide(model):
    """The same model, a megabyte heavier."""
    return replace(model, encoder=({}, {"table": np.zeros(300_000, np.float32)}))


def test_the_folder_holds_what_it_should_and_nothing_is_left_beside(saved, tmp_path):
    assert sorted(os.listdir(saved)) == ["README.md", "config.json", "evidence.json", "model.safetensors"]
    assert os.listdir(tmp_path) == ["saved"]


def test_the_same_model_gives_the_same_bytes(saved, table_model, tmp_path):
    again = write(table_model, tmp_path / "more" / "saved")
    for name in os.listdir(saved):
        assert (saved / name).read_bytes() == (again / name).read_bytes()


def test_overwriting_replaces_the_whole_folder(saved, array_model, tmp_path):
    with pytest.raises(ArtefactError, match="there is a model at"):
        write(array_model, saved)
    assert write(array_model, saved, overwrite=True) == saved
    assert read(saved).modality == "array"
    assert sorted(os.listdir(saved)) == ["README.md", "config.json", "model.safetensors"]
    assert os.listdir(tmp_path) == ["saved"]


def test_check_sees_the_model_read_back_before_it_is_in_place(tmp_path, array_model):
    seen = []

    def check(model):
        assert not (tmp_path / "m").exists()
        seen.append(model.head.predict(np.ones((2, 4))))

    write(array_model, tmp_path / "m", check=check)
    assert np.array_equal(seen[0], array_model.head.predict(np.ones((2, 4))))


def test_a_failed_check_leaves_what_was_there(saved, array_model, tmp_path):
    def check(model):
        raise ArtefactError("predictions differ")

    with pytest.raises(ArtefactError, match="predictions differ"):
        write(array_model, saved, overwrite=True, check=check)
    assert read(saved).modality == "table"
    assert os.listdir(tmp_path) == ["saved"]


def test_a_place_that_is_taken_meanwhile_is_left_alone(tmp_path, array_model):
    def check(model):
        (tmp_path / "m").mkdir()
        (tmp_path / "m" / "mine.txt").write_text("x")

    with pytest.raises(ArtefactError, match=r"holds 'mine.txt' and is not a headstart model"):
        write(array_model, tmp_path / "m", check=check)
    assert os.listdir(tmp_path) == ["m"]
    assert os.listdir(tmp_path / "m") == ["mine.txt"]


def test_a_difference_on_reading_back_is_an_error(saved, table_model, array_model):
    other = replace(table_model, head=replace(table_model.head, arrays=dict(table_model.head.arrays)))
    other.head.arrays["mean"] = -table_model.head.arrays["mean"]
    with pytest.raises(ArtefactError, match=r"its tensor head.mean differs from that in memory"):
        compare(other, saved, slim=False, check=None)
    with pytest.raises(ArtefactError, match="read back, its classes differs from that in memory"):
        compare(replace(table_model, classes=("a", True, 2.5, 1)), saved, slim=False, check=None)
    with pytest.raises(ArtefactError, match="read back, its evidence differs from that in memory"):
        compare(replace(table_model, evidence={"n_train": 1}), saved, slim=False, check=None)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"classes": ("a", None, "c")}, "the class None is a NoneType, expected text, a number or true/false"),
        ({"classes": ("a", ("b",), "c")}, "the class .'b'. is a list, expected text"),
        ({"classes": ("a", "a", "c")}, "a class stands twice"),
        ({"classes": ("a", float("nan"), "c")}, r"classes\[1\] is nan"),
        ({"classes": ("a", "b")}, "expected .* for 4 features and 2 outputs"),
        ({"options": {"seed": object()}}, r"options.seed is <object .*which a saved model cannot hold"),
        ({"engine": {"scale": float("inf")}}, r"engine.scale is inf"),
        ({"encoder": ({}, {"names": np.array(["a"])})}, r"encoder.names has the type <U1.*: use numbers"),
        ({"modality": "image"}, "a model for image inputs has None preprocessing, expected picture"),
    ],
)
def test_a_model_that_cannot_be_stored_is_refused(tmp_path, array_model, changes, words):
    with pytest.raises(ArtefactError, match=words):
        write(replace(array_model, **changes), tmp_path / "m")
    assert os.listdir(tmp_path) == []


def test_a_head_that_diverged_is_refused(tmp_path, array_model):
    arrays = array_model.head.arrays | {"bias.0": np.full(3, np.nan, np.float32)}
    with pytest.raises(ArtefactError, match=r"head.bias.0 holds NaN or infinity: the fit diverged"):
        write(replace(array_model, head=replace(array_model.head, arrays=arrays)), tmp_path / "m")


def test_gaps_in_figures_do_not_lose_the_model(tmp_path, table_model):
    head = replace(table_model.head, facts=FitterFacts(account={"scores": [0.5, float("nan")]}))
    model = replace(table_model, head=head, evidence={"metrics": {"r2": {"value": float("-inf")}}})
    again = read(write(model, tmp_path / "m"))
    assert again.head.facts == FitterFacts(account={"scores": [0.5, None]})
    assert again.evidence == {"metrics": {"r2": {"value": None}}}


def test_a_full_disk_leaves_nothing(tmp_path, table_model):
    with mounted(tmp_path / "disk", "size=256k") as disk:
        write(table_model, disk / "m")
        with pytest.raises(ArtefactError, match=r"not saved to .*No space left.*free some, or save to another disk"):
            write(wide(table_model), disk / "m", overwrite=True)
        assert os.listdir(disk) == ["m"]
        assert read(disk / "m").encoder[0] == table_model.encoder[0]


def test_a_read_only_disk_is_explained(tmp_path, table_model):
    with (
        mounted(tmp_path / "disk", "ro") as disk,
        pytest.raises(ArtefactError, match=r"Read-only file system.*disk may not be written to: save to a folder"),
    ):
        write(table_model, disk / "m")


def test_a_folder_without_permission_is_explained(tmp_path, table_model):
    if os.geteuid() == 0:
        pytest.skip("root may write anywhere")
    tmp_path.chmod(0o500)
    with pytest.raises(ArtefactError, match="may not be written to"):
        write(table_model, tmp_path / "m")


def test_a_limit_on_file_sizes_leaves_what_was_there(saved, table_model, tmp_path):
    with file_size_limit(100_000), pytest.raises(ArtefactError, match=r"File too large.*there is no room for it"):
        write(wide(table_model), saved, overwrite=True)
    assert read(saved).encoder[0] == table_model.encoder[0]
    assert os.listdir(tmp_path) == ["saved"]
