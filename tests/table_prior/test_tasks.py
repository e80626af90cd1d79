"""The prior: shapes, numbers that are there, classes, gaps, and the same tables of the same seed."""

from __future__ import annotations

import pytest
import torch

from headstart.table_prior.causes import by_class, causal, plain_inputs, standardised
from headstart.table_prior.chance import Chance
from headstart.table_prior.columns import damaged, in_levels, warped
from headstart.table_prior.functions import FUNCTIONS, random_function
from headstart.table_prior.tasks import Shape, draw, draw_shape


def test_tables_have_the_shapes_and_classes_that_are_asked_and_numbers_everywhere_else():
    gaps = 0
    for seed in range(60):
        chance = Chance(seed)
        shape = draw_shape(chance, cells=1500, largest=60, widest=12)
        batch = draw(chance, shape)
        assert batch.x.shape == (shape.tasks, shape.rows, shape.columns)
        assert batch.answers.shape == (shape.tasks, shape.rows)
        assert batch.counted.shape == (shape.tasks, shape.rows - shape.context)
        assert not batch.x.isinf().any()
        gaps += int(batch.x.isnan().any())
        if shape.classes:
            assert 0 <= int(batch.answers.min()) <= int(batch.answers.max()) < shape.classes
        else:
            assert batch.answers.isfinite().all()
            torch.testing.assert_close(
                batch.answers[:, : shape.context].mean(1), torch.zeros(shape.tasks), atol=1e-2, rtol=0
            )
    assert 2 <= gaps <= 25


def test_all_classes_occur_and_uneven_ones_do_too():
    shares = torch.zeros(0)
    for seed in range(20):
        batch = draw(Chance(seed), Shape(4, 300, 200, 5, 3))
        counts = torch.stack([(batch.answers == code).float().mean(1) for code in range(3)], 1)
        shares = torch.cat([shares, counts.sort(1).values.flatten()])
    rarest = shares.view(-1, 3)[:, 0]
    assert (rarest > 0).float().mean() > 0.9
    assert (rarest < 0.1).float().mean() > 0.1
    assert (rarest > 0.2).float().mean() > 0.1


def test_a_seed_draws_the_same_tables_again_and_another_others():
    shape = Shape(3, 40, 25, 6, 3)
    first, again, other = (draw(Chance(seed), shape) for seed in (5, 5, 6))
    assert torch.equal(first.x.nan_to_num(), again.x.nan_to_num())
    assert torch.equal(first.answers, again.answers)
    assert not torch.equal(first.x.nan_to_num(), other.x.nan_to_num())


def test_an_answer_is_told_by_its_columns_more_often_than_not():
    """The nearest neighbour beats the commonest class: the tables are no noise."""
    better = []
    for seed in range(30):
        batch = draw(Chance(seed), Shape(4, 160, 120, 4, 2))
        x = standardised(batch.x.nan_to_num())
        nearest = torch.cdist(x[:, 120:], x[:, :120]).argmin(2)
        guess = batch.answers[:, :120].gather(1, nearest)
        truth = batch.answers[:, 120:]
        common = batch.answers[:, :120].float().mean(1, keepdim=True).round().long()
        better.append((guess == truth).float().mean() - (common == truth).float().mean())
    assert torch.stack(better).mean() > 0.02


@pytest.mark.parametrize("name", FUNCTIONS)
def test_every_function_gives_scores_that_differ(name):
    chance = Chance(1)
    x = chance.normal(3, 50, 4)
    scores = standardised(FUNCTIONS[name](chance, x, torch.ones(3, 1, 4), 2))
    assert scores.shape == (3, 50, 2)
    assert scores.isfinite().all()
    assert (scores.std(1) > 0.5).any()


def test_functions_of_one_column_and_causes_of_one_column_are_drawn_too():
    for seed in range(20):
        chance = Chance(seed)
        assert random_function(chance, chance.normal(2, 30, 1), 3).shape == (2, 30, 3)
        x, scores = causal(chance, 2, 30, 1, 10)
        assert x.shape == (2, 30, 1)
        assert scores.shape == (2, 30, 10)
        assert plain_inputs(chance, 2, 30, 1).isfinite().all()


def test_columns_become_categories_and_are_damaged_now_and_then():
    chance = Chance(0)
    x = chance.normal(2, 200, 3)
    stands, hot = in_levels(chance, x, 4)
    assert stands.shape == (2, 200, 3)
    assert torch.equal(hot.view(2, 200, 3, 4).sum(3), torch.ones(2, 200, 3))
    assert warped(chance, x).isfinite().all()
    results = [damaged(Chance(seed), x) for seed in range(40)]
    missing = [bool(result.isnan().any()) for result in results]
    assert 1 <= sum(missing) <= 20
    spread = torch.stack([result[0, :, 0].nan_to_num().std() for result in results])
    assert spread.max() / spread.min() > 1000


def test_columns_that_follow_from_classes_tell_them_and_some_do_not():
    """A row is nearest to a row of its own class far more often than by chance, on half the tables at least."""
    better, varied = [], []
    for seed in range(20):
        x, codes = by_class(Chance(seed), 3, 120, 6, 4)
        assert x.shape == (3, 120, 6)
        assert x.isfinite().all()
        assert 0 <= int(codes.min()) <= int(codes.max()) < 4
        distances = torch.cdist(x, x) + 1e9 * torch.eye(120)
        same = codes.gather(1, distances.argmin(2)) == codes
        chance = torch.stack([(codes == code).float().mean(1) for code in range(4)], 1).square().sum(1)
        better += ((same.float().mean(1) - chance) > 0.2).tolist()
        means = torch.stack([(x * (codes == code)[..., None]).sum(1) / 30 for code in range(4)])
        varied += (means.std(0) > 0.3).flatten().tolist()
    assert sum(better) > len(better) / 2
    assert 0.2 < sum(varied) / len(varied) < 0.99
