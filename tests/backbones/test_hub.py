import hashlib
import json
import shutil
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

import pytest
from huggingface_hub import constants

from headstart.backbones.hub import repository
from headstart.backbones.load import load
from headstart.errors import BackboneError, MissingWeights

COMMIT = "0123456789abcdef0123456789abcdef01234567"
NOBODY = "http://127.0.0.1:9"


def keep(cache, folder, name):
    """A folder as the hub's own client keeps it."""
    place = cache / ("models--" + name.replace("/", "--"))
    (place / "refs").mkdir(parents=True)
    (place / "refs" / "main").write_text(COMMIT)
    shutil.copytree(folder, place / "snapshots" / COMMIT)
    return place / "snapshots" / COMMIT


class Hub(BaseHTTPRequestHandler):
    """As much of the hub's protocol as its client asks for: what a repository holds, and its files."""

    def __init__(self, folder, asked, *arguments):
        self.folder, self.asked = folder, asked
        super().__init__(*arguments)

    def do_HEAD(self):
        self.do_GET()

    def do_GET(self):
        self.asked.append(self.path)
        content, kind = self.content(), "application/json"
        self.send_response(404 if content is None else 200)
        if content is None:
            self.send_header("X-Error-Code", "RepoNotFound")
            content = b""
        self.send_header("ETag", f'"{hashlib.sha256(content).hexdigest()}"')
        self.send_header("X-Repo-Commit", COMMIT)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        if self.command == "GET":
            self.wfile.write(content)

    def content(self):
        files = sorted(str(path.relative_to(self.folder)) for path in self.folder.rglob("*") if path.is_file())
        if self.path == "/":
            return b"hub"
        if self.path.startswith("/api/models/owner/name/tree/"):
            listed = [{"type": "file", "path": file, "size": 1, "oid": "0"} for file in files]
            return json.dumps(listed).encode()
        if self.path.startswith("/api/models/owner/name"):
            return json.dumps(
                {"id": "owner/name", "sha": COMMIT, "siblings": [{"rfilename": f} for f in files]}
            ).encode()
        file = self.folder / self.path.partition(f"/owner/name/resolve/{COMMIT}/")[2].partition("?")[0]
        return file.read_bytes() if file.is_file() else None

    def log_message(self, *arguments):
        """No log."""


@pytest.fixture
def cache(tmp_path_factory, monkeypatch):
    """An empty cache, and a hub that does not answer."""
    folder = tmp_path_factory.mktemp("cache")
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(folder))
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", False)
    monkeypatch.setattr(constants, "HF_HUB_DISABLE_XET", True)
    monkeypatch.setattr(constants, "ENDPOINT", NOBODY)
    return folder


@pytest.fixture
def serve(monkeypatch, cache):
    """A hub on this machine that holds one folder as owner/name; gives the list of what it was asked."""
    servers = []

    def start(folder):
        asked = []
        server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Hub, folder, asked))
        Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
        address = f"http://127.0.0.1:{server.server_port}"
        monkeypatch.setattr(constants, "ENDPOINT", address)
        monkeypatch.setattr(
            constants, "HUGGINGFACE_CO_URL_TEMPLATE", address + "/{repo_id}/resolve/{revision}/{filename}"
        )
        servers.append(server)
        return asked

    yield start
    for server in servers:
        server.shutdown()
        server.server_close()


@pytest.mark.parametrize("name", ["timm:resnet50", "timm:owner/name", "hf:owner/name"])
def test_without_weights_and_network_it_fails_soon_and_says_what_to_do(cache, name, caplog):
    with pytest.raises(MissingWeights) as error:
        load(name)
    assert "Retrying" not in caplog.text  # the hub's own client does, for half a minute
    words = str(error.value)
    assert "config.json and model*.safetensors of the hub repository" in words
    assert f"Looked in {cache}; the hub at {NOBODY} does not answer" in words
    assert "`hf download " in words
    assert f"copy that folder here and say {name.partition(':')[0]}:path/to/" in words


def test_an_offline_setting_is_obeyed(cache, monkeypatch):
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    with pytest.raises(MissingWeights, match="HF_HUB_OFFLINE is set, so the hub was not asked"):
        load("timm:resnet50")


def test_what_is_on_this_machine_needs_no_network(cache, bert):
    folder = keep(cache, bert, "owner/name")
    assert repository("owner/name", hub="hf") == folder
    assert load("hf:owner/name").fingerprint == load(str(bert)).fingerprint
    assert load("hf:owner/name").name == "hf:owner/name"


def test_timms_own_cache_of_weights_alone_is_enough(cache, timm_folder):
    import timm

    (timm_folder / "config.json").unlink()
    model = timm.create_model("test_resnet")
    timm.models.save_for_hf(model, timm_folder, safe_serialization=True)
    (timm_folder / "config.json").unlink()
    keep(cache, timm_folder, "timm/test_resnet.r160_in1k")
    backbone = load("timm:test_resnet")
    assert (backbone.name, backbone.licence) == ("timm:test_resnet.r160_in1k", "apache-2.0")
    assert backbone.spec == load("timm:test_resnet?weights=random").spec
    assert (backbone.module.conv1[0].weight == model.conv1[0].weight).all()


def test_half_a_repository_is_missing(cache, bert):
    (bert / "model.safetensors").unlink()
    keep(cache, bert, "owner/name")
    with pytest.raises(MissingWeights, match="does not answer"):
        load("hf:owner/name")


def test_what_is_missing_is_fetched_once(serve, bert):
    (bert / "code.py").write_text("raise SystemExit")
    (bert / "pytorch_model.bin").write_bytes(b"not asked for")
    asked = serve(bert)
    first = load("hf:owner/name")
    assert first.fingerprint == load(str(bert)).fingerprint
    fetched = {path.partition(f"{COMMIT}/")[2] for path in asked if "/resolve/" in path}
    assert fetched == {"config.json", "model.safetensors", "tokenizer.json", "tokenizer_config.json"}
    asked.clear()
    assert load("hf:owner/name").fingerprint == first.fingerprint
    assert asked == []


def test_a_repository_without_safetensors_gives_its_other_file(serve, timm_folder):
    import torch
    from safetensors.torch import load_file

    expected = load(str(timm_folder)).fingerprint
    torch.save(load_file(timm_folder / "model.safetensors"), timm_folder / "pytorch_model.bin")
    (timm_folder / "model.safetensors").unlink()
    serve(timm_folder)
    assert load("timm:owner/name").fingerprint == expected


def test_a_repository_that_is_not_there_or_empty(serve, tmp_path):
    serve(tmp_path)
    with pytest.raises(MissingWeights, match=r"the hub says: .*404"):
        load("hf:owner/other")
    with pytest.raises(MissingWeights, match=r"repository holds no config.json with weights beside it"):
        load("hf:owner/name")


@pytest.mark.parametrize("name", ["a/b/c", "", "a//b", "-x"])
def test_a_name_that_no_repository_can_have(cache, name):
    with pytest.raises(BackboneError, match="not a hub repository's name; expected owner/name or a folder"):
        repository(name, hub="hf")
