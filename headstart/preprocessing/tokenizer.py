"""A folder's tokenizer.json, and what surrounds it, as text preprocessing."""

from __future__ import annotations

import json
from functools import lru_cache
from pathlib import Path
from typing import Any

from headstart.errors import BackboneError
from headstart.preprocessing.config_file import read_config
from headstart.preprocessing.spec import TextPreprocess

__all__ = ["LONGEST", "plain", "text_preprocess"]

LONGEST = 512


def text_preprocess(folder: Path, *, positions: int, vocabulary: int, pad_id: int | None) -> TextPreprocess:
    """From tokenizer.json and the files beside it.

    positions    the most tokens the network has positions for. max_length is the least of this, the tokenizer's
                 model_max_length, sentence-transformers' max_seq_length, and 512
    vocabulary   how many token vectors the network has
    pad_id       the network's own padding token, where the tokenizer names none
    """
    from tokenizers import Tokenizer

    if not (folder / "tokenizer.json").is_file():
        raise BackboneError(
            f"{folder}: no tokenizer.json, so no fast tokenizer. Where transformers can convert the slow one: "
            "AutoTokenizer.from_pretrained(FOLDER).save_pretrained(FOLDER)."
        )
    tokenizer_json = plain((folder / "tokenizer.json").read_text(encoding="utf-8"), str(folder / "tokenizer.json"))
    tokenizer = Tokenizer.from_str(tokenizer_json)
    largest = max(tokenizer.get_vocab(with_added_tokens=True).values(), default=0)
    if largest >= vocabulary:
        raise BackboneError(f"{folder}: tokenizer.json knows token {largest}, the network only {vocabulary} tokens.")
    settings = read_config(folder, "tokenizer_config.json", optional=True)
    sentences = read_config(folder, "sentence_bert_config.json", optional=True)
    limits = [positions, settings.get("model_max_length"), sentences.get("max_seq_length"), LONGEST]
    named = _content(settings.get("pad_token")) or _content(
        read_config(folder, "special_tokens_map.json", optional=True).get("pad_token")
    )
    padding_id = tokenizer.token_to_id(named) if named else pad_id
    return TextPreprocess(
        tokenizer_json=tokenizer_json,
        max_length=min(int(limit) for limit in limits if limit),
        pad_id=padding_id if isinstance(padding_id, int) and 0 <= padding_id < vocabulary else 0,
    )


@lru_cache(maxsize=4)
def plain(tokenizer_json: str, where: str, *, special_tokens: bool = True) -> str:
    """The tokenizer without truncation and padding of its own, and without special tokens where not wanted."""
    from tokenizers import Tokenizer

    try:
        settings = json.loads(tokenizer_json)
        settings |= {"truncation": None, "padding": None}
        if not special_tokens:
            settings["post_processor"] = None
        text = json.dumps(settings, ensure_ascii=False, separators=(",", ":"))
        Tokenizer.from_str(text)
    except Exception as error:  # the tokenizers library raises Exception itself
        raise BackboneError(f"{where}: not a tokenizer that the tokenizers library reads ({error}).") from error
    return text


def _content(token: Any) -> str | None:
    content = token.get("content") if isinstance(token, dict) else token
    return content if isinstance(content, str) else None
