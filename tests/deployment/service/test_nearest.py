"""The nearest training rows in the answers of a service: cosines as by hand, and only where they were asked for."""

from __future__ import annotations

import asyncio
import base64
import io
import shutil
import signal
from dataclasses import replace
from pathlib import Path

import httpx
import numpy as np
import pandas as pd
import pytest
from PIL import Image
from serving import LIMIT, asking, jpeg, running
from small import RESNET

import headstart as hs
from headstart.data.roles import Roles
from headstart.deployment.service.served import Served, load_served
from headstart.deployment.service.training_examples import Unavailable, load_training_examples, read_training_examples
from headstart.deployment.service.training_rows_file import write
from headstart.evidence.origin import WITHHELD
from headstart.study.origin import origin_of

JPEG = {"content-type": "image/jpeg"}


@pytest.fixture(scope="module")
def table(tmp_path_factory):
    """A model of people, their table in a file, and the table."""
    folder = tmp_path_factory.mktemp("people")
    rng = np.random.default_rng(0)
    frame = pd.DataFrame({"age": rng.normal(40, 9, 60).round(1), "height": rng.normal(170, 9, 60).round(1)})
    frame["label"] = np.where(frame["age"] > 40, "old", "young")
    frame.to_csv(folder / "people.csv", index=False)
    model = hs.Transfer(method="ridge", cache=False).fit(frame.drop(columns="label"), frame["label"])
    return model.save(folder / "model"), folder / "people.csv", frame


@pytest.fixture(scope="module")
def pictures(tmp_path_factory):
    """Bright channels in a folder of folders, and a model of them."""
    folder = tmp_path_factory.mktemp("pictures")
    for row in range(30):
        place = folder / "data" / "rgb"[row % 3]
        place.mkdir(parents=True, exist_ok=True)
        (place / f"{row}.jpg").write_bytes(jpeg(row))
    files = sorted(map(str, (folder / "data").rglob("*.jpg")))
    model = hs.Transfer(RESNET, engine="torch", method="ridge", cache=False)
    model.fit(files, [Path(file).parent.name for file in files])
    return model.save(folder / "model"), folder / "data"


def with_examples(folder, data, place) -> Served:
    """A served model with its training rows, which are read in this process."""
    place.mkdir()
    write(str(folder), str(data), "cpu", str(place))
    return replace(load_served(folder, device="cpu"), examples=read_training_examples(place))


@pytest.fixture(scope="module")
def served_table(table, tmp_path_factory):
    return with_examples(*table[:2], tmp_path_factory.mktemp("rows") / "of-the-table")


def replies(served, *requests):
    async def everything(client):
        async with client:
            return [await client.request(**({"method": "POST", "url": "/predict"} | request)) for request in requests]

    with asking(served) as client:
        return asyncio.run(everything(client))


def test_they_are_the_rows_of_the_largest_cosine_of_standardised_features(table, served_table):
    folder, _, frame = table
    new = [{"age": 30.5, "height": 171.0}, {"age": 55.0, "height": 160.5}]
    (reply,) = replies(served_table, {"url": "/predict?nearest=4", "json": {"rows": new}})
    model = hs.Transfer.load(folder)
    head = model.model_.head.arrays
    both = [model.transform(some) for some in (pd.DataFrame(new), frame.drop(columns="label"))]
    x, y = ((some - head["mean"]) / head["scale"] for some in both)
    cosines = (x @ y.T) / np.linalg.norm(x, axis=1)[:, None] / np.linalg.norm(y, axis=1)
    for row, own in zip(reply.json()["predictions"], cosines, strict=True):
        places = np.argsort(-own)[:4]
        assert [near["label"] for near in row["nearest"]] == frame["label"].iloc[places].tolist()
        np.testing.assert_allclose([near["similarity"] for near in row["nearest"]], own[places], atol=2e-6)
        first = frame.iloc[places[0]]
        assert row["nearest"][0]["text"] == f"age = {first['age']}, height = {first['height']}"


def test_a_missing_cell_and_as_many_rows_as_may_be_asked_for_have_neighbours_too(served_table):
    rows = [{"age": None, "height": 160.0}]
    (reply,) = replies(served_table, {"url": "/predict?nearest=20", "json": {"rows": rows}})
    near = reply.json()["predictions"][0]["nearest"]
    assert len({row["name"] for row in near}) == 20
    assert [row["similarity"] for row in near] == sorted((row["similarity"] for row in near), reverse=True)


@pytest.mark.slow
def test_a_picture_comes_with_its_name_within_the_data_and_small(pictures, tmp_path):
    folder, data = pictures
    served = with_examples(folder, data, tmp_path / "rows")
    (data / "r" / "0.jpg").rename(tmp_path / "0.jpg")
    try:
        requests = [{"url": "/predict?nearest=2", "content": jpeg(row), "headers": JPEG} for row in (1, 0)]
        itself, gone = (reply.json()["predictions"][0]["nearest"] for reply in replies(served, *requests))
    finally:
        (tmp_path / "0.jpg").rename(data / "r" / "0.jpg")
    assert (itself[0]["name"], itself[0]["label"]) == ("g/1.jpg", "g")
    assert itself[0]["similarity"] == pytest.approx(1, abs=1e-6)
    head, _, picture = itself[0]["picture"].partition(",")
    assert head == "data:image/jpeg;base64"
    shown = np.asarray(Image.open(io.BytesIO(base64.b64decode(picture)))).mean(axis=(0, 1))
    assert shown.argmax() == 1
    assert (gone[0]["name"], "picture" in gone[0], "picture" in gone[1]) == ("r/0.jpg", False, True)


