"""What the service answers, in this process: the very answers of `predict`, and words for what cannot be answered."""

from __future__ import annotations

import asyncio
import io
import json
import re
import threading
import time

import numpy as np
import pandas as pd
import pytest
from PIL import Image
from serving import ask, asking, get, jpeg, labels, loaded, png, probabilities

from headstart.deployment.service.limits import Limits
from headstart.deployment.service.metrics import Metrics
from headstart.deployment.service.served import Served, load_served
from headstart.deployment.service.service import Service
from headstart.deployment.service.trial import try_model
from headstart.errors import DataError
from headstart.features.engines.recorded import last_engine
from headstart.features.engines.rescue import RescuedEngine
from headstart.features.engines.short_batches import same_bits
from headstart.transfer import Transfer


def of_type(kind):
    return {"content-type": kind}


def test_files_are_answered_as_predict_answers_them(saved, tmp_path):
    files = [png(row) if row % 2 else jpeg(row) for row in range(7)]
    paths = [tmp_path / f"{row}" for row in range(7)]
    for path, data in zip(paths, files, strict=True):
        path.write_bytes(data)
    together, *alone = ask(
        saved["image"],
        {"files": [("file", data) for data in files]},
        *[{"content": data, "headers": of_type("image/png")} for data in files],
    )
    model = Transfer.load(saved["image"]).set_params(cache=False)
    expected = model.predict_proba([str(path) for path in paths])
    np.testing.assert_allclose(probabilities(together), expected, rtol=1e-12)
    np.testing.assert_allclose(np.concatenate([probabilities(reply) for reply in alone]), expected, rtol=1e-12)
    assert labels(together) == model.predict([str(path) for path in paths]).tolist()
    assert together.json()["predictions"][0].keys() == {"label", "probabilities", "set", "outlier", "nearest"}
    flags = [row["outlier"] for row in together.json()["predictions"]]
    assert flags == model.out_of_distribution([str(path) for path in paths]).tolist()


def test_the_pixels_that_reach_the_network_are_those_of_predict(saved, tmp_path, monkeypatch):
    batches: list[bytes] = []
    lane = RescuedEngine.lane

    def recorded(engine):
        run = lane(engine)
        return lambda pixels: (batches.append(pixels[:1].tobytes()), run(pixels))[1]

    monkeypatch.setattr(RescuedEngine, "lane", recorded)
    (tmp_path / "one.jpg").write_bytes(jpeg(1, 500))
    Transfer.load(saved["image"]).set_params(cache=False).predict([str(tmp_path / "one.jpg")])
    served = load_served(saved["image"], device="cpu")
    for _ in range(2):  # the second time by the short way of pictures
        ask(served, {"content": jpeg(1, 500), "headers": of_type("image/jpeg")})
    assert len(batches) == 3
    assert batches[0] == batches[1] == batches[2]


def test_one_picture_is_one_row_where_that_gives_the_same_bits(saved):
    served = load_served(saved["image"], device="cpu")
    assert not served.allow_single_inputs(), "it has answered nothing yet"
    [whole] = served.answers([png(1)])
    backbone = served.model.backbone
    assert served.allow_single_inputs() == same_bits(last_engine(backbone), backbone)
    [answer] = served.answers([png(1)])
    assert answer.features.tobytes() == whole.features.tobytes()
    assert not loaded(saved["text"]).allow_single_inputs()


def test_texts_are_answered_as_predict_answers_them(saved, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "secret.txt").write_text("it was great and superb")
    some = ["it was awful", "lovely and fine, I say", "", "secret.txt"]
    model = Transfer.load(saved["text"]).set_params(cache=False)
    json_reply, plain, form = ask(
        saved["text"],
        {"json": {"texts": some}},
        {"content": some[0].encode(), "headers": of_type("text/plain; charset=utf-8")},
        {"files": [("text", (None, some[1]))]},
    )
    expected = model.predict_proba([*some[:3], "secret.txt."])
    np.testing.assert_allclose(probabilities(json_reply)[:3], expected[:3], atol=1e-6)
    np.testing.assert_allclose(probabilities(plain)[0], expected[0], atol=1e-6)
    np.testing.assert_allclose(probabilities(form)[0], expected[1], atol=1e-6)
    read = model.predict_proba(["it was great and superb"])[0]
    assert abs(probabilities(json_reply)[3] - read).max() > 0.01  # a text is never the name of a file here


