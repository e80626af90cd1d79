"""Masked tokens: how many are hidden and how, the cost against its formula, and networks that have none."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from headstart.backbones.load import load
from headstart.errors import BackboneError
from headstart.pretraining.objective import Encoded
from headstart.pretraining.objectives.mlm import MLM, MaskedTokens

SPECIAL = np.arange(5)
ORDINARY = np.arange(5, 50)


def hidden_of(rows=400, length=20, padded=24):
    """Ids in, and what `MaskedTokens` makes of them."""
    ids = np.random.default_rng(0).integers(5, 50, (rows, padded))
    ids[:, 0], ids[:, length - 1], ids[:, length:] = 1, 2, 0
    mask = (np.arange(padded) < length).astype(np.int64) + np.zeros((rows, 1), np.int64)
    draws = [np.random.default_rng([7, row]) for row in range(rows)]
    return ids, MaskedTokens(0.15, 4, SPECIAL, ORDINARY)((ids, mask), [length] * rows, draws)


def test_of_fifteen_in_a_hundred_tokens_most_are_masked_some_are_others_and_some_stay():
    ids, (found, mask, told) = hidden_of()
    hidden = told != -100
    assert np.array_equal(told[hidden], ids[hidden])
    assert np.array_equal(found[~hidden], ids[~hidden])
    assert not hidden[np.isin(ids, SPECIAL)].any()
    assert not hidden[mask == 0].any()
    assert hidden.any(1).all()
    share = hidden.sum() / (~np.isin(ids, SPECIAL) & (mask == 1)).sum()
    assert 0.12 < share < 0.19
    masked, other = (found == 4)[hidden].mean(), ((found != ids) & (found != 4))[hidden].mean()
    assert 0.72 < masked < 0.88
    assert 0.05 < other < 0.15


def test_a_row_alone_is_hidden_as_it_is_among_others():
    ids, (found, _, told) = hidden_of()
    alone = MaskedTokens(0.15, 4, SPECIAL, ORDINARY)(
        (ids[3:4], np.ones((1, 24), np.int64)), [20], [np.random.default_rng([7, 3])]
    )
    assert np.array_equal(alone[0][0], found[3])
    assert np.array_equal(alone[2][0], told[3])


def test_a_text_of_special_tokens_alone_has_nothing_to_tell():
    ids = np.array([[1, 2, 0]])
    found, _, told = MaskedTokens(0.15, 4, SPECIAL, ORDINARY)((ids, ids), [2], [np.random.default_rng(0)])
    assert np.array_equal(found, ids)
    assert (told == -100).all()


def test_the_cost_is_the_cross_entropy_of_hidden_tokens_by_the_token_vectors(bert):
    backbone, objective = load(f"file:{bert}"), MLM()
    objective.suits(backbone)
    encoder = objective.encoder(backbone.module)
    learner = objective.learner(encoder, backbone.dim)
    inputs = tuple(
        torch.from_numpy(array)
        for array in backbone.preprocess.collate(
            [backbone.preprocess.prepare(text)[0] for text in ("the film was dull", "a very good story")]
        )
    )
    told = torch.full_like(inputs[0], -100)
    told[0, 2], told[1, 1], told[1, 3] = inputs[0][0, 2], inputs[0][1, 1], inputs[0][1, 3]
    states = encoder(*inputs, told)
    vectors = backbone.module.model.get_input_embeddings().weight
    terms = []
    for n, place in ((0, 2), (1, 1), (1, 3)):
        logits = vectors @ learner.h(states[n, place]) + learner.b
        terms.append(-logits.log_softmax(0)[told[n, place]].item())
    rows = Encoded(states, (*inputs, told), encoder, 0.0, torch.arange(2))
    assert learner(rows).item() == pytest.approx(sum(terms) / 3, rel=1e-4)
    assert learner(rows._replace(inputs=(*inputs, torch.full_like(told, -100)))).item() == 0


def test_networks_that_foretell_or_have_no_mask_are_refused(gpt2, unmasked):
    with pytest.raises(BackboneError, match="tells no token from those on both sides of it: mlm is for networks like"):
        MLM().suits(load(f"file:{gpt2}"))
    with pytest.raises(BackboneError, match=r"has no token for a mask: expected \[MASK\] or <mask>; use simcse"):
        MLM().suits(load(f"file:{unmasked}"))
    with pytest.raises(ValueError, match="hidden = 0: expected a share between 0 and 1"):
        MLM(hidden=0)
