import json
import os
import threading
from contextlib import contextmanager
from dataclasses import replace

import numpy as np
import pytest
import torch
from blake3 import blake3
from hypothesis import given, settings
from hypothesis import strategies as st

from headstart.artefact import read, verify, write
from headstart.artefact.files import read_config, seal
from headstart.artefact.strict_json import dump
from headstart.artefact.tensors import as_tensors, same_bits, stored_tensors, tensors_of, to_bytes
from headstart.errors import ArtefactError
from headstart.tasks import CLASSIFICATION, REGRESSION

FILES = ("config.json", "model.safetensors", "evidence.json")


def facts(data):
    return {"size": len(data), "blake3": blake3(data).hexdigest()}


def config_of(folder):
    return json.loads((folder / "config.json").read_text())


def same(one, other):
    scalars = ("modality", "kind", "classes", "columns", "method", "options", "engine", "evidence", "notes")
    assert repr([getattr(one, name) for name in scalars]) == repr([getattr(other, name) for name in scalars])
    assert same_bits(tensors_of(one, slim=False), tensors_of(other, slim=False)) is None
    assert (one.head.temperature, one.head.facts) == (other.head.temperature, other.head.facts)


def told(**config):
    """A head whose fitter or training told this."""
    return {"head": {"name": "x", "temperature": 1, "form": "plain", "config": config}}


def test_what_is_read_is_what_was_saved(saved, table_model):
    again = read(saved)
    same(again, table_model)
    assert [type(label) for label in again.classes] == [str, int, float, bool]
    assert again.encoder[0] == table_model.encoder[0]
    assert again.encoder[1]["counts"].dtype == np.int64


def test_numpy_labels_come_back_as_python_s(tmp_path, array_model):
    labels = (np.str_("a"), np.int64(3), np.float64(0.5))
    again = read(write(replace(array_model, classes=labels), tmp_path / "m"))
    assert again.classes == ("a", 3, 0.5)
    assert [type(label) for label in again.classes] == [str, int, float]


def test_a_regression_model(tmp_path, array_model):
    arrays = array_model.head.arrays
    single = arrays | {"weight.0": arrays["weight.0"][:, :1], "bias.0": arrays["bias.0"][:1]}
    head = replace(array_model.head, kind=REGRESSION, arrays=single)
    model = replace(array_model, kind=REGRESSION, classes=(), head=head)
    again = read(write(model, tmp_path / "m"))
    same(again, model)
    assert again.head.predict(np.zeros((2, 4))).shape == (2,)


def test_names_that_are_no_unicode_survive(tmp_path, array_model):
    odd = replace(array_model, classes=("caf\udce9", "日本 | `x`", "<b>"))
    assert read(write(odd, tmp_path / "m\u00e9 x")).classes == odd.classes


def test_verify_returns_the_config(saved):
    config = verify(saved)
    assert config["classes"] == ["a", 1, 2.5, True]
    assert config["libraries"]["torch"]


def test_a_link_to_the_folder_is_followed(saved):
    (saved.parent / "current").symlink_to(saved)
    assert read(saved.parent / "current").method == "probe"


def test_the_card_and_foreign_files_are_not_read(saved, table_model):
    (saved / "README.md").unlink()
    (saved / "notes.txt").symlink_to("/etc/passwd")
    same(read(saved), table_model)


@contextmanager
def damaged(folder, name, data):
    """The folder with other bytes in one file, for a while."""
    good = (folder / name).read_bytes()
    (folder / name).write_bytes(data)
    try:
        yield
    finally:
        (folder / name).write_bytes(good)


def error_or_same(folder, model):
    try:
        same(read(folder), model)
    except ArtefactError as error:
        assert str(folder) in str(error)  # noqa: PT017 - either outcome is right
        return True
    return False


def flip(path, at):
    with open(path, "r+b") as file:
        file.seek(at)
        byte = file.read(1)[0]
        file.seek(at)
        file.write(bytes([byte ^ 1 << at % 8]))


