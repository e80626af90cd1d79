"""A third of the bundled MiniLM: two of its six layers and the first 10,000 of its words, as a folder.

Real weights, for tests of what is done to a network and not of how good it is: fits on it take a third of the time.
"""

from __future__ import annotations

import json
from pathlib import Path

from safetensors.torch import load, save_file

from headstart.backbones.bundled import MINILM

__all__ = ["short_minilm"]

LAYERS, WORDS = 2, 10_000
_TABLE = "embeddings.word_embeddings.weight"


def short_minilm(folder: Path) -> Path:
    """Written in transformers' format; the name of a backbone."""
    folder.mkdir(parents=True, exist_ok=True)
    config = json.loads(MINILM.read("model/config.json"))
    config |= {"num_hidden_layers": LAYERS, "vocab_size": WORDS}
    (folder / "config.json").write_text(json.dumps(config))
    tokenizer = json.loads(MINILM.read("model/tokenizer.json"))
    words = tokenizer["model"]["vocab"]
    tokenizer["model"]["vocab"] = {word: number for word, number in words.items() if number < WORDS}
    (folder / "tokenizer.json").write_text(json.dumps(tokenizer))
    tensors = load(MINILM.read("model/model.safetensors"))
    above = tuple(f"encoder.layer.{layer}." for layer in range(LAYERS, 6))
    tensors = {name: tensor for name, tensor in tensors.items() if not name.startswith(("pooler.", *above))}
    tensors[_TABLE] = tensors[_TABLE][:WORDS].clone()
    save_file(tensors, folder / "model.safetensors", metadata={"format": "pt"})
    return folder
