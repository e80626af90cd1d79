"""The plain BERT computes what transformers' does, and is taken where it does."""

import json

import pytest
import torch
from torch import nn
from transformers import AutoModel
from transformers.models.bert.modeling_bert import BertModel

from headstart.backbones import assemble
from headstart.backbones.bert import Bert, is_plain_bert
from headstart.backbones.bundled import MINILM
from headstart.backbones.checkpoint import configured
from headstart.backbones.transformers import architecture
from headstart.features.quiet import quiet

CONFIG = architecture(json.loads(MINILM.read("model/config.json"))) | {
    "hidden_size": 24,
    "intermediate_size": 40,
    "num_attention_heads": 3,
    "num_hidden_layers": 2,
    "max_position_embeddings": 20,
    "vocab_size": 50,
    "initializer_range": 0.2,
}


@pytest.fixture
def pair():
    theirs = AutoModel.from_config(configured(CONFIG, "a test"))
    theirs.pooler = None
    ours = Bert(CONFIG)
    ours.load_state_dict(theirs.state_dict())
    return theirs, ours


@pytest.mark.parametrize("learns", [False, True])
@pytest.mark.parametrize("padded", [False, True])
def test_it_computes_what_transformers_does(pair, learns, padded):
    ids = torch.randint(1, 50, (5, 17), generator=torch.Generator().manual_seed(0))
    mask = torch.ones_like(ids)
    if padded:
        mask[0, 9:], mask[3, 1:] = 0, 0
    states, slopes = [], []
    for model in pair:
        torch.manual_seed(0)  # of what is dropped out
        output = model.train(learns)(input_ids=ids, attention_mask=mask).last_hidden_state
        output[mask.bool()].square().sum().backward()
        states.append(output[mask.bool()])
        slopes.append(model.get_input_embeddings().weight.grad)
    torch.testing.assert_close(states[1], states[0], rtol=1e-5, atol=1e-5)
    torch.testing.assert_close(slopes[1], slopes[0], rtol=1e-4, atol=1e-4)
    assert states[0].std() > 0.1


def test_traced_it_answers_for_other_lengths_and_masks(pair):
    ours = pair[1].eval().requires_grad_(False)
    ids, mask = torch.ones(2, 8, dtype=torch.int64), torch.ones(2, 8, dtype=torch.int64)
    with torch.no_grad(), quiet():
        traced = torch.jit.trace(lambda i, m: ours(i, m).last_hidden_state, (ids, mask), check_trace=False)
        other = torch.randint(1, 50, (3, 11), generator=torch.Generator().manual_seed(0))
        some = torch.ones_like(other)
        some[1, 4:] = 0
        torch.testing.assert_close(traced(other, some), ours(other, some).last_hidden_state, rtol=1e-5, atol=1e-5)


def test_random_weights_are_drawn_as_published():
    with torch.random.fork_rng():
        torch.manual_seed(0)
        model = Bert(CONFIG | {"vocab_size": 5000})
    words = model.embeddings.word_embeddings.weight
    assert not words[0].any()  # of padding
    assert words[1:].std().item() == pytest.approx(0.2, rel=0.02)
    for module in model.modules():
        if isinstance(module, nn.Linear):
            assert not module.bias.any()
            assert module.weight.std().item() == pytest.approx(0.2, rel=0.15)


@pytest.mark.parametrize(
    "change",
    [
        {"hidden_act": "relu"},
        {"is_decoder": True},
        {"position_embedding_type": "relative_key"},
        {"some_new_setting": 1},
        {"num_attention_heads": 5},
        {"model_type": "roberta"},
        {"pad_token_id": 1},
        {"hidden_size": "24"},
        {"hidden_dropout_prob": 0.0},
    ],
)
def test_what_is_not_known_here_is_left_to_transformers(change):
    assert is_plain_bert(CONFIG)
    assert not is_plain_bert(CONFIG | change)


def test_a_setting_that_lacks_is_left_to_transformers():
    for name in set(CONFIG) - {"gradient_checkpointing", "position_embedding_type"}:
        assert not is_plain_bert({key: value for key, value in CONFIG.items() if key != name})


def test_which_one_a_spec_builds():
    spec = {"hub": "hf", "modality": "text", "config": CONFIG, "pool": "mean"}
    assert isinstance(assemble.build(spec).model, Bert)
    assert isinstance(assemble.build(spec | {"config": CONFIG | {"hidden_act": "relu"}}).model, BertModel)
