import shutil
import warnings

import numpy as np
import pytest
import torch
from hub_folders import SENTENCES, encode, features
from safetensors.torch import load_file, save_file
from tokenizers import Tokenizer
from torch import nn

from headstart.backbones.load import load, rebuild
from headstart.errors import BackboneError


def drop(folder, *prefixes):
    """Rewrite the weights without those of some names."""
    tensors = load_file(folder / "model.safetensors")
    kept = {name: tensor for name, tensor in tensors.items() if not name.startswith(prefixes)}
    save_file(kept, folder / "model.safetensors", metadata={"format": "pt"})


def test_bert_is_the_mean_over_its_real_tokens(bert):
    from transformers import AutoModel, AutoTokenizer

    backbone = load(f"hf:{bert}")
    backbone.module.double()
    model, tokenizer = AutoModel.from_pretrained(bert).eval().double(), AutoTokenizer.from_pretrained(bert)
    for sentence, row in zip(SENTENCES, features(backbone, SENTENCES), strict=True):
        with torch.inference_mode():
            hidden = model(**tokenizer(sentence, return_tensors="pt")).last_hidden_state
        torch.testing.assert_close(row, hidden[0].mean(0))
    assert (backbone.modality, backbone.dim) == ("text", 32)
    assert backbone.spec["pool"] == "mean"
    assert not any("pooler" in name for name in backbone.module.state_dict())


def test_gpt2_without_a_padding_token_does_not_see_its_padding(gpt2):
    backbone = load(f"hf:{gpt2}")
    backbone.module.double()
    together = features(backbone, SENTENCES)
    alone = torch.cat([features(backbone, [sentence]) for sentence in SENTENCES])
    torch.testing.assert_close(together, alone)
    assert backbone.preprocess.max_length == 30


@pytest.mark.parametrize("family", ["bert", "gpt2", "vit", "timm_folder"])
def test_the_module_is_frozen_and_can_be_built_again(family, request):
    folder = request.getfixturevalue(family)
    backbone = load(str(folder))
    module = backbone.module
    assert not module.training
    assert all(not p.requires_grad and p.dtype == torch.float32 for p in module.parameters())
    shutil.rmtree(folder)
    state = {name: tensor.clone() for name, tensor in module.state_dict().items()}
    again = rebuild(backbone.spec, state, backbone.preprocess, backbone.name, licence=backbone.licence)
    assert again == type(again)(**{**vars(backbone), "module": again.module, "random": None})
    assert backbone.random(3).fingerprint == again.random(3).fingerprint != again.fingerprint


def test_a_stored_architecture_of_another_modality_is_refused(bert):
    backbone = load(str(bert))
    with pytest.raises(BackboneError, match="the stored architecture reads 'audio': expected 'text' or 'image'"):
        rebuild(backbone.spec | {"modality": "audio"}, {}, backbone.preprocess, backbone.name)


def test_the_length_is_the_least_that_anything_allows(bert, edit):
    assert load(f"hf:{bert}").preprocess.max_length == 24
    (bert / "sentence_bert_config.json").write_text('{"max_seq_length": 16}')
    assert load(f"hf:{bert}").preprocess.max_length == 16
    (bert / "sentence_bert_config.json").unlink()
    edit(bert / "tokenizer_config.json", model_max_length=10**30)
    assert load(f"hf:{bert}").preprocess.max_length == 40


def test_roberta_keeps_positions_for_its_padding(bert, edit):
    from transformers import RobertaConfig, RobertaModel

    config = RobertaConfig(
        vocab_size=15, max_position_embeddings=40, pad_token_id=0, hidden_size=32, num_hidden_layers=1,
        num_attention_heads=2, intermediate_size=32,
    )  # fmt: skip
    RobertaModel(config).save_pretrained(bert)
    edit(bert / "tokenizer_config.json", model_max_length=None)
    backbone = load(f"hf:{bert}")
    assert backbone.preprocess.max_length == 39
    assert features(backbone, ["good " * 100]).isfinite().all()


def test_a_sentence_model_may_ask_for_its_first_token(bert):
    (bert / "1_Pooling").mkdir()
    (bert / "1_Pooling" / "config.json").write_text('{"pooling_mode_cls_token": true}')
    backbone = load(f"hf:{bert}")
    ids, mask = encode(backbone, SENTENCES)
    with torch.inference_mode():
        hidden = backbone.module.model(input_ids=ids, attention_mask=mask).last_hidden_state
    assert torch.equal(features(backbone, SENTENCES), hidden[:, 0])


