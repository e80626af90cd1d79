"""MAE: what is seen, what is to be made, and the cost against its formula."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from small import RESNET

from headstart.backbones.load import load
from headstart.errors import BackboneError
from headstart.pretraining.objective import Encoded
from headstart.pretraining.objectives.mae import MAE, VisiblePatches, patches_of, reconstruction_cost, visible_of
from headstart.pretraining.variation import Variation


@pytest.fixture(scope="module")
def vit():
    return load("timm:test_vit?weights=random")


def test_the_cost_is_that_of_the_paper_over_hidden_patches():
    made, patches = torch.randn(2, 4, 6), torch.randn(2, 4, 6)
    unseen = torch.tensor([[True, False, True, False], [False, False, False, True]])
    terms = []
    for n in range(2):
        for p in range(4):
            if unseen[n, p]:
                x = patches[n, p]
                target = (x - x.mean()) / (x.var() + 1e-6).sqrt()
                terms.append(float((made[n, p] - target).square().mean()))
    assert float(reconstruction_cost(made, patches, unseen)) == pytest.approx(sum(terms) / 3, rel=1e-5)


def test_patches_are_cut_row_by_row():
    pictures = torch.arange(3 * 4 * 6.0).reshape(1, 3, 4, 6)
    patches = patches_of(pictures, (2, 3))
    assert patches.shape == (1, 4, 18)
    assert torch.equal(patches[0, 1].reshape(3, 2, 3), pictures[0, :, :2, 3:])
    assert torch.equal(patches[0, 2].reshape(3, 2, 3), pictures[0, :, 2:, :3])


def test_an_encoder_that_sees_all_patches_is_the_network_itself_and_hidden_ones_do_not_matter(vit):
    pictures = torch.randn(2, 3, *vit.preprocess.size)
    count = vit.module.patch_embed.num_patches
    order = torch.arange(float(count)).expand(2, -1)
    whole = VisiblePatches(vit.module, 1e-6)(pictures[:, None], order)
    assert whole.shape[1] == count + vit.module.num_prefix_tokens
    torch.testing.assert_close(whole, vit.module.forward_features(pictures))
    some = VisiblePatches(vit.module, 0.75)
    seen = visible_of(order, 0.75)
    assert seen.tolist() == [list(range(count // 4))] * 2
    other = pictures.clone()
    other[:, :, -vit.module.patch_embed.patch_size[0] :] = 9.0
    torch.testing.assert_close(some(other[:, None], order), some(pictures[:, None], order))


def test_the_decoder_puts_each_token_in_its_place(vit):
    objective = MAE(width=16, depth=1, heads=2)
    encoder = objective.encoder(vit.module)
    learner = objective.learner(encoder, vit.dim)
    views = objective.views(vit, Variation())
    picture = torch.randint(0, 256, (3, *vit.preprocess.size), dtype=torch.uint8)
    view, numbers = views(picture, np.random.default_rng(0))
    pictures, order = view[None].float(), torch.from_numpy(numbers)[None]
    rows = Encoded(encoder(pictures, order), (pictures, order), encoder, 0.0, torch.arange(1))
    cost = learner(rows)
    assert torch.isfinite(cost)
    shuffled = Encoded(rows.features.flip(1), rows.inputs, encoder, 0.0, rows.rows)
    assert learner(shuffled).item() != cost.item()


def test_a_convolutional_network_and_options_that_cannot_be_are_refused():
    with pytest.raises(BackboneError, match=r"is a ResNet, which sees no patches .* use simclr, vicreg or byol"):
        MAE().suits(load(RESNET))
    with pytest.raises(ValueError, match="hidden = 1: expected a share between 0 and 1"):
        MAE(hidden=1)
    with pytest.raises(ValueError, match="width = 10: expected a multiple of 4 x heads = 16"):
        MAE(width=10)
