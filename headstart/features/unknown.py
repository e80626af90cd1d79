"""How much of some texts a backbone's tokenizer does not know.

A token is unknown if it is the tokenizer's own token for that ([UNK]), or a single byte of a letter that it has no
token for (<0xE5>). Tokens of a script that was rare in the pretraining may be known and mean little all the same.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from functools import lru_cache
from typing import Any

import numpy as np

from headstart.preprocessing.spec import TextPreprocess
from headstart.preprocessing.tokens import Tokenizer

__all__ = ["MUCH", "unknown_advice", "unknown_share"]

MUCH = 0.1
MOST_TEXTS = 500
MULTILINGUAL = "hf:sentence-transformers/paraphrase-multilingual-MiniLM-L12-v2"
_BYTE = re.compile(r"<0x(?!09|0A|0D)[0-9A-F]{2}>")


def unknown_share(texts: Sequence[Any], preprocess: TextPreprocess) -> float:
    """The share of tokens that are unknown, from 0 to 1, in at most 500 different texts, whatever their order."""
    different = sorted({text for text in texts if isinstance(text, str)})
    drawn = different[:: -(-len(different) // MOST_TEXTS) or 1]
    strange = np.array(sorted(_unknown_ids(preprocess.tokenizer_json)), dtype=np.int64)
    if not drawn or not len(strange):
        return 0.0
    tokenizer = Tokenizer(preprocess)
    without_any = set(tokenizer.tokens("")[0].tolist())  # what begins and ends every text
    ids = np.concatenate([tokenizer.tokens(text)[0] for text in drawn])
    ids = ids[~np.isin(ids, np.array(sorted(without_any - set(strange.tolist())), dtype=np.int64))]
    return float(np.isin(ids, strange).mean()) if len(ids) else 0.0


def unknown_advice(share: float) -> str:
    """What a large share means and what to do, in words."""
    return (
        f"the backbone sees little of these texts: {100 * share:.0f} % of their tokens mean nothing to it. Try one "
        f"that was trained on their language, such as --backbone {MULTILINGUAL}"
    )


@lru_cache(maxsize=3)
def _unknown_ids(tokenizer_json: str) -> frozenset[int]:
    """The ids of unknown tokens. Read once for each of a few tokenizers, since that takes a tenth of a second."""
    model = json.loads(tokenizer_json)["model"]
    vocabulary = model.get("vocab") or {}
    if isinstance(vocabulary, list):  # Unigram: pairs of token and score, by id
        vocabulary = {token: number for number, (token, _) in enumerate(vocabulary)}
    numbers = {number for token, number in vocabulary.items() if model.get("byte_fallback") and _BYTE.fullmatch(token)}
    if model.get("unk_token") in vocabulary:
        numbers.add(vocabulary[model["unk_token"]])
    if isinstance(model.get("unk_id"), int):
        numbers.add(model["unk_id"])
    return frozenset(numbers)