def test_vision_models_give_their_pooled_output(vit):
    from transformers import ViTModel

    backbone = load(f"hf:{vit}")
    x = torch.randn(2, 3, 32, 32)
    with torch.inference_mode():
        expected = ViTModel.from_pretrained(vit).eval()(x).pooler_output
        assert torch.equal(backbone.module(x), expected)
    assert (backbone.modality, backbone.dim, backbone.preprocess.size) == ("image", 32, (32, 32))
    assert backbone.preprocess.squash


def test_an_untrained_pooler_is_left_out(vit):
    from transformers import ViTModel

    drop(vit, "pooler.")
    backbone = load(f"hf:{vit}")
    assert backbone.spec["pool"] == "cls"
    assert backbone.fingerprint == load(f"hf:{vit}").fingerprint
    x = torch.randn(2, 3, 32, 32)
    with torch.inference_mode():
        expected = ViTModel.from_pretrained(vit, add_pooling_layer=False).eval()(x).last_hidden_state[:, 0]
        torch.testing.assert_close(backbone.module(x), expected)


@pytest.mark.parametrize("family", ["convnext", "resnet", "dinov2"])
def test_other_vision_families(tmp_path, family):
    from transformers import AutoConfig, AutoModel, ConvNextImageProcessor

    options = {
        "convnext": {"hidden_sizes": [8, 8, 16, 16], "depths": [1, 1, 2, 1]},
        "resnet": {"embedding_size": 8, "hidden_sizes": [8, 16], "depths": [1, 2], "layer_type": "basic"},
        "dinov2": {"hidden_size": 16, "num_hidden_layers": 2, "num_attention_heads": 2, "image_size": 56},
    }[family]
    torch.manual_seed(0)
    model = AutoModel.from_config(AutoConfig.for_model(family, **options))
    model.save_pretrained(tmp_path)
    ConvNextImageProcessor(size={"shortest_edge": 56}, crop_pct=0.875).save_pretrained(tmp_path)
    backbone = load(f"hf:{tmp_path}")
    assert (backbone.dim, backbone.preprocess.size, backbone.preprocess.resize) == (16, (56, 56), 64)
    x = torch.randn(2, 3, 56, 56)
    with torch.inference_mode():
        torch.testing.assert_close(backbone.module(x), model.eval()(x).pooler_output.flatten(1))
    names = [name for name, _ in backbone.module.named_parameters()]
    assert all(sum(name.startswith(prefixes) for _, prefixes in backbone.stages) == 1 for name in names)


def test_a_checkpoint_with_a_head_is_read_without_it(bert):
    from transformers import BertForSequenceClassification

    plain = load(f"hf:{bert}").fingerprint
    BertForSequenceClassification.from_pretrained(bert, num_labels=3).save_pretrained(bert)
    assert load(f"hf:{bert}").fingerprint == plain


def test_weights_as_a_pytorch_file_are_read_but_never_unpickled(bert):
    plain = load(f"hf:{bert}").fingerprint
    torch.save(load_file(bert / "model.safetensors"), bert / "pytorch_model.bin")
    (bert / "model.safetensors").unlink()
    assert load(f"hf:{bert}").fingerprint == plain
    torch.save(nn.Linear(2, 2), bert / "pytorch_model.bin")
    with pytest.raises(BackboneError, match=r"cannot be read: .*(weights_only|Weights only)"):
        load(f"hf:{bert}")


def test_missing_weights_are_named_not_drawn_at_random(bert):
    drop(bert, "encoder.layer.1.output")
    with pytest.raises(BackboneError, match=r"lack encoder.layer.1.output.LayerNorm.bias, .*fetch them again"):
        load(f"hf:{bert}")


def test_weights_of_another_width_are_refused(bert, edit):
    edit(bert / "config.json", intermediate_size=48)
    with pytest.raises(BackboneError, match=r"do not fit config.json: .*bias has the shape \(64,\), not \(48,\)"):
        load(f"hf:{bert}")


def test_a_tokenizer_that_knows_more_than_the_network_is_refused(bert, edit):
    tokenizer = Tokenizer.from_file(str(bert / "tokenizer.json"))
    tokenizer.add_tokens(["extra"])
    tokenizer.save(str(bert / "tokenizer.json"))
    with pytest.raises(BackboneError, match=r"tokenizer.json knows token 15, the network only 15 tokens"):
        load(f"hf:{bert}")


