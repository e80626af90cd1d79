"""Many processes of this machine do what one does: the same bits, whatever becomes of them; and what is refused."""

import json
import os
import signal
import socket
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from headstart.distributed import cluster
from headstart.distributed.filling import FEW, filled
from headstart.errors import CacheError, ClusterError
from headstart.features.cache.cache import Cache
from headstart.features.extract import Extraction, extract
from headstart.features.workers import each, using, workers
from headstart.listener import SILENT

SUPPORT = Path(__file__).parents[1] / "support"
SECONDS = 600


@pytest.fixture(scope="module")
def told(tmp_path_factory):
    """What `support/ray_session.py` says that happened in a process of its own, ended where it does not end in time."""
    pytest.importorskip("ray")
    folder = tmp_path_factory.mktemp("ray")
    places = [str(Path(__file__).parents[2]), str(SUPPORT), os.environ.get("PYTHONPATH", "")]
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(places), "OMP_NUM_THREADS": "1"}
    with subprocess.Popen(
        [sys.executable, SUPPORT / "ray_session.py", folder],
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    ) as process:
        try:
            _, errors = process.communicate(timeout=SECONDS)
        except BaseException:
            os.killpg(process.pid, signal.SIGKILL)
            raise
    assert process.returncode == 0, errors[-3000:]
    return json.loads((folder / "told.json").read_text(encoding="utf-8"))


@pytest.mark.slow
def test_pictures_by_many_processes_are_the_same_bits_in_the_same_cache(told):
    pictures = told["pictures"]
    assert told["cluster"] == "1 machine, 2 cores"
    assert (pictures["there"], pictures["same"], pictures["same without a cache"]) == (True, True, True)
    assert len(pictures["failed"]) == 2
    assert pictures["failed"][1] == "there is no such file"
    plain, parts = pictures["namespaces"]
    assert [each[:2] for each in plain] == [each[:2] for each in parts]
    assert [each[0] for each in parts] == ["features", "thumbs"]


@pytest.mark.slow
def test_progress_rises_to_all_inputs(told):
    assert told["pictures"]["told"] == [[153, 153], True]


@pytest.mark.slow
def test_texts_whose_batches_hang_on_their_lengths_are_the_same_bits(told):
    assert told["texts"] is True


@pytest.mark.slow
def test_a_process_that_is_killed_costs_its_batch_and_not_the_run(told):
    assert told["killed"] == {"victims": 1, "gone": True, "same": True}


@pytest.mark.slow
def test_trials_and_ways_say_what_one_process_says(told):
    assert (told["fit"], told["compare"]) == (True, True)
    assert told["stages"] == {"trials": [14, 14], "fits": [15, 15]}


@pytest.mark.slow
def test_a_cluster_of_other_versions_is_refused_by_both_names(told):
    words, same = told["versions"]
    assert "Python 3.11" in words or "Python 3.1" in words
    assert "3.0.1 here" in words
    assert same is None


@pytest.mark.slow
def test_what_was_started_is_ended(told):
    assert told["ended"] == [True, [], True]


@pytest.mark.parametrize(
    "address", ["", "lokal", "host", "host:", "host:0", "host:99999", "http://host:80", "ray://host"]
)
def test_what_is_no_address_is_refused(address):
    with (
        pytest.raises(ValueError, match=r"--cluster .*: expected local, HOST:PORT, .*, or ray://HOST:PORT"),
        cluster(address),
    ):
        pass


def test_no_core_is_refused():
    with pytest.raises(ValueError, match="cores"), cluster("local", cores=0):
        pass


@pytest.fixture
def port():
    """A port of this machine on which something listens, and what it is to answer."""
    answers = []
    with socket.create_server(("127.0.0.1", 0)) as server:

        def serve():
            line, _ = server.accept()
            with line:
                line.recv(64)
                line.sendall(answers[0])

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield server.getsockname()[1], answers
        thread.join(10)


def test_an_address_where_nobody_listens_is_named_at_once():
    pytest.importorskip("ray")
    with socket.create_server(("127.0.0.1", 0)) as server:
        free = server.getsockname()[1]
    with (
        pytest.raises(ClusterError, match=rf"127.0.0.1:{free}: nobody answers there \(.*\); start .*ray start --head"),
        cluster(f"127.0.0.1:{free}", timeout=5),
    ):
        pass


def test_a_server_that_is_no_ray_is_named(port):
    pytest.importorskip("ray")
    number, answers = port
    answers.append(b"HTTP/1.1 400 Bad Request\r\n\r\n")
    with pytest.raises(ClusterError, match="what answers there is no Ray"), cluster(f"ray://127.0.0.1:{number}"):
        pass


def test_without_ray_the_extra_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "ray", None)
    with pytest.raises(ImportError, match=r"pip install 'headstart\[ray\]'"), cluster("local"):
        pass


class Few:
    """Workers that are not asked."""

    ray, cores, gpus, listener = None, 2, 0, SILENT

    def filled(self, inputs, backbone, extraction, progress):
        return filled(self, inputs, backbone, extraction, progress)

    def each(self, function, arguments, stage, listener):
        return [("told", function(argument)) for argument in arguments]


def test_a_few_inputs_are_computed_here(tiny, photos, cache):
    how = Extraction(engine="torch", precision="float32", cache=cache, lanes=1)
    assert len(photos) < FEW
    with using(Few()):
        here = extract(photos, tiny, how)
    plain = extract(photos, tiny, Extraction(engine="torch", precision="float32", cache=None, lanes=1))
    assert (here.values == plain.values).all()
    assert here.keys == plain.keys


def test_a_cache_too_small_for_all_features_is_refused_before_any_work(tiny, photos, tmp_path):
    small = Extraction(cache=Cache(tmp_path / "small", limit_bytes=1000))
    with (
        using(Few()),
        pytest.raises(CacheError, match=r"features of 40 inputs take .* and the cache .* at most"),
    ):
        extract(photos, tiny, small)


def test_arguments_are_given_to_the_workers_of_the_context_alone():
    assert workers() is None
    assert each(str, [1, 2], "stage") == ["1", "2"]
    with using(Few()):
        assert each(str, [1, 2], "stage") == [("told", "1"), ("told", "2")]
        assert each(str, [1], "stage") == ["1"]
    assert workers() is None