@pytest.mark.parametrize("name", FILES)
def test_any_one_flipped_bit_is_an_error_or_makes_no_difference(pristine, table_model, name):
    for at in range((pristine / name).stat().st_size):
        flip(pristine / name, at)
        assert error_or_same(pristine, table_model) or name == "config.json"
        flip(pristine / name, at)


@given(data=st.data(), name=st.sampled_from(FILES))
@settings(deadline=None)
def test_bytes_overwritten_or_cut_are_an_error_or_make_no_difference(pristine, table_model, data, name):
    good = (pristine / name).read_bytes()
    start, end = sorted(data.draw(st.tuples(st.integers(0, len(good)), st.integers(0, len(good)))))
    with damaged(pristine, name, good[:start] + data.draw(st.binary(max_size=20)) + good[end:]):
        error_or_same(pristine, table_model)


@pytest.mark.parametrize("name", FILES)
@pytest.mark.parametrize("keep", [0, 1, 0.5, -1])
def test_a_truncated_file_is_an_error(saved, name, keep):
    good = (saved / name).read_bytes()
    (saved / name).write_bytes(good[: int(len(good) * keep) if isinstance(keep, float) else keep])
    if name == "config.json" and keep == -1:
        assert read(saved).method == "probe"
        return
    words = "not valid JSON" if name == "config.json" else "it was truncated; take a fresh copy"
    with pytest.raises(ArtefactError, match=words):
        read(saved)


@pytest.mark.parametrize("name", FILES)
def test_a_longer_file_is_an_error(saved, name):
    with open(saved / name, "ab") as file:
        file.write(b"more")
    with pytest.raises(ArtefactError, match=r"not valid JSON|expected at most"):
        read(saved)


@pytest.mark.parametrize("name", FILES)
def test_a_missing_file_is_an_error(saved, name):
    (saved / name).unlink()
    with pytest.raises(ArtefactError, match=r"holds no config.json|is missing; take a fresh copy"):
        read(saved)


def test_no_folder_and_no_model(tmp_path):
    with pytest.raises(ArtefactError, match=r"there is no model at .*nowhere: give the folder that `headstart fit"):
        read(tmp_path / "nowhere")
    (tmp_path / "file").write_text("x")
    with pytest.raises(ArtefactError, match="file is not a folder"):
        read(tmp_path / "file")
    with pytest.raises(ArtefactError, match=r"is not a headstart model: it holds no config.json"):
        read(tmp_path)
    (tmp_path / "config.json").write_text('{"architectures": ["BertModel"]}')
    with pytest.raises(ArtefactError, match=r"not a headstart model: its config.json lacks .*name it as file:"):
        read(tmp_path)


def test_a_path_that_no_disk_can_hold(tmp_path):
    with pytest.raises(ArtefactError, match="cannot be read"):
        read(tmp_path / ("x" * 300))


def test_a_newer_format_asks_to_upgrade(saved):
    config = config_of(saved) | {"version": 2, "more": "than we know"}
    (saved / "config.json").write_text(json.dumps(config))
    with pytest.raises(ArtefactError, match=r"made by a newer headstart .*pip install --upgrade headstart"):
        read(saved)


def test_an_edited_config_is_an_error(saved):
    config = config_of(saved) | {"method": "other"}
    (saved / "config.json").write_text(json.dumps(config))
    with pytest.raises(ArtefactError, match=r"config.json was changed after it was written"):
        read(saved)


def test_the_order_of_keys_and_white_space_do_not_matter(saved, table_model):
    config = config_of(saved)
    (saved / "config.json").write_text(json.dumps(dict(reversed(config.items())), indent=7))
    same(read(saved), table_model)


