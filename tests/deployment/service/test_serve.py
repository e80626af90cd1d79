"""The service as a user starts it: workers that die, a model that is replaced, an end under load, a client that
dawdles, and the client of another project."""

from __future__ import annotations

import asyncio
import os
import re
import shutil
import signal
import socket
import sys
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import httpx
import numpy as np
import pytest
from PIL import Image
from serving import LIMIT, Running, command, labels, numbers, pictures, png, running

from headstart.deployment.service.served import fingerprint_of, load_served
from headstart.transfer import Transfer

pytestmark = [pytest.mark.slow, pytest.mark.skipif(sys.platform != "linux", reason="looks into /proc")]

PNG = {"content-type": "image/png"}


@pytest.fixture(scope="module")
def rgb(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return pictures(tmp_path_factory.mktemp("models") / "rgb")


@pytest.fixture(scope="module")
def xyz(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Another model of the same pictures, with other names for their classes."""
    return pictures(tmp_path_factory.mktemp("models") / "xyz", classes="xyz")


@pytest.fixture
def model(rgb: Path, tmp_path: Path) -> Path:
    """A copy that a test may replace."""
    return Path(shutil.copytree(rgb, tmp_path / "model"))


def put_in_place(model: Path, other: Path) -> None:
    """Put another model in the place of one, whole."""
    shutil.copytree(other, model.with_name("next"))
    model.rename(model.with_name("before"))
    model.with_name("next").rename(model)


class Crowd:
    """Clients that ask without end, over connections that stay open; every answer, and every error, is kept."""

    def __init__(self, address: str, count: int = 6) -> None:
        self.replies: list[httpx.Response] = []
        self.errors: list[httpx.HTTPError] = []
        self.changed = asyncio.Event()
        self._client = httpx.AsyncClient(base_url=address, timeout=LIMIT)
        self._stopped = False
        self._tasks = [asyncio.create_task(self._ask(number)) for number in range(count)]

    async def _ask(self, number: int) -> None:
        while not self._stopped:
            try:
                self.replies.append(await self._client.post("/predict", content=png(number), headers=PNG))
            except httpx.HTTPError as error:
                self.errors.append(error)
                if isinstance(error, httpx.ConnectError):
                    return
            self.changed.set()

    async def until(self, what) -> None:
        """Until something holds of what came so far."""
        async with asyncio.timeout(LIMIT):
            while not what(self):
                self.changed.clear()
                await self.changed.wait()

    async def stop(self) -> None:
        self._stopped = True
        await asyncio.gather(*self._tasks)
        await self._client.aclose()


def all_answered(crowd: Crowd) -> bool:
    return {reply.status_code for reply in crowd.replies} == {200} and crowd.errors == []


def fingerprints(crowd: Crowd) -> list[str]:
    return [reply.json()["model"] for reply in crowd.replies]


def test_a_worker_that_is_killed_loses_only_what_it_held_and_another_takes_its_place(rgb):
    async def story(service):
        crowd = Crowd(service.address)
        await crowd.until(lambda crowd: len(crowd.replies) > 10)
        before = service.workers()
        os.kill(before[0], signal.SIGKILL)
        service.says(rf"worker {before[0]} ended \(killed by SIGKILL\)")
        count = len(crowd.replies)
        await crowd.until(lambda crowd: len(crowd.replies) > count + 30)
        await crowd.stop()
        return before, service.workers(), crowd

    with running(rgb, "--workers", 2) as service:
        before, after, crowd = asyncio.run(story(service))
    assert len(after) == 2
    assert len(set(after) & set(before)) == 1
    assert len(crowd.errors) <= 6
    assert {reply.status_code for reply in crowd.replies} == {200}


def test_a_model_is_replaced_without_a_request_that_fails(model, xyz):
    new = fingerprint_of(xyz)

    async def story(service):
        crowd = Crowd(service.address)
        await crowd.until(lambda crowd: len(crowd.replies) > 5)
        put_in_place(model, xyz)
        await crowd.until(lambda crowd: new in fingerprints(crowd))
        service.says("the new model is served")
        await crowd.until(lambda crowd: set(fingerprints(crowd)[-12:]) == {new})
        await crowd.stop()
        return crowd

    with running(model, "--workers", 2) as service:
        crowd = asyncio.run(story(service))
    assert all_answered(crowd)
    assert {labels(reply)[0] for reply in crowd.replies} <= set("rgbxyz")
    assert set(fingerprints(crowd)) == {new, fingerprint_of(model.with_name("before"))}


def test_a_broken_model_is_named_and_the_one_before_goes_on(model):
    known = fingerprint_of(model)
    with running(model, "--workers", 1) as service:
        weights = model / "model.safetensors"
        weights.write_bytes(weights.read_bytes()[:-100])
        service.says("the new model cannot be used, and the one before goes on: .*model.safetensors")
        service.process.send_signal(signal.SIGHUP)
        service.says("the new model cannot be used, and the one before goes on")
        reply = httpx.post(f"{service.address}/predict", content=png(1), headers=PNG, timeout=LIMIT)
        assert (reply.status_code, labels(reply), reply.json()["model"]) == (200, ["g"], known)


def test_an_end_answers_all_that_was_accepted(rgb):
    async def story(service):
        crowd = Crowd(service.address, 12)
        await crowd.until(lambda crowd: len(crowd.replies) > 12)
        service.process.send_signal(signal.SIGTERM)
        await asyncio.to_thread(service.process.wait, LIMIT)
        await crowd.stop()
        return crowd

    with running(rgb, "--workers", 2) as service:
        crowd = asyncio.run(story(service))
    assert service.process.returncode == 0
    assert {reply.status_code for reply in crowd.replies} <= {200}
    assert {type(error) for error in crowd.errors} <= {httpx.ConnectError}


def test_a_client_that_does_not_send_is_ended_and_the_others_are_not(rgb):
    with running(rgb, "--workers", 1, "--client-timeout", 0.5) as service:
        url = httpx.URL(service.address)
        for sent in (b"POST /predict HTTP/1.1\r\nhost: a\r\nx-", b"POST /predict HTTP/1.1\r\nhost: a\r\n"
                     b"content-type: image/png\r\ncontent-length: 9999\r\n\r\nsome", b""):  # fmt: skip
            with socket.create_connection((url.host, url.port), LIMIT) as slow:
                slow.sendall(sent)
                reply = httpx.post(f"{service.address}/predict", content=png(0), headers=PNG, timeout=LIMIT)
                assert reply.status_code == 200
                received = b"".join(iter(lambda: slow.recv(4096), b""))
                assert received.startswith(b"HTTP/1.1 408 ")
                assert b"in time" in received or b"within 0.5 s" in received


def test_a_gigabyte_is_refused_before_it_is_read(rgb):
    with running(rgb, "--workers", 1) as service:
        url = httpx.URL(service.address)
        with socket.create_connection((url.host, url.port), LIMIT) as client:
            client.sendall(b"POST /predict HTTP/1.1\r\nhost: a\r\ncontent-length: 1073741824\r\n\r\n")
            received = b"".join(iter(lambda: client.recv(4096), b""))
    assert received.startswith(b"HTTP/1.1 413 ")
    assert b"the body is more than the limit of 32 MiB a request" in received


def test_a_taken_port_a_missing_token_and_a_missing_model_are_told_before_any_work(rgb, tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        outcomes = [
            told(rgb, "--port", port),
            told(rgb, "--port", 0, "--host", "0.0.0.0"),  # noqa: S104
            told(tmp_path / "none", "--port", 0),
        ]
    assert outcomes[0] == (1, f"headstart: port {port} of 127.0.0.1 is taken: end what listens there, or give another "
                              "--port (0: a free one)\n")  # fmt: skip
    assert outcomes[1][0] == 2
    assert "--host 0.0.0.0 lets others ask, so a token is needed: set HEADSTART_TOKEN" in outcomes[1][1]
    assert outcomes[2][0] == 5


def told(*words: object) -> tuple[int, str]:
    """The exit code and the words of a service that does not come to be."""
    process = command(*words)
    _, err = process.communicate(timeout=LIMIT)
    return process.returncode, err


def widened(folder: Path, to: Path, width: int) -> Path:
    """The same regression whose head has two hidden layers more, of so many units, untrained."""
    fitted = Transfer.load(folder)
    head = fitted.model_.head
    rng = np.random.default_rng(0)
    sizes = (head.width, width, width, 1)
    layers = {
        f"{part}.{layer}": value
        for layer, (size, out) in enumerate(pairwise(sizes))
        for part, value in (
            ("weight", rng.normal(size=(size, out)).astype(np.float32) / size**0.5),
            ("bias", np.zeros(out)),
        )
    }
    wide = replace(head, arrays={name: head.arrays[name] for name in ("mean", "scale")} | layers)
    return fitted.hold(replace(fitted.model_, head=wide, uncertainty=None)).save(to)


def kept_alone(service: Running) -> list[float]:
    """Of each worker the MiB that it has written itself, and so shares with no other process."""
    return [
        int(re.search(r"Private_Dirty:\s+(\d+)", Path(f"/proc/{pid}/smaps_rollup").read_text())[1]) / 1024
        for pid in service.workers()
    ]


def test_workers_share_the_memory_of_the_model(tmp_path):
    """A head of 96 MiB costs a worker, which has used it, less than a quarter of that above what a tiny one costs."""
    small = numbers(tmp_path / "small")
    large = widened(small, tmp_path / "large", 5000)
    assert (large / "model.safetensors").stat().st_size > 90 << 20
    costs = []
    for folder in (small, large):
        with running(folder, "--workers", 2) as service:
            reply = httpx.post(f"{service.address}/predict", json={"rows": [[1.0, 2.0, 3.0]]}, timeout=LIMIT)
            assert reply.status_code == 200
            costs.append(kept_alone(service))
    assert max(costs[1]) < min(costs[0]) + 24


def test_metrics_are_those_of_all_workers(rgb):
    with running(rgb, "--workers", 2) as service:
        for row in range(12):
            with httpx.Client(timeout=LIMIT) as client:  # a connection of its own, for either worker
                assert client.post(f"{service.address}/predict", content=png(row), headers=PNG).status_code == 200
        pages = [httpx.get(f"{service.address}/metrics", timeout=LIMIT).text for _ in range(4)]
    for page in pages:
        assert 'headstart_requests_total{path="/predict",status="200"} 12.0' in page
        assert 'headstart_inputs_total{outcome="answered"} 12.0' in page
        assert f'headstart_model{{fingerprint="{fingerprint_of(rgb)}"}} 2.0' in page


def test_tritons_own_client_gets_the_answers_of_predict(rgb, tmp_path):
    try:
        import tritonclient.http as triton
    except (ImportError, RuntimeError) as error:
        pytest.skip(f"tritonclient[http] is not installed: {error}")
    files = np.array([png(row) for row in range(5)], dtype=object)
    for row, data in enumerate(files):
        (tmp_path / f"{row}.png").write_bytes(data)
    expected = (
        Transfer.load(rgb).set_params(cache=False).predict_proba([str(tmp_path / f"{row}.png") for row in range(5)])
    )
    with running(rgb, "--workers", 1) as service:
        client = triton.InferenceServerClient(service.address.removeprefix("http://"), network_timeout=LIMIT)
        assert client.is_server_live()
        assert client.is_server_ready()
        assert client.is_model_ready("rgb")
        about = client.get_model_metadata("rgb")
        assert about["versions"] == [load_served(rgb).fingerprint]
        asked = triton.InferInput("input", [5], about["inputs"][0]["datatype"])
        asked.set_data_from_numpy(files)
        for outputs in (None, [triton.InferRequestedOutput(name) for name in ("label", "probabilities")]):
            reply = client.infer("rgb", [asked], outputs=outputs, request_id="a")
            assert reply.as_numpy("label").tolist() == [b"r", b"g", b"b", b"r", b"g"]
            np.testing.assert_allclose(reply.as_numpy("probabilities"), expected, rtol=1e-12)
        pixels = np.stack([np.asarray(Image.open(tmp_path / "0.png"))])
        asked = triton.InferInput("input", list(pixels.shape), "UINT8")
        asked.set_data_from_numpy(pixels)
        given = client.infer("rgb", [asked]).as_numpy("probabilities")
        np.testing.assert_allclose(given, expected[:1], rtol=1e-12)
        client.close()
