"""The bad inputs that people have: each is used, set aside by name, or refused in words; nothing crashes."""

from __future__ import annotations

import shutil
import struct
import zlib

import numpy as np
import pandas as pd
import pytest
from demo_data import emoji_folder
from PIL import Image

import headstart
from headstart import Roles, Transfer
from headstart.errors import ArtefactError, DataError

PICTURE = {"backbone": "bundled:mobilenetv2", "method": "prototypes", "engine": "torch"}


def chunk(name: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))


def bomb(side: int = 30_000) -> bytes:
    """A PNG of side x side pixels with almost nothing in it."""
    header = struct.pack(">IIBBBBB", side, side, 8, 2, 0, 0, 0)
    data = zlib.compress(bytes(100_000))
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", data) + chunk(b"IEND", b"")


def put_strange(folder):
    """Pictures that are unusual, and still pictures."""
    draw = np.random.default_rng(0)
    pixels = draw.integers(0, 256, (60, 80, 3), dtype=np.uint8)
    picture = Image.fromarray(pixels)
    picture.convert("CMYK").save(folder / "cmyk.jpg")
    Image.fromarray(draw.integers(0, 65_536, (50, 50)).astype(np.uint16)).save(folder / "sixteen bit.png")
    picture.convert("P").save(folder / "palette.png", transparency=0)
    frames = [picture.rotate(angle) for angle in (10, 20)]
    picture.save(folder / "animated.gif", save_all=True, append_images=frames)
    exif = Image.Exif()
    exif[0x0112] = 6
    picture.save(folder / "gedreht ü 日本.jpg", exif=exif)
    picture.transpose(Image.Transpose.FLIP_TOP_BOTTOM).save(folder / "a space and 'quotes'.jpg")