def test_a_slow_tokenizer_is_refused(bert):
    (bert / "tokenizer.json").rename(bert / "vocab.txt")
    with pytest.raises(BackboneError, match=r"no fast tokenizer.*save_pretrained\(FOLDER\)"):
        load(f"hf:{bert}")
    (bert / "tokenizer.json").write_text("{}")
    with pytest.raises(BackboneError, match="not a tokenizer that the tokenizers library reads"):
        load(f"hf:{bert}")


def test_truncation_and_padding_of_the_tokenizer_itself_are_dropped(bert):
    plain = load(f"hf:{bert}")
    tokenizer = Tokenizer.from_file(str(bert / "tokenizer.json"))
    tokenizer.enable_truncation(4)
    tokenizer.enable_padding(length=9)
    tokenizer.save(str(bert / "tokenizer.json"))
    assert load(f"hf:{bert}").fingerprint == plain.fingerprint


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"auto_map": {"AutoModel": "code.Model"}}, "the repository's own Python code, which headstart never does"),
        ({"model_type": "berd"}, "no architecture 'berd'; nearest: .*bert"),
        ({"quantization_config": {"bits": 4}}, "the weights are quantised; expected plain ones"),
        ({"backbone": "someone/resnet"}, "is built on another model, 'someone/resnet'; that is not supported"),
        ({"model_type": "timm_backbone"}, "is built on another model, 'timm'; that is not supported"),
        ({"hidden_size": "wide"}, "not a configuration of 'bert'|cannot be read"),
    ],
)
def test_a_forged_config_is_refused(bert, edit, changes, words):
    edit(bert / "config.json", **changes)
    with pytest.raises(BackboneError, match=words):
        load(f"hf:{bert}")


@pytest.mark.parametrize("kind", ["bart", "clip", "encodec"])
def test_an_architecture_of_another_kind_is_refused(bert, kind):
    (bert / "config.json").write_text(f'{{"model_type": "{kind}"}}')
    with pytest.raises(BackboneError, match=f"'{kind}' is not supported; expected one encoder or decoder of text"):
        load(f"hf:{bert}")


def test_code_beside_the_tokenizer_is_refused_too(bert, edit):
    edit(bert / "tokenizer_config.json", auto_map={"AutoTokenizer": ["code.Tokenizer", None]})
    with pytest.raises(BackboneError, match="which headstart never does"):
        load(f"hf:{bert}")


def test_an_attention_from_elsewhere_is_not_fetched(bert, edit):
    plain = load(f"hf:{bert}").fingerprint
    edit(bert / "config.json", _attn_implementation="someone/kernel", attn_implementation="someone/kernel")
    assert load(f"hf:{bert}").fingerprint == plain


def test_loading_is_silent_and_leaves_the_settings_and_the_generator_alone(bert, capfd):
    from transformers.utils import logging

    drop(bert, "pooler.")
    before = (logging.get_verbosity(), logging.is_progress_bar_enabled(), torch.get_rng_state())
    load(f"hf:{bert}").random(1)
    assert capfd.readouterr() == ("", "")
    after = (logging.get_verbosity(), logging.is_progress_bar_enabled(), torch.get_rng_state())
    assert before[:2] == after[:2]
    assert torch.equal(before[2], after[2])


@pytest.mark.parametrize("family", [pytest.param(name, marks=pytest.mark.slow) for name in ("bert", "gpt2")])
def test_openvino_converts_it_with_any_number_and_length(family, request):
    openvino = pytest.importorskip("openvino")
    if torch.backends.cpu.get_cpu_capability() == "DEFAULT":
        pytest.skip("OpenVINO has no layer normalisation for processors without AVX2")
    backbone = load(f"hf:{request.getfixturevalue(family)}")
    batch = encode(backbone, SENTENCES)
    kinds = [(name, [-1, -1], openvino.Type.i64) for name in ("input_ids", "attention_mask")]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # tracing warns of shapes that it takes for constants: checked here
        converted = openvino.convert_model(backbone.module, example_input=batch, input=kinds)
    compiled = openvino.Core().compile_model(converted, "CPU", {"INFERENCE_PRECISION_HINT": "f32"})
    for sentences in (SENTENCES, ["good"], [sentence * 2 for sentence in SENTENCES] * 3):
        ids, mask = encode(backbone, sentences)
        found = compiled([ids.numpy(), mask.numpy()])[0]
        np.testing.assert_allclose(found, features(backbone, sentences).numpy(), atol=1e-5, rtol=1e-4)


def test_the_licence_is_that_of_the_model_card(bert):
    (bert / "README.md").write_text("---\nlanguage: en\nlicense: apache-2.0\n---\n# A model\n")
    assert load(f"hf:{bert}").licence == "apache-2.0"