@pytest.mark.parametrize("name", FILES)
def test_links_pipes_and_folders_are_refused(saved, name):
    path, moved = saved / name, saved.parent / "moved"
    path.rename(moved)
    path.symlink_to(moved)
    with pytest.raises(ArtefactError, match="is a link, expected a plain file: put a copy"):
        read(saved)
    path.unlink()
    os.mkfifo(path)
    with pytest.raises(ArtefactError, match="is not a plain file"):
        read(saved)
    path.unlink()
    path.mkdir()
    with pytest.raises(ArtefactError, match="cannot be read"):
        read(saved)


def test_a_huge_config_is_not_read(saved):
    with open(saved / "config.json", "wb") as file:
        file.truncate(10**12)
    with pytest.raises(ArtefactError, match="holds 1000000000000 bytes, expected at most 67108864"):
        read(saved)


@pytest.mark.parametrize("name", ["../model.safetensors", "/etc/passwd", "extra.bin", "README.md"])
def test_a_config_that_names_other_files_is_refused(saved, forge, name):
    config = config_of(saved)
    config["files"][name] = facts(b"x")
    forge(saved, config)
    with pytest.raises(ArtefactError, match=r"a name in the config.files is .*expected one of model.safetensors"):
        read(saved)


def test_deep_nesting_is_refused(tmp_path, pristine):
    text = json.dumps(config_of(pristine) | {"notes": "DEEP"})
    for depth in (100, 600, *range(800, 1001)):
        deep = text.replace('"DEEP"', "[" * depth + "]" * depth).encode()
        with pytest.raises(ArtefactError, match=r"was changed after it was written|not valid JSON|nested too deep"):
            read_config(deep, tmp_path)
    with pytest.raises(ArtefactError, match=r"notes\[0\] is"):
        read_config(dump(seal(json.loads(text.replace('"DEEP"', "[" * 600 + "]" * 600)))), tmp_path)


def test_a_config_without_tensors_is_refused(saved, forge):
    config = config_of(saved)
    del config["files"]["model.safetensors"]
    forge(saved, config)
    with pytest.raises(ArtefactError, match=r"lists no model.safetensors"):
        read(saved)


def put_tensors(folder, forge, change):
    tensors = as_tensors(stored_tensors((folder / "model.safetensors").read_bytes(), "x"))
    data = to_bytes(change(tensors))
    (folder / "model.safetensors").write_bytes(data)
    config = config_of(folder)
    config["files"]["model.safetensors"] = facts(data)
    forge(folder, config)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda t: {n: v for n, v in t.items() if n != "head.mean"}, "the head lacks mean"),
        (lambda t: t | {"head.mean": t["head.mean"].half()}, "head.mean is float16"),
        # numpy knows the type where somebody has taught it, as onnx does.
        (
            lambda t: t | {"head.mean": t["head.mean"].bfloat16()},
            "head.*(a type that numpy lacks|is bfloat16, expected)",
        ),
        (lambda t: t | {"head.bias.1": t["head.bias.1"] * torch.nan}, "head.bias.1 holds NaN"),
        (lambda t: t | {"head.bias.1": t["head.bias.1"][:3]}, "expected .4,. for 5 features and 4 outputs"),
        (lambda t: t | {"tail.x": torch.zeros(1)}, "holds 'tail.x', expected only encoder and head and uncertainty"),
        (lambda t: t | {"backbone.x": torch.zeros(1)}, "holds 'backbone.x', expected only"),
        (lambda t: {n: v for n, v in t.items() if n != "encoder.counts"}, "holds the encoder's .*expected .*counts"),
    ],
)
def test_tensors_that_do_not_fit_are_refused(saved, forge, change, words):
    put_tensors(saved, forge, change)
    for reads in (read, verify):
        with pytest.raises(ArtefactError, match=words):
            reads(saved)