def test_rows_of_a_table_are_answered_as_predict_answers_them(saved):
    rows = [
        {"age": 30, "height": 0.5, "city": "Oslo"},
        {"age": "51", "height": None, "city": "Bern"},
        {"age": float("nan"), "height": 1, "city": "Rome"},
    ]
    model = Transfer.load(saved["table"])
    objects, lists, more = ask(
        saved["table"],
        {"content": json.dumps({"rows": rows}), "headers": of_type("application/json")},
        {"json": {"rows": [[30, 0.5, "Oslo"]]}},
        {"json": {"rows": [rows[0] | {"shoe": 44}]}},
    )
    np.testing.assert_allclose(probabilities(objects), model.predict_proba(pd.DataFrame(rows)), rtol=1e-12)
    np.testing.assert_allclose(probabilities(lists), probabilities(objects)[:1], rtol=1e-12)
    np.testing.assert_allclose(probabilities(more), probabilities(objects)[:1], rtol=1e-12)
    assert more.json()["notes"] == ["columns that the model does not read: 'shoe'"]


def test_a_regression_gives_values_and_intervals(saved):
    model = Transfer.load(saved["array"])
    x = np.random.default_rng(1).normal(size=(4, 3))
    (reply,) = ask(saved["array"], {"url": "/predict?coverage=0.8", "json": {"rows": x.tolist()}})
    rows = reply.json()["predictions"]
    np.testing.assert_array_equal([row["value"] for row in rows], model.predict(x))
    np.testing.assert_array_equal([row["interval"] for row in rows], model.predict_interval(x, 0.8))


def test_sets_are_those_of_predict_set(saved, tmp_path):
    (tmp_path / "one.png").write_bytes(png(4))
    (reply,) = ask(saved["image"], {"url": "/predict?coverage=.9", "content": png(4), "headers": of_type("image/png")})
    model = Transfer.load(saved["image"]).set_params(cache=False)
    inside = model.predict_set([str(tmp_path / "one.png")], 0.9)[0]
    assert reply.json()["predictions"][0]["set"] == model.classes_[inside].tolist()


HALF = jpeg(2, 400)[:900]


@pytest.mark.parametrize(
    ("modality", "request_", "status", "words"),
    [
        ("image", {"content": HALF, "headers": of_type("image/jpeg")}, 422, "no input could be read; the first: "),
        ("image", {"content": b"", "headers": of_type("image/png")}, 422, "holds no input: the model reads pictures"),
        ("image", {"json": {"texts": ["a"]}}, 415, "JSON with 'texts' cannot be read here: the model reads pictures"),
        ("image", {"content": b"a", "headers": of_type("audio/wav")}, 415, "'audio/wav' cannot be read here"),
        ("image", {"content": b"--x", "headers": of_type("multipart/form-data")}, 400, "no multipart/form-data"),
        ("text", {"json": {"texts": "a"}}, 422, '"texts" is to be a list of strings'),
        ("text", {"json": {"rows": [{"a": 1}]}}, 422, "rows lack"),
        ("text", {"content": b"\xff", "headers": of_type("text/plain")}, 422, "not UTF-8"),
        ("text", {"content": png(0), "headers": of_type("image/png")}, 415, "the model reads texts"),
        ("table", {"content": b"{", "headers": of_type("application/json")}, 400, "no JSON: .* in line 1, column 2"),
        ("table", {"json": {"rows": []}}, 422, "at least one row"),
        ("table", {"json": {"rows": [{"age": [1]}]}}, 422, "row 0 holds a list or an object in a cell"),
        ("table", {"json": {"rows": [[1, 2]]}}, 422, "row 0 has 2 values, and the model reads 3 columns"),
        ("table", {"json": {"rows": [{"age": 1, "heigth": 2, "city": "Rome"}]}}, 422, "height"),
        ("table", {"json": [1]}, 422, "the model reads rows of a table: .* its columns are 'age', 'height', 'city'"),
        ("table", {"content": b"a,b", "headers": of_type("text/csv")}, 415, "'text/csv' cannot be read here"),
        ("array", {"json": {"rows": [[1, 2]]}}, 422, "features"),
        ("array", {"url": "/predict?coverage=2", "json": {"rows": [[1, 2, 3]]}}, 422, "coverage"),
        ("array", {"url": "/predict?coverage=x", "json": {"rows": [[1, 2, 3]]}}, 422, "coverage is 'x': expected a n"),
        (
            "array",
            {"url": "/predict?nearest=99", "json": {"rows": [[1, 2, 3]]}},
            422,
            "expected a whole number up to 20",
        ),
        ("array", {"url": "/predict?top=3", "json": {"rows": [[1, 2, 3]]}}, 422, "'top' is nothing to ask for"),
        ("array", {"url": "/predikt"}, 404, "there is no such path"),
        ("array", {"method": "GET"}, 405, "not by GET"),
    ],
)
def test_what_cannot_be_answered_is_told_in_words(saved, modality, request_, status, words):
    (reply,) = ask(saved[modality], request_)
    assert reply.status_code == status
    assert re.search(words, reply.json()["error"]), reply.text


