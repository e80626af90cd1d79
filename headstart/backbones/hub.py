"""The Hugging Face hub: what is on this machine first, the network only for what is missing, and soon a clear no."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from queue import SimpleQueue
from threading import Thread
from typing import TYPE_CHECKING, NamedTuple

from headstart.errors import BackboneError, MissingWeights
from headstart.preprocessing.config_file import read_config
from headstart.tasks import AUDIO, IMAGE, TEXT, Modality

if TYPE_CHECKING:
    from huggingface_hub import CachedRevisionInfo

__all__ = ["Stored", "repository", "stored"]

PATIENCE = 2.0
SMALL = (
    *("config.json", "*.safetensors.index.json", "token*.json", "special_tokens_map.json"),
    *("pre*processor_config.json", "processor_config.json", "sentence_bert_config.json", "1_Pooling/config.json"),
    *("modules.json", "*_Dense/config.json", "*_Dense/model.safetensors", "*_Dense/pytorch_model.bin"),
)
CARD = ("README.md",)
SAFE = ("model*.safetensors",)
SOUND_TYPES = ("wav2vec2", "hubert", "wavlm", "audio-spectrogram-transformer", "clap", "clap_audio_model", "whisper")
"""Of a config.json, the model_type of models of sounds that can be read here."""

UNSAFE = ("pytorch_model*.bin", "pytorch_model.bin.index.json")


def repository(name: str, *, hub: str, cache: Path | None = None) -> Path:
    """The folder of a hub repository ("owner/name" or "owner/name@revision"): config.json and weights.

    hub     "timm" or "hf", to name the backbone in messages
    cache   where the hub's files are kept on this machine; by default where `huggingface_hub` keeps them

    The network is asked only where the cache lacks the repository. `MissingWeights` within about two seconds where
    the hub does not answer; `BackboneError` where the name cannot be one.
    """
    from huggingface_hub import constants
    from huggingface_hub.errors import HFValidationError, LocalEntryNotFoundError

    cache = cache or Path(constants.HF_HUB_CACHE)
    for weights in (SAFE, UNSAFE):
        try:
            folder = _snapshot(name, (*SMALL, *weights), cache, local=True)
        except HFValidationError as error:
            raise BackboneError(
                f"{hub}:{name}: not a hub repository's name; expected owner/name or a folder."
            ) from error
        except LocalEntryNotFoundError:
            continue
        if _complete(folder, hub):
            return folder
    return _fetch(name, hub, cache)


class Stored(NamedTuple):
    """A repository of weights in the hub's folder on this machine.

    name             as `load` takes it: hub and name; of timm's own repositories without the owner
    bytes            of its weights
    modality         of its inputs
    """

    name: str
    hub: str
    bytes: int
    modality: Modality


def stored(cache: Path | None = None) -> tuple[Stored, ...]:
    """The repositories of timm and transformers that are whole in the hub's folder, by name; the network is not asked.

    cache   as in `repository`
    """
    from huggingface_hub import CacheNotFound, constants, scan_cache_dir

    try:
        repositories = scan_cache_dir(cache or Path(constants.HF_HUB_CACHE)).repos
    except CacheNotFound:
        return ()
    models = [repo for repo in repositories if repo.repo_type == "model" and repo.revisions]
    listed = [
        _stored(repo.repo_id, max(repo.revisions, key=lambda revision: revision.last_modified)) for repo in models
    ]
    return tuple(sorted(item for item in listed if item is not None))


def _stored(name: str, revision: CachedRevisionInfo) -> Stored | None:
    """None where it is not whole, or nobody here can read it."""
    folder = revision.snapshot_path
    files = [file for file in revision.files if any(file.file_path.match(some) for some in (*SAFE, UNSAFE[0]))]
    size = sum(file.size_on_disk for file in files if file.file_path.match(SAFE[0])) or sum(
        file.size_on_disk for file in files
    )
    config = read_config(folder, optional=True)
    if name.startswith("timm/") or "architecture" in config:
        return Stored(f"timm:{name.removeprefix('timm/')}", "timm", size, IMAGE) if _complete(folder, "timm") else None
    if "model_type" not in config or not _complete(folder, "hf"):
        return None
    pictures = (folder / "preprocessor_config.json").is_file()
    modality = AUDIO if config["model_type"] in SOUND_TYPES else IMAGE if pictures else TEXT
    return Stored(f"hf:{name}", "hf", size, modality)


def _fetch(name: str, hub: str, cache: Path) -> Path:
    from huggingface_hub import constants
    from huggingface_hub.errors import HfHubHTTPError, LocalEntryNotFoundError

    if constants.HF_HUB_OFFLINE:
        raise _missing(name, hub, cache, "HF_HUB_OFFLINE is set, so the hub was not asked")
    if not _answers(constants.ENDPOINT):
        raise _missing(name, hub, cache, f"the hub at {constants.ENDPOINT} does not answer")
    try:
        folder = _snapshot(name, (*SMALL, *CARD, *SAFE), cache)
        if not list(folder.glob(SAFE[0])):
            folder = _snapshot(name, UNSAFE, cache)
    except (HfHubHTTPError, LocalEntryNotFoundError) as error:
        raise _missing(name, hub, cache, f"the hub says: {str(error).splitlines()[0].rstrip('.')}") from error
    if not _complete(folder, hub):
        raise _missing(name, hub, cache, "the hub's repository holds no config.json with weights beside it")
    return folder


def _snapshot(name: str, patterns: Sequence[str], cache: Path, *, local: bool = False) -> Path:
    from huggingface_hub import snapshot_download

    repo, _, revision = name.partition("@")
    folder = snapshot_download(
        repo,
        revision=revision or None,
        cache_dir=cache,
        allow_patterns=list(patterns),
        local_files_only=local,
    )
    return Path(folder)


def _complete(folder: Path, hub: str) -> bool:
    weights = [file for pattern in (*SAFE, UNSAFE[0]) for file in folder.glob(pattern)]
    configured = hub == "timm" or (folder / "config.json").is_file()  # timm itself fetches the weights alone
    return configured and bool(weights)


def _answers(endpoint: str) -> bool:
    """Whether anything answers there, within `PATIENCE` seconds: a name server may take longer than any timeout."""
    answers: SimpleQueue[bool] = SimpleQueue()
    thread = Thread(target=_ask, args=(endpoint, answers), daemon=True)
    thread.start()
    thread.join(PATIENCE)
    return not answers.empty() and answers.get()


def _ask(endpoint: str, answers: SimpleQueue[bool]) -> None:
    from huggingface_hub import get_session

    try:
        get_session().head(endpoint, timeout=PATIENCE)
        answers.put(True)
    except Exception:  # each transport has its own errors, and each of them means no
        answers.put(False)


def _missing(name: str, hub: str, cache: Path, why: str) -> MissingWeights:
    short = name.split("/")[-1].split("@")[0]
    return MissingWeights(
        f"{hub}:{name}: config.json and {SAFE[0]} of the hub repository {name} are not on this machine. "
        f"Looked in {cache}; {why}. On a machine with a network: `hf download {name} --local-dir {short}`; "
        f"then copy that folder here and say {hub}:path/to/{short}."
    )
