import pytest
import torch
from torch import nn

from headstart.backbones.assemble import assemble, build
from headstart.backbones.encoders import WordVectors
from headstart.backbones.parts import Parts
from headstart.errors import BackboneError
from headstart.preprocessing.spec import PicturePreprocess, TextPreprocess

WORDS = {"hub": "words", "vocabulary": 5, "width": 3}
TEXT = TextPreprocess(tokenizer_json='{"model": {}}', max_length=7, pad_id=1)
PICTURE = PicturePreprocess(size=(8, 8), resize=8, interpolation="bilinear", mean=(0, 0, 0), std=(1, 1, 1))


def test_a_backbone_is_frozen_measured_and_can_draw_itself_again():
    module = WordVectors(5, 3).double().train()
    backbone = assemble(Parts("bundled:x", WORDS, module, TEXT, "MIT"))
    assert (backbone.dim, backbone.modality, backbone.licence, backbone.stages) == (3, "text", "MIT", (("all", ("",)),))
    assert (module.training, module.embedding.weight.requires_grad) == (False, False)
    assert module.embedding.weight.dtype == torch.float32
    before = torch.get_rng_state()
    one, same, two = backbone.random(1), backbone.random(1), one_more(backbone)
    assert torch.equal(before, torch.get_rng_state())
    assert one.fingerprint == same.fingerprint
    assert len({backbone.fingerprint, one.fingerprint, two.fingerprint}) == 3
    assert (one.name, two.name) == ("bundled:x?weights=random&seed=1", "bundled:x?weights=random&seed=2")
    assert (one.preprocess, one.dim, one.spec, one.licence) == (TEXT, 3, WORDS, "MIT")


def one_more(backbone):
    return backbone.random(1).random(2)


@pytest.mark.parametrize("spec", [None, {}, {"hub": ["timm"]}, {"hub": "words"}, {**WORDS, "width": "wide"}])
def test_a_spec_that_is_none_is_refused(spec):
    with pytest.raises(BackboneError, match=r"architecture of hub .*(expected|cannot be built)"):
        build(spec)


@pytest.mark.parametrize(
    ("module", "preprocess", "words"),
    [
        (nn.Linear(5, 2), PICTURE, r"does not accept its own input of shape \(1, 3, 8, 8\)"),
        (WordVectors(1, 3), TEXT, r"does not accept its own input of shape \(1, 7\)"),
        (nn.Flatten(2), PICTURE, r"gives \(1, 3, 64\) for one input; expected features of shape \(1, D\)"),
        (nn.LSTM(8, 2, batch_first=True), PICTURE, "does not accept its own input|gives tuple for one input"),
    ],
)
def test_a_network_that_gives_no_features_is_refused(module, preprocess, words):
    with pytest.raises(BackboneError, match=words):
        assemble(Parts("x", WORDS, module, preprocess))