def put_broken(folder):
    """Files that are no pictures, whatever their names say."""
    picture = Image.fromarray(np.random.default_rng(1).integers(0, 256, (200, 200, 3), dtype=np.uint8))
    picture.save(folder / "cut.jpg")
    whole = (folder / "cut.jpg").read_bytes()
    (folder / "cut.jpg").write_bytes(whole[: len(whole) // 3])
    (folder / "zero.jpg").write_bytes(b"")
    (folder / "words.png").write_text("not a picture")
    (folder / "bomb.png").write_bytes(bomb())


BROKEN = ("cut.jpg", "zero.jpg", "words.png", "bomb.png")
STRANGE = 6


@pytest.fixture(scope="module")
def pictures(tmp_path_factory):
    """A picture folder with everything in it that a picture folder should not have."""
    folder = emoji_folder(tmp_path_factory.mktemp("bad") / "pictures", at_least=60, at_most=10)
    first = sorted(folder.iterdir())[0]
    put_strange(first)
    put_broken(first)
    (first / ".hidden.png").write_bytes(b"x")
    (folder / "empty class").mkdir()
    (first / "loop").symlink_to(folder, target_is_directory=True)
    (first / "nowhere.png").symlink_to(folder / "gone.png")
    return folder


@pytest.fixture(scope="module")
def fitted(pictures):
    return headstart.fit(pictures, allow_losses=True, **PICTURE)


@pytest.fixture(scope="module")
def flowers():
    draw = np.random.default_rng(0)
    colour = np.array(["red", "blue", "white"])[draw.integers(0, 3, 120)]
    length = draw.normal(size=120) + 2 * (colour == "red")
    split = np.where(np.arange(120) % 4, "train", "test")  # one trial in place of fifteen
    kind = np.where(length > 0.7, "rose", "lily")
    return pd.DataFrame({"length": length, "colour": colour, "kind": kind, "split": split})


@pytest.fixture(scope="module")
def of_table(flowers):
    return headstart.fit(flowers, roles=Roles(target="kind"), method="ridge")


def test_broken_pictures_are_set_aside_named_and_counted(fitted):
    facts = fitted.evidence_.facts.model
    why = {item.name.rsplit("/", 1)[-1]: item.why for item in facts.set_aside}
    assert set(why) >= set(BROKEN)
    assert facts.n_set_aside == len(facts.set_aside)
    assert "0 bytes" in why["zero.jpg"]
    assert "nowhere.png" in why
    found = {finding["what"]: finding for finding in fitted.evidence_.findings}
    assert found["inputs that cannot be used"]["count"] == facts.n_set_aside


def test_more_than_a_twentieth_of_broken_pictures_is_an_error(pictures):
    with pytest.raises(DataError, match=r"4 of 40 rows of the data cannot be used.*the file is empty \(0 bytes\)"):
        headstart.fit(pictures, **PICTURE)
    found = {finding.what: finding for finding in headstart.check(pictures).errors}
    assert found["rows that cannot be used as they are"].count == len(BROKEN)


def test_unusual_pictures_are_used(fitted, pictures):
    aside = {item.name.rsplit("/", 1)[-1] for item in fitted.evidence_.facts.model.set_aside}
    assert aside == {*BROKEN, "nowhere.png"}
    files = [path for path in pictures.glob("*/*") if path.is_file() and not path.name.startswith(".")]
    assert len(headstart.check(pictures).keep) <= len(files) - len(BROKEN)


def test_hidden_files_loops_and_empty_classes_are_noted(fitted):
    notes = " ".join(fitted.evidence_.notes)
    assert "hidden" in notes
    assert "loop" in notes
    assert "class 'empty class' has no pictures and is left out" in notes
    assert "empty class" not in fitted.classes_


def test_predict_answers_what_it_can_and_names_the_rest(fitted, tmp_path):
    put_strange(tmp_path)
    put_broken(tmp_path)
    answers = headstart.predict(fitted, tmp_path)
    assert len(answers.names) == STRANGE
    assert {item.name.rsplit("/", 1)[-1] for item in answers.set_aside} == set(BROKEN)
    rows = answers.rows()
    assert [row["name"] for row in rows] == sorted(row["name"] for row in rows)
    assert {row["name"] for row in rows if row["reason"]} == {item.name for item in answers.unanswered}
    assert np.isfinite(answers.values).all()


def test_nothing_readable_at_all_is_refused(tmp_path):
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        put_broken(tmp_path / name)
    with pytest.raises(DataError, match=r"read|picture|rows|class"):
        headstart.fit(tmp_path, **PICTURE)


@pytest.mark.parametrize(
    ("name", "content", "match"),
    [
        ("empty.csv", b"", "empty"),
        ("header.csv", b"text,label\n", "row"),
        ("one class.csv", b"text,label\na b,x\nc d,x\ne f,x\n", "class"),
        ("one a class.csv", b"text,label\na b,x\nc d,y\ne f,z\n", "class"),
        ("no object.jsonl", b"[1, 2]\n[3, 4]\n", "line 1|object"),
        ("not.parquet", b"PAR1 is not enough", "[Pp]arquet"),
        ("sheet.xlsx", b"PK", "save the sheet as CSV"),
    ],
)
def test_unusable_tables_are_refused_in_words(tmp_path, name, content, match):
    (tmp_path / name).write_bytes(content)
    with pytest.raises(DataError, match=match):
        headstart.fit(tmp_path / name, method="ridge")


def test_equal_rows_are_refused_or_counted():
    table = pd.DataFrame({"x": [1.0] * 40, "y": [2.0] * 40, "kind": ["a", "b"] * 20})
    with pytest.raises(DataError, match=r"class|duplicate|same|row"):
        headstart.fit(table, roles=Roles(target="kind"), method="ridge")


def test_nan_and_infinity_have_a_stated_behaviour(flowers):
    holes = flowers.assign(length=flowers["length"].where(flowers.index % 9 != 0, np.nan))
    holes.loc[[4, 5], "length"] = [np.inf, -np.inf]
    model = headstart.fit(holes, roles=Roles(target="kind"), method="ridge")
    assert any("missing" in finding["what"] for finding in model.evidence_.findings)
    assert np.isfinite(model.predict_proba(holes[["length", "colour"]])).all()


def test_a_byte_order_mark_is_harmless(flowers, of_table, tmp_path):
    flowers.to_csv(path := tmp_path / "marked.csv", index=False, encoding="utf-8-sig")
    model = headstart.fit(path, roles=Roles(target="kind"), method="ridge")
    assert model.model_.columns.input == ("length", "colour")


def test_ragged_rows_are_set_aside_or_refused_by_their_line(flowers, tmp_path):
    lines = flowers.to_csv(index=False).splitlines()
    (path := tmp_path / "ragged.csv").write_text(
        "\n".join([*lines[:50], "1.0,red", "1,red,rose,train,more,more", *lines[50:]])
    )
    model = headstart.fit(path, roles=Roles(target="kind"), method="ridge")
    assert len(model.evidence_.facts.model.set_aside) >= 1


def test_a_broken_line_of_jsonl_is_set_aside(flowers, tmp_path):
    lines = flowers.to_json(orient="records", lines=True).splitlines()
    (path := tmp_path / "broken.jsonl").write_text("\n".join([*lines[:20], '{"length": ', *lines[20:]]))
    model = headstart.fit(path, roles=Roles(target="kind"), method="ridge")
    (aside,) = model.evidence_.facts.model.set_aside
    assert "21" in aside.name


@pytest.mark.slow
def test_a_line_of_a_megabyte_is_read(tmp_path):
    rows = [(f"number {i} is {'good' if i % 2 else 'bad'} stuff", "y" if i % 2 else "n") for i in range(40)]
    rows.append(("good " * 200_000, "y"))
    table = pd.DataFrame(rows, columns=["text", "label"]).assign(split=["train", "test", "train"] * 13 + ["train"] * 2)
    table.to_csv(path := tmp_path / "long.csv", index=False)
    model = headstart.fit(path, backbone="bundled:wordllama", method="prototypes", engine="torch")
    assert (model.evidence_.n_train, model.evidence_.n_test) == (28, 13)


def test_wrong_columns_at_predict_name_what_is_missing(of_table, flowers):
    with pytest.raises(DataError, match="length"):
        headstart.predict(of_table, flowers.rename(columns={"length": "size"})[["size", "colour"]])


def test_an_unseen_category_still_has_an_answer(of_table, flowers):
    new = flowers[["length", "colour"]].head(4).assign(colour="purple")
    answers = headstart.predict(of_table, new)
    assert len(answers) == 4
    assert np.isfinite(answers.values).all()


@pytest.mark.parametrize("damage", ["flipped", "cut", "lost", "foreign", "empty"])
def test_a_damaged_artefact_is_refused(of_table, tmp_path, damage):
    folder = of_table.save(tmp_path / "m")
    tensors, config = folder / "model.safetensors", folder / "config.json"
    if damage == "flipped":
        data = bytearray(tensors.read_bytes())
        data[-1] ^= 1
        tensors.write_bytes(data)
    elif damage == "cut":
        tensors.write_bytes(tensors.read_bytes()[:-8])
    elif damage == "lost":
        tensors.unlink()
    elif damage == "foreign":
        config.write_text('{"model_type": "bert"}')
    else:
        shutil.rmtree(folder)
        folder.mkdir()
    with pytest.raises(ArtefactError, match=r"model\.safetensors|config\.json|not"):
        Transfer.load(folder)