def test_tensors_that_are_none_are_refused(saved, forge):
    (saved / "model.safetensors").write_bytes(b"not tensors")
    forge(saved, config_of(saved) | {"files": {"model.safetensors": facts(b"not tensors")}})
    with pytest.raises(ArtefactError, match="is not a valid safetensors file"):
        read(saved)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"classes": ["a", "b"]}, "expected .*for 5 features and 2 outputs"),
        ({"classes": []}, "a classification model has no classes"),
        ({"classes": ["a", "a", "b", "c"]}, "a class stands twice"),
        ({"classes": ["a", None]}, r"classes\[1\] is None, expected text, a number or true/false"),
        ({"kind": "poetry"}, "kind is 'poetry', expected 'classification' or"),
        ({"kind": [CLASSIFICATION]}, "expected 'classification' or"),
        ({"version": True}, "version is True, expected a whole number"),
        ({"notes": "one"}, "notes is 'one', expected a list"),
        ({"modality": "image"}, "a model for image inputs has None preprocessing, expected picture"),
        ({"head": {"name": "x", "temperature": 0, "form": "plain", "config": {}}}, "is 0, expected a number above 0"),
        ({"head": {"name": "x", "temperature": "1", "form": "plain", "config": {}}}, "is '1', expected a number"),
        (told(parameters="many"), r"head.config.parameters is 'many', expected a whole number"),
        (told(parameters=1, rows=[1]), r"head.config.rows is \[1\], expected a list of 2"),
        (told(parameters=1, curves=[["0"]]), r"head.config.curves\[0\]\[0\] is '0', expected a number"),
        (told(candidates=["ridge"]), r"head.config.candidates is \['ridge'\], expected an object"),
        (told(candidates={"ridge": "low"}), r"head.config.candidates.ridge is 'low', expected a number"),
        ({"files": {"model.safetensors": {"size": 1, "blake3": "xyz"}}}, "expected 64 hexadecimal digits"),
        ({"more": 1}, r"the keys of the config beyond or short of the format is \['more'\]"),
        ({"engine": []}, r"engine is \[\], expected an object"),
        ({"libraries": {"torch": 2}}, "libraries.torch is 2, expected text"),
    ],
)
def test_a_forged_config_is_refused(saved, forge, changes, words):
    forge(saved, config_of(saved) | changes)
    with pytest.raises(ArtefactError, match=words):
        read(saved)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)


@given(value=json_values)
@settings(deadline=None)
def test_random_json_is_no_model(tmp_path_factory, value):
    folder = tmp_path_factory.mktemp("m")
    (folder / "config.json").write_text(json.dumps(value))
    with pytest.raises(ArtefactError, match=r"not a headstart model|expected an object"):
        read(folder)


def leaves(value, path=()):
    yield path
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, item in items:
        yield from leaves(item, (*path, key))


def changed(value, path, new):
    if not path:
        return new
    copy = dict(value) if isinstance(value, dict) else list(value)
    copy[path[0]] = changed(value[path[0]], path[1:], new)
    return copy


@given(data=st.data())
@settings(max_examples=300, deadline=None)
def test_any_forged_value_is_an_error_or_a_model(pristine, data):
    config = config_of(pristine)
    path = data.draw(st.sampled_from([path for path in leaves(config) if path]))
    forged = dump(seal(changed(config, path, data.draw(json_values))))
    with damaged(pristine, "config.json", forged):
        try:
            read(pristine)
        except ArtefactError as error:
            assert str(pristine) in str(error)  # noqa: PT017 - either outcome is right


def test_a_model_that_is_replaced_while_it_is_read_is_read_whole(tmp_path, table_model, array_model):
    target, seen, enough = tmp_path / "m", [], threading.Event()
    write(array_model, target)

    def replace_often():
        while not enough.is_set():
            for model in (table_model, array_model):
                write(model, target, overwrite=True)

    writer = threading.Thread(target=replace_often)
    writer.start()
    try:
        while writer.is_alive() and (len(seen) < 20 or len({model.modality for model in seen}) < 2):
            seen.append(read(target))
    finally:
        enough.set()
        writer.join()
    for model in seen:
        same(model, table_model if model.modality == "table" else array_model)
    assert {model.modality for model in seen} == {"table", "array"}