def test_one_bad_file_of_several_has_a_reason_and_the_others_answers(saved):
    (reply,) = ask(saved["image"], {"files": [("file", png(0)), ("file", HALF), ("file", png(1))]})
    first, second, third = reply.json()["predictions"]
    assert (reply.status_code, first["label"], third["label"]) == (200, "r", "g")
    assert second["label"] is None
    assert "damaged" in second["error"] or "cut off" in second["error"] or "truncated" in second["error"]


def test_a_picture_bomb_is_an_error_of_its_own(saved):
    file = io.BytesIO()
    Image.new("1", (20_000, 20_000)).save(file, "PNG")
    bomb, good = ask(
        saved["image"], *[{"content": data, "headers": of_type("image/png")} for data in (file.getvalue(), png(0))]
    )
    assert (bomb.status_code, good.status_code) == (422, 200)
    assert "pixels" in bomb.json()["error"]


def test_too_much_is_refused_and_nothing_is_read_twice(saved):
    limits = Limits(rows=5, body=2000)
    rows, body, fits = ask(
        saved["array"],
        {"json": {"rows": [[1, 2, 3]] * 6}},
        {"content": b" " * 2001, "headers": of_type("application/json")},
        {"json": {"rows": [[1, 2, 3]] * 5}},
        limits=limits,
    )
    assert [rows.status_code, body.status_code, fits.status_code] == [413, 413, 200]
    assert "6 inputs is more than the limit of 5 a request" in rows.json()["error"]
    assert "0.00191 MiB" in body.json()["error"]
    assert len(fits.json()["predictions"]) == 5


def test_ten_thousand_rows_at_once_are_the_rows_of_predict(saved):
    x = np.random.default_rng(2).normal(size=(10_000, 3))
    (reply,) = ask(saved["array"], {"json": {"rows": x.tolist()}})
    values = [row["value"] for row in reply.json()["predictions"]]
    np.testing.assert_array_equal(values, Transfer.load(saved["array"]).predict(x))


def test_rows_of_many_requests_are_answered_together_as_each_by_itself(saved, monkeypatch):
    """Cells of every kind, a request whose columns differ, one that cannot be read, one whose rows are not alike."""
    some = [
        [{"age": 30, "height": 0.5, "city": "Oslo"}],
        [{"age": 41, "height": 1.5, "city": "Rome"}],
        [{"age": "51", "height": None, "city": "Bern"}],
        [{"age": 44.5, "height": -1, "city": None}],
        [{"city": "Rome", "age": True, "height": 2}],
        [{"age": 30, "height": 0.5, "city": "Oslo", "shoe": 44}],
        [{"age": 30, "height": 0.5}],
        [[30, 0.5, "Oslo"]],
        [{"age": 12, "height": 0.5, "city": "Oslo"}, {"age": "x", "height": "", "city": 3}],
    ]
    served, answers, sizes, go = loaded(saved["table"]), Served.answers, [], threading.Event()

    def held(self, items):
        assert go.wait(60)
        sizes.append(len(items))
        return answers(self, items)

    async def everything(service):
        asked = [asyncio.create_task(service.ask(rows)) for rows in some * 3]
        await asyncio.sleep(0)
        go.set()
        return await asyncio.gather(*asked, return_exceptions=True)

    def alone(rows):
        try:
            return answers(served, rows)
        except DataError as error:
            return error

    monkeypatch.setattr(Served, "answers", held)
    service = Service(served, Limits(), Metrics())
    together = asyncio.run(everything(service))
    service.stop()
    expected = [alone(rows) for rows in some]
    assert max(sizes) >= 5
    assert isinstance(expected[6], DataError)
    for place, own in enumerate(together):
        by_itself = expected[place % len(some)]
        if isinstance(by_itself, DataError):
            assert str(own) == str(by_itself)
            continue
        for given, wanted in zip(own, by_itself, strict=True):
            assert given.why == wanted.why
            if wanted.values is not None:
                np.testing.assert_allclose(given.values, wanted.values, rtol=1e-12)


