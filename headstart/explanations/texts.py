"""A text in words; a word that is missing is not in the text. Tokens are merged to the words that they are parts of."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, NamedTuple, cast

import numpy as np
import torch
from torch import Tensor, nn

from headstart.artefact.model import Model
from headstart.backbones.encoders import WordVectors
from headstart.explanations.asking import answers_to_all
from headstart.explanations.attribution import Attribution, Way
from headstart.explanations.integrated import integrated_gradients
from headstart.explanations.network import Network, network_of, slopeless
from headstart.explanations.occlusion import occlusion
from headstart.explanations.overridden import overridden
from headstart.explanations.question import Question
from headstart.features.extraction import Extraction
from headstart.heads.head import Head
from headstart.preprocessing.spec import TextPreprocess
from headstart.preprocessing.tokens import Tokenizer
from headstart.tasks.task import Array

__all__ = ["TextCase", "Word", "words_of"]

_WORD = re.compile("[\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff]|[^\\s\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff]+")
_MASKS = ("[MASK]", "<mask>")


class Word(NamedTuple):
    """Where a word stands in a text: characters from `start` up to `stop`."""

    text: str
    start: int
    stop: int


class TextCase:
    """One text of a model.

    words    what stands between spaces; of Chinese and Japanese each character
    looked   (U,) bool: the words that the backbone looks at; those beyond its window are not
    """

    shape: tuple[int, int] | None = None

    def __init__(self, model: Model, item: Any, extraction: Extraction) -> None:
        self._model, self._extraction = model, extraction
        self.text = str(item)
        self._network = network_of(model)
        self.words = words_of(self.text)
        self.parts = tuple(word.text for word in self.words)
        self.looked = np.ones(len(self.words), bool)
        self._ids: list[int] = []
        self._word_of = np.zeros(0, np.int64)
        self.notes: tuple[str, ...] = ("the text has no words",) if not self.words else ()
        if self._network is not None:
            self._locate(cast(TextPreprocess, self._network.preprocess))

    def ask(self, kept: Array) -> Array:
        """See `Case`."""
        texts = [self._without(row) for row in np.asarray(kept, bool)]
        if self._network is None:
            return answers_to_all(self._model, texts, self._extraction)
        return self._network.predict([self._network.preprocess.prepare(text)[0] for text in texts], self._model.kind)

    @property
    def ways(self) -> Mapping[str, Way]:
        """See `Case`: integrated gradients, of averaged word vectors under a linear head exact; occlusion."""
        ways: dict[str, Way] = {}
        if not self._why:
            ways["integrated-gradients"] = self._integrated
        return ways | {"occlusion": lambda question: occlusion(self, question)}

    @property
    def without(self) -> Mapping[str, str]:
        """See `Case`."""
        return {"integrated-gradients": self._why} if self._why else {}

    @property
    def _why(self) -> str:
        why = slopeless(self._model)
        return why or ("" if self._embedding is not None else "the vectors of its tokens were not found")

    @property
    def _embedding(self) -> nn.Module | None:
        return None if self._network is None else token_vectors(self._network.backbone)

    def _locate(self, preprocess: TextPreprocess) -> None:
        """The tokens, and of each the word that it is a part of, or -1."""
        ids, spans = Tokenizer(preprocess).located(self.text)
        starts = np.array([word.start for word in self.words], np.int64)
        of_word = np.full(len(ids), -1, np.int64)
        for token, (start, stop) in enumerate(spans):
            if stop > start and len(starts):
                of_word[token] = np.searchsorted(starts, stop - 1, side="right") - 1
        self._ids, self._word_of = ids, of_word
        self.looked = np.isin(np.arange(len(self.words)), of_word)
        if ids and not self.looked.all() and self.words:
            beyond = len(self.words) - 1 - int(of_word.max(initial=-1))
            self.notes += (
                (
                    f"the last {beyond:,} of {len(self.words):,} words are beyond the {preprocess.max_length:,} tokens "
                    "that the backbone takes, and were not looked at",
                )
                if beyond
                else ()
            )

    def _without(self, kept: Array) -> str:
        """The text with only these words, and the spaces behind them."""
        ends = [word.start for word in self.words[1:]] + [len(self.text)]
        pieces = [self.text[word.start : end] for word, end in zip(self.words, ends, strict=True)]
        return "".join(piece for piece, stays in zip(pieces, kept, strict=True) if stays)

    def _integrated(self, question: Question) -> Attribution:
        network, embedding = cast(Network, self._network), cast(nn.Module, self._embedding)
        ids, mask = network.tensors([np.array(self._ids, np.int32)])
        with torch.no_grad():
            x = embedding(ids)
        baseline = x.clone()
        baseline[0, self._word_of >= 0] = self._nothing(network, embedding)

        def function(vectors: Tensor) -> Tensor:
            rows = len(vectors)
            with overridden(embedding, vectors):
                return question.of_logits(network.logits(ids.expand(rows, -1), mask.expand(rows, -1)))

        if not len(self._ids):
            return Attribution(np.zeros(len(self.words)))
        values, base, score = integrated_gradients(function, x, baseline)
        of_tokens = values.sum(1)
        of_words = np.bincount(
            self._word_of[self._word_of >= 0], of_tokens[self._word_of >= 0], minlength=len(self.words)
        )
        gap = float(abs(of_words.sum() - (score - base)))
        exact = isinstance(network.backbone, WordVectors) and is_linear(self._model.head)
        note = "exact: the features are a mean of word vectors, and the head is linear" if exact else ""
        return Attribution(of_words, None, base, score, gap, note)

    def _nothing(self, network: Network, embedding: nn.Module) -> Tensor:
        """The vector of a token that says nothing: of averaged vectors that of the mean training row, else that of the
        token for what is masked, else of padding."""
        head = self._model.head
        if isinstance(network.backbone, WordVectors) and is_linear(head):
            return torch.from_numpy(np.asarray(head.arrays["mean"], np.float32))
        preprocess = cast(TextPreprocess, network.preprocess)
        known = Tokenizer(preprocess)
        masked = next((token for name in _MASKS if (token := known.number_of(name)) is not None), preprocess.pad_id)
        with torch.no_grad():
            vector: Tensor = embedding(torch.tensor([[masked]]))[0, 0]
        return vector


def words_of(text: str) -> tuple[Word, ...]:
    """The words of a text, in order."""
    return tuple(Word(match[0], match.start(), match.end()) for match in _WORD.finditer(text))


def token_vectors(module: nn.Module) -> nn.Module | None:
    """The layer that gives each token its vector; None where it is not to be found."""
    if isinstance(module, WordVectors):
        return module.embedding
    for part in module.modules():
        if part is not module and callable(getattr(part, "get_input_embeddings", None)):
            vectors: Any = part.get_input_embeddings()  # type: ignore[operator]
            return cast(nn.Module, vectors)
    tables = [part for part in module.modules() if isinstance(part, nn.Embedding)]
    return tables[0] if len(tables) == 1 else None


def is_linear(head: Head) -> bool:
    """Whether its logits are a linear function of the features."""
    return head.form == "plain" and {"mean", "scale", "weight.0", "bias.0"} >= set(head.arrays) - {"utility"}
