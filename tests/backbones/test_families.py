"""Families of transformers that are read in a way of their own: decoders, T5, CLIP, sentence-transformers."""

import json

import pytest
import torch
from hub_folders import SENTENCES, SMALL, VOCABULARY, encode, features, write_model, write_tokenizer
from safetensors.torch import save_file

from headstart.backbones.load import load, rebuild
from headstart.errors import BackboneError


@pytest.fixture
def llama(tmp_path):
    from transformers import LlamaConfig, LlamaModel

    config = LlamaConfig(
        vocab_size=len(VOCABULARY), max_position_embeddings=40, num_key_value_heads=2, bos_token_id=2, **SMALL
    )
    write_tokenizer(tmp_path, special=False)
    return write_model(tmp_path, LlamaModel(config))


@pytest.mark.parametrize("family", ["gpt2", "llama"])
def test_a_decoder_is_read_at_its_last_token_as_with_padding_on_the_left(family, request):
    from transformers import AutoModel

    folder = request.getfixturevalue(family)
    backbone = load(f"hf:{folder}")
    ids, mask = encode(backbone, SENTENCES)
    lengths = mask.sum(1).tolist()
    left = torch.stack([row.roll(len(row) - length) for row, length in zip(ids, lengths, strict=True)])
    left_mask = torch.stack([row.roll(len(row) - length) for row, length in zip(mask, lengths, strict=True)])
    places = (left_mask.cumsum(1) - 1).clamp(min=0)
    model = AutoModel.from_pretrained(folder).eval()
    with torch.inference_mode():
        hidden = model(input_ids=left, attention_mask=left_mask, position_ids=places).last_hidden_state
    torch.testing.assert_close(features(backbone, SENTENCES), hidden[:, -1], rtol=1e-4, atol=1e-5)
    assert backbone.spec["pool"] == "last"


def test_t5_is_read_by_its_encoder(tmp_path):
    from transformers import T5Config, T5EncoderModel, T5ForConditionalGeneration

    sizes = {"d_model": 16, "d_kv": 4, "d_ff": 32, "num_layers": 2, "num_heads": 4}
    config = T5Config(vocab_size=len(VOCABULARY), decoder_start_token_id=0, **sizes)
    write_tokenizer(tmp_path)
    write_model(tmp_path, T5ForConditionalGeneration(config))
    backbone = load(f"hf:{tmp_path}")
    ids, mask = encode(backbone, SENTENCES)
    with torch.inference_mode():
        hidden = T5EncoderModel.from_pretrained(tmp_path).eval()(input_ids=ids, attention_mask=mask).last_hidden_state
    mean = (hidden * mask[..., None]).sum(1) / mask.sum(1, keepdim=True)
    torch.testing.assert_close(features(backbone, SENTENCES), mean)
    assert not any("decoder" in name for name in backbone.module.state_dict())
    again = rebuild(backbone.spec, backbone.module.state_dict(), backbone.preprocess, backbone.name)
    assert again.fingerprint == backbone.fingerprint


@pytest.mark.parametrize("kind", ["clip", "siglip"])
def test_a_model_of_pictures_and_texts_is_read_by_its_pictures(tmp_path, kind):
    from transformers import (
        CLIPConfig,
        CLIPImageProcessor,
        CLIPModel,
        CLIPVisionModel,
        SiglipConfig,
        SiglipModel,
        SiglipVisionModel,
    )  # fmt: skip

    vision = {**SMALL, "image_size": 32, "patch_size": 8}
    config, whole, part = {
        "clip": (CLIPConfig, CLIPModel, CLIPVisionModel),
        "siglip": (SiglipConfig, SiglipModel, SiglipVisionModel),
    }[kind]
    text = {**SMALL, "vocab_size": 99, "bos_token_id": 0, "eos_token_id": 1, "pad_token_id": 1}
    write_model(tmp_path, whole(config(text_config=text, vision_config=vision)))
    CLIPImageProcessor(
        size={"shortest_edge": 32}, crop_size={"height": 32, "width": 32}
    ).save_pretrained(tmp_path)  # fmt: skip
    backbone = load(f"hf:{tmp_path}")
    x = torch.randn(2, 3, 32, 32)
    with torch.inference_mode():
        expected = part.from_pretrained(tmp_path).eval()(pixel_values=x).pooler_output
        torch.testing.assert_close(backbone.module(x), expected)
    assert backbone.spec["config"]["model_type"] == f"{kind}_vision_model"


POOLS = {
    "mean_sqrt_len_tokens": lambda rows: rows.sum(0) / len(rows) ** 0.5,
    "weightedmean_tokens": lambda rows: (
        sum((place + 1) * row for place, row in enumerate(rows)) / sum(range(1, len(rows) + 1))
    ),
    "lasttoken": lambda rows: rows[-1],
    "max_tokens": lambda rows: rows.amax(0),
}


@pytest.mark.parametrize("mode", list(POOLS))
def test_a_sentence_model_has_its_own_pooling_and_dense_layer(bert, mode):
    (bert / "1_Pooling").mkdir()
    (bert / "1_Pooling" / "config.json").write_text(json.dumps({f"pooling_mode_{mode}": True}))
    (bert / "2_Dense").mkdir()
    dense = {
        "in_features": 32,
        "out_features": 5,
        "bias": True,
        "activation_function": "torch.nn.modules.activation.Tanh",
    }
    (bert / "2_Dense" / "config.json").write_text(json.dumps(dense))
    weights = {"linear.weight": torch.randn(5, 32), "linear.bias": torch.randn(5)}
    save_file(weights, bert / "2_Dense" / "model.safetensors")
    kinds = [("", "Transformer"), ("1_Pooling", "Pooling"), ("2_Dense", "Dense"), ("3_Normalize", "Normalize")]
    modules = [{"path": path, "type": f"sentence_transformers.models.{kind}"} for path, kind in kinds]
    (bert / "modules.json").write_text(json.dumps(modules))
    backbone = load(f"hf:{bert}")
    ids, mask = encode(backbone, SENTENCES)
    with torch.inference_mode():
        hidden = backbone.module.encoder.model(input_ids=ids, attention_mask=mask).last_hidden_state
        rows = torch.stack([POOLS[mode](row[real.bool()]) for row, real in zip(hidden, mask, strict=True)])
        expected = torch.tanh(rows @ weights["linear.weight"].T + weights["linear.bias"])
    torch.testing.assert_close(features(backbone, SENTENCES), expected, rtol=1e-4, atol=1e-5)
    again = rebuild(backbone.spec, backbone.module.state_dict(), backbone.preprocess, backbone.name)
    assert again.fingerprint == backbone.fingerprint
    assert load(f"hf:{bert}@1").dim == 32


@pytest.mark.parametrize(
    ("module", "words"),
    [
        ({"path": "2_CNN", "type": "sentence_transformers.models.CNN"}, "the module 'CNN' is not supported"),
        ({"path": "../2_Dense", "type": "sentence_transformers.models.Dense"}, "not the name of a folder in it"),
    ],
)
def test_modules_of_another_kind_or_from_elsewhere_are_refused(bert, module, words):
    (bert / "modules.json").write_text(json.dumps([module]))
    with pytest.raises(BackboneError, match=words):
        load(f"hf:{bert}")
