"""The share of unknown tokens, by the tokenizers of the bundled backbones."""

import pytest

from headstart.backbones.load import load
from headstart.features.unknown import MUCH, unknown_advice, unknown_share
from headstart.preprocessing.spec import TextPreprocess

ENGLISH = ["The room was clean and the staff were kind.", "Never again: rude people, and cold food."]
CHINESE = ["员工很粗鲁,位置偏僻很难找。", "房间干净漂亮,价格便宜质量好。"]


@pytest.fixture(scope="module", params=["bundled:minilm", "bundled:wordllama"])
def preprocess(request) -> TextPreprocess:
    found = load(request.param).preprocess
    assert isinstance(found, TextPreprocess)
    return found


def test_english_is_known_and_chinese_is_not(preprocess) -> None:
    assert unknown_share(ENGLISH, preprocess) == 0
    assert unknown_share(CHINESE, preprocess) > 0.4
    both = unknown_share([*ENGLISH, *CHINESE], preprocess)
    assert MUCH < both < unknown_share(CHINESE, preprocess)


def test_neither_the_order_of_texts_nor_copies_change_it(preprocess) -> None:
    texts = [*ENGLISH, *CHINESE]
    assert unknown_share(texts[::-1], preprocess) == unknown_share(texts * 3, preprocess)
    assert unknown_share([], preprocess) == unknown_share(["", None], preprocess) == 0


def test_the_words_name_the_share_and_another_backbone() -> None:
    assert "73 % of their tokens" in unknown_advice(0.734)
    assert "--backbone hf:" in unknown_advice(0.734)
