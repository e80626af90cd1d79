"""What stands behind "?" in a backbone's name: weights=FILE, weights=random&seed=3, size=96 and so on."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl

from headstart.errors import BackboneError, MissingWeights

__all__ = ["RANDOM", "only_random", "options_of", "seed_of", "side_of", "weights_file"]

RANDOM = "random"
_SIDES = range(32, 1025)
_RANDOM_ALONE = "expected nothing after '?' but weights=random or weights=random&seed=NUMBER"


def options_of(name: str, query: str, known: Collection[str]) -> dict[str, str]:
    """The options by name; `BackboneError` for one that is not known to the hub, is given twice or has no value."""
    pairs = parse_qsl(query, keep_blank_values=True)
    options = dict(pairs)
    if query and (len(options) < len(pairs) or not options.keys() <= set(known) or not all(options.values())):
        if set(known) == {"weights", "seed"}:
            raise BackboneError(f"{name}: {_RANDOM_ALONE}.")
        expected = ", ".join(f"{option}=..." for option in known)
        raise BackboneError(f"{name}: expected nothing after '?' but {expected}.")
    return options


def seed_of(name: str, options: dict[str, str]) -> int | None:
    """The seed of the random weights that a name asks for; None where it asks for the pretrained ones."""
    seed = options.get("seed", "0")
    if ("seed" in options and options.get("weights") != RANDOM) or not seed.isdecimal():
        raise BackboneError(f"{name}: {_RANDOM_ALONE}.")
    return int(seed) if options.get("weights") == RANDOM else None


def only_random(name: str, options: dict[str, str]) -> int | None:
    """As `seed_of`, where a name can ask for no other weights."""
    if options and options.get("weights") != RANDOM:
        raise BackboneError(f"{name}: {_RANDOM_ALONE}.")
    return seed_of(name, options)


def side_of(name: str, options: dict[str, str], default: int) -> int:
    """Pixels of a side of the square that the network sees."""
    text = options.get("size", str(default))
    if not text.isdecimal() or int(text) not in _SIDES:
        raise BackboneError(f"{name}: size={text}; expected pixels of a side, {_SIDES.start} to {_SIDES.stop - 1}.")
    return int(text)


def weights_file(name: str, path: Any) -> Path:
    """The file of weights that a name gives. `MissingWeights` where there is none; a TensorFlow checkpoint, which is a
    folder or several files, is refused with the way to convert it."""
    file = Path(path)
    if file.suffix in (".ckpt", ".index") or file.with_name(f"{file.name}.index").is_file() or _is_checkpoint(file):
        raise BackboneError(
            f"{name}: {file} is a TensorFlow checkpoint, not one file of weights. Where TensorFlow is: "
            "model.load_weights(CHECKPOINT), then model.save_weights('x.weights.h5') or model.save('x.keras')."
        )
    if not file.is_file():
        raise MissingWeights(f"{name}: no file of weights {file}. Looked in {file.absolute().parent}.")
    return file


def _is_checkpoint(folder: Path) -> bool:
    return folder.is_dir() and ((folder / "checkpoint").is_file() or (folder / "saved_model.pb").is_file())
