from dataclasses import replace

import pytest

from headstart.artefact import write
from headstart.artefact.card import card
from headstart.artefact.config import config_of
from headstart.backbones.backbone import Backbone
from headstart.preprocessing.spec import PicturePreprocess, TextPreprocess
from headstart.tasks import MULTILABEL, REGRESSION

PICTURE = PicturePreprocess(
    size=(224, 224), resize=256, interpolation="bicubic", mean=(0.5, 0.5, 0.5), std=(0.5, 0.5, 0.5)
)
TEXT = TextPreprocess(tokenizer_json="{}", max_length=128, pad_id=0)


def with_backbone(model, preprocess, licence="Apache-2.0"):
    modality = "image" if isinstance(preprocess, PicturePreprocess) else "text"
    backbone = Backbone(
        name="bundled:x",
        modality=modality,
        module=None,
        dim=4,
        preprocess=preprocess,
        fingerprint="0123456789abcdef0123",
        spec={},
        licence=licence,
    )
    return replace(model, modality=modality, backbone=backbone)


def of(model, name="flowers", *, slim=False):
    return card(model, name, config_of(model, slim=slim))


def test_a_card_says_what_the_model_knows(table_model):
    text = of(table_model)
    for words in (
        "# flowers\n",
        "sorts table rows into 4 classes: method `probe`, head `ridge` on the columns themselves",
        "| classes | a, 1, 2.5, True |",
        "| rows | 252 fitted on, 253 held out |",
        "| columns | input: x, y; target: what |",
        "| on held-out rows | accuracy | macro f1 |",
        "| this model | 0.760 [0.700, 0.810] | 0.740 [0.690, 0.800] |",
        "| majority | 0.100 [0.050, 0.200] |  |",
        "Transfer: **helps**. Gain in accuracy over no-transfer: +0.250 [+0.180, +0.320].",
        "headstart predict flowers new.csv",
        'model = hs.Transfer.load("flowers")',
        "- 3 inputs were set aside",
    ):
        assert words in text


def test_without_evidence_it_says_so(array_model):
    assert "nothing is known about how well it predicts" in of(array_model)


@pytest.mark.parametrize("metrics", [3, {}, {"accuracy": 0.5}, {"accuracy": {"value": None}}])
def test_evidence_of_another_shape_does_not_stop_a_save(array_model, tmp_path, metrics):
    odd = replace(array_model, evidence={"metrics": metrics, "baselines": [], "gain": 1, "verdict": 2})
    assert (write(odd, tmp_path / "m") / "README.md").read_text().startswith("# m\n")


def test_pictures_and_texts_say_what_is_seen(array_model):
    pictures = of(with_backbone(array_model, PICTURE))
    assert "pictures, seen at 224 x 224 pixels (the centre, shorter side at 256)" in pictures
    assert "| backbone | `bundled:x`, fingerprint `0123456789abcdef` |" in pictures
    assert "| licence of the backbone | Apache-2.0 |" in pictures
    squashed = of(with_backbone(array_model, replace(PICTURE, squash=True), licence=""), slim=True)
    assert "resized without regard to shape" in squashed
    assert "its weights are not in this folder" in squashed
    assert "not stated: ask its publisher" in squashed
    assert "texts of up to 128 tokens; what is beyond is cut off" in of(with_backbone(array_model, TEXT))


def test_kinds(array_model):
    assert "predicts a number for rows of numbers" in of(replace(array_model, kind=REGRESSION, classes=()))
    assert "says which of 3 labels apply" in of(replace(array_model, kind=MULTILABEL))


def test_names_cannot_break_the_page(array_model):
    text = of(replace(array_model, classes=("a|b", "<script>", "x\ny`")), name="my model")
    assert "| classes | a\\|b, \\<script\\>, x y\\` |" in text
    assert "headstart predict FOLDER" in text


def test_many_classes_are_counted(array_model):
    assert "39 and 60 more" in of(replace(array_model, classes=tuple(range(100))))