@pytest.mark.slow
def test_no_folder_above_the_data_is_told(pictures, tmp_path):
    folder, data = pictures
    served = with_examples(folder, data, tmp_path / "rows")
    (reply,) = replies(served, {"url": "/predict?nearest=20", "content": jpeg(1), "headers": JPEG})
    assert str(data) not in reply.text


def test_a_service_that_was_not_asked_to_shows_none_and_says_how(table):
    rows = {"url": "/predict?nearest=3", "json": {"rows": [{"age": 30, "height": 170}]}}
    reply, about = replies(load_served(table[0], device="cpu"), rows, {"method": "GET", "url": "/model"})
    assert reply.json()["predictions"][0]["nearest"] is None
    assert about.json()["nearest"] == {"rows": 0, "why": "the service was not asked to show them (--nearest)"}


def test_the_model_says_how_many_rows_there_are_and_a_request_that_did_not_ask_gets_none(table, served_table):
    rows = [{"age": 30, "height": 170}]
    about, plain, many = replies(
        served_table,
        {"method": "GET", "url": "/model"},
        {"json": {"rows": rows}},
        {"url": "/predict?nearest=1", "json": {"rows": rows * 257}},
    )
    assert about.json()["nearest"] == {"rows": len(table[2])}
    assert plain.json()["predictions"][0]["nearest"] is None
    assert (many.status_code, many.json()["error"][:29]) == (413, "257 inputs with nearest rows ")


@pytest.mark.parametrize("number", ["21", "-1", "x", "1.5", "99999999999", ""])
def test_a_number_that_cannot_be_is_refused(table, number):
    (reply,) = replies(
        load_served(table[0], device="cpu"), {"url": f"/predict?nearest={number}", "json": {"rows": [[1, 2]]}}
    )
    assert reply.status_code == 422
    assert "expected a whole number up to 20" in reply.json()["error"]


def test_data_that_are_gone_or_withheld_or_unknown_are_told(table, tmp_path):
    folder, _, frame = table
    model = hs.Transfer.load(folder).model_

    def why(evidence, place=None):
        with pytest.raises(Unavailable) as error:
            load_training_examples(folder, replace(model, evidence=evidence), place, "cpu")
        return str(error.value)

    assert "are not where they were; give --data" in why(model.evidence, str(tmp_path / "none"))
    assert "does not know where" in why(None)
    assert "keeps no provenance" in why({"origin": WITHHELD.to_json()})
    assert "are not where they were" in why({"origin": origin_of(tmp_path / "none", roles=Roles()).to_json()})
    frame.drop(columns="age").to_csv(tmp_path / "other.csv", index=False)
    write(str(folder), str(tmp_path / "other.csv"), "cpu", str(tmp_path))
    with pytest.raises(Unavailable, match=r"the training data cannot be read: .*age"):
        read_training_examples(tmp_path)


def test_a_model_of_words_has_none(tmp_path):
    texts = [f"it was {word} {end}" for word in ("good", "bad") for end in "abcdefghij"]
    frame = pd.DataFrame({"text": texts, "label": ["good"] * 10 + ["bad"] * 10})
    frame.to_csv(tmp_path / "words.csv", index=False)
    model = hs.Transfer(method="no-transfer", cache=False).fit(texts, frame["label"])
    write(str(model.save(tmp_path / "model")), str(tmp_path / "words.csv"), "cpu", str(tmp_path))
    with pytest.raises(Unavailable, match="the model stands on the words of texts, and not on features"):
        read_training_examples(tmp_path)


@pytest.mark.slow
def test_all_workers_of_a_service_show_them_and_a_replaced_model_its_own(table, tmp_path):
    folder, data, _ = table
    model = shutil.copytree(folder, tmp_path / "model")
    rows = {"rows": [{"age": 30.5, "height": 171.0}]}
    with running(model, "--workers", 2, "--nearest", "--data", data) as service:
        seen = [httpx.post(f"{service.address}/predict?nearest=3", json=rows, timeout=LIMIT).json() for _ in range(8)]
        near = [reply["predictions"][0]["nearest"] for reply in seen]
        assert len(near[0]) == 3
        assert near == [near[0]] * 8
        data.rename(data.with_name("moved.csv"))
        try:
            service.process.send_signal(signal.SIGHUP)
            service.says("the new model is served")
            about = httpx.get(f"{service.address}/model", timeout=LIMIT).json()
        finally:
            data.with_name("moved.csv").rename(data)
    assert about["nearest"] == {"rows": 0, "why": "the training data are not where they were; give --data DATA"}