def test_a_token_is_asked_for_everywhere_but_where_a_balancer_looks(saved):
    token = "-".join("aWordOfItsOwn")
    paths = ["/model", "/metrics", "/v2", "/health", "/ready", "/v2/health/live", "/v2/health/ready"]
    assert [reply.status_code for reply in get(saved["array"], *paths, token=token)] == [401] * 3 + [200] * 4
    wrong, right = ask(
        saved["array"],
        *[{"json": {"rows": [[1, 2, 3]]}, "headers": {"authorization": f"Bearer {word}"}} for word in ("no", token)],
        token=token,
    )
    assert (wrong.status_code, right.status_code) == (401, 200)
    assert wrong.headers["www-authenticate"] == "Bearer"


def test_no_other_origin_may_ask_unless_it_was_named(saved):
    origin = {"headers": {"origin": "https://example.org"}, "method": "GET", "url": "/model"}
    assert "access-control-allow-origin" not in ask(saved["array"], origin)[0].headers
    named = ask(saved["array"], origin, cors=["https://example.org"])[0]
    assert named.headers["access-control-allow-origin"] == "https://example.org"


def test_the_model_tells_what_it_is(saved):
    model, ready, live = get(saved["image"], "/model", "/ready", "/v2/health/live")
    told = model.json()
    assert (told["modality"], told["classes"], told["backbone"]) == (
        "image",
        ["b", "g", "r"],
        "timm:test_resnet?weights=random",
    )
    assert told["card"] == (saved["image"] / "README.md").read_text()
    assert ready.json() == {"ready": True, "model": told["model"]}
    assert live.json() == {"live": True}


def test_metrics_count_what_was_asked(saved):
    async def everything(client):
        async with client:
            for data in (png(0), png(1), HALF):
                await client.post("/predict", content=data, headers=of_type("image/png"))
            await client.get("/nowhere")
            text, until = "", time.monotonic() + 30  # a batch is counted after its answers are given
            while "headstart_batch_inputs_count 3.0" not in text and time.monotonic() < until:
                text = (await client.get("/metrics")).text
            return text

    with asking(saved["image"]) as client:
        text = asyncio.run(everything(client))
    assert 'headstart_requests_total{path="/predict",status="200"} 2.0' in text
    assert 'headstart_requests_total{path="/predict",status="422"} 1.0' in text
    assert 'headstart_requests_total{path="other",status="404"} 1.0' in text
    assert 'headstart_inputs_total{outcome="unreadable"} 1.0' in text
    assert "headstart_batch_inputs_count 3.0" in text


def test_nothing_of_what_was_asked_is_said_or_kept(saved, capfd, monkeypatch, tmp_path):
    monkeypatch.setenv("HEADSTART_CACHE", str(tmp_path))
    word = "a-word-that-nobody-else-writes"
    served = loaded(saved["text"])

    def fails(items):
        raise ZeroDivisionError(word)

    good, bad = ask(served, {"json": {"texts": [word]}}, {"content": word, "headers": of_type("application/json")})
    assert (good.status_code, bad.status_code) == (200, 400)
    monkeypatch.setattr(type(served), "answers", lambda self, items: fails(items))
    (failed,) = ask(served, {"json": {"texts": [word]}})
    assert (failed.status_code, failed.json()["error"]) == (
        500,
        "the service failed (ZeroDivisionError), which is a fault of its own",
    )
    out, err = capfd.readouterr()
    assert "ZeroDivisionError at fails" in err
    assert word not in out + err
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []


@pytest.mark.parametrize("modality", ["image", "text", "table", "array"])
def test_each_model_is_tried_before_it_is_served(saved, modality):
    try_model(loaded(saved[modality]))
