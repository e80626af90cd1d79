"""The languages of a report: sentences by key, with names in braces that values are put for."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from headstart.messages import few, nearest_hint
from headstart.reports import chinese, english
from headstart.tasks.goal import in_words

__all__ = ["LANGUAGES", "Words", "words_of"]

LANGUAGES: Mapping[str, Mapping[str, str]] = {"en": english.MESSAGES, "zh": chinese.MESSAGES}
_METRICS = {
    "accuracy": "准确率", "balanced_accuracy": "平衡准确率", "macro_precision": "宏平均精确率",
    "macro_recall": "宏平均召回率", "macro_f1": "宏平均 F1", "micro_f1": "微平均 F1", "log_loss": "对数损失",
    "auroc": "AUROC", "average_precision": "平均精确率", "calibration_error": "校准误差", "f1": "F1", "cost": "代价",
    "r2": "R2", "mae": "平均绝对误差", "rmse": "均方根误差",
}  # fmt: skip
"""What scores are called in Chinese; in English see `tasks.goal`."""


class Words(NamedTuple):
    """A language: its code, as HTML writes it, and its sentences."""

    code: str
    sentences: Mapping[str, str]

    def __call__(self, key: str, /, **values: object) -> str:
        """The sentence of this key with these values; KeyError for a key that there is not."""
        return self.sentences[key].format(**values)

    def metric(self, name: str) -> str:
        """The name of a score."""
        return _METRICS.get(name, in_words(name)) if self.code == "zh" else in_words(name)

    def model(self, name: str) -> str:
        """What a model is called that is compared; a method by its own name."""
        return self.sentences.get(f"name.{name}", name)


def words_of(language: str) -> Words:
    """The language of this code. ValueError for one that there is not."""
    if language not in LANGUAGES:
        raise ValueError(
            f"unknown language {language!r}: expected one of {few(LANGUAGES)}{nearest_hint(language, LANGUAGES)}"
        )
    return Words(language, LANGUAGES[language])
