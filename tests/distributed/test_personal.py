"""A client's own head: the minimum of its loss about the federated head, and no worse choice than that on its folds."""

from __future__ import annotations

import numpy as np
import pytest

from headstart.distributed.clients import read_federation
from headstart.distributed.federate import federate
from headstart.distributed.personal import STRENGTHS, _Rows, _rows, moved, personal_of, shifts
from headstart.heads.head import Head
from headstart.tasks import CLASSIFICATION, MULTILABEL, REGRESSION
from headstart.transfer import Transfer
from tests.distributed.conftest import NAMES

torch = pytest.importorskip("torch")
COLUMNS = {CLASSIFICATION: 3, MULTILABEL: 3, REGRESSION: 1}


def problem(kind, one_class=False):
    random = np.random.default_rng(5)
    columns = COLUMNS[kind]
    z = np.hstack([random.normal(size=(12, 4)), np.ones((12, 1))])
    targets = random.normal(size=12)
    if kind == CLASSIFICATION:
        targets = np.zeros(12, int) if one_class else random.integers(0, 3, 12)
    if kind == MULTILABEL:
        targets = random.integers(0, 2, (12, 3))
    return _Rows(z, random.normal(size=(12, columns)), targets, 1.0)


@pytest.mark.parametrize(
    ("kind", "one_class"),
    [(CLASSIFICATION, False), (CLASSIFICATION, True), (MULTILABEL, False), (REGRESSION, False)],
)
def test_a_shift_is_where_the_gradient_of_loss_and_penalty_is_zero(kind, one_class):
    rows = problem(kind, one_class)
    made = shifts(rows, kind, 3)
    assert not made[0].any()
    assert np.linalg.norm(made[1]) < np.linalg.norm(made[4]) < np.linalg.norm(made[-1])
    for strength, shift in list(zip(STRENGTHS, made, strict=True))[1:8]:
        d = torch.tensor(shift, requires_grad=True)
        y, t = torch.tensor(rows.logits) + torch.tensor(rows.z) @ d, torch.tensor(rows.targets)
        if kind == CLASSIFICATION:
            loss = torch.nn.functional.cross_entropy(y, t)
        elif kind == MULTILABEL:
            loss = torch.nn.functional.binary_cross_entropy_with_logits(y, t.double(), reduction="none").sum(1).mean()
        else:
            loss = (y[:, 0] - t).square().mean() / 2
        (loss + strength / 2 * d.square().sum()).backward()
        assert float(d.grad.abs().max()) < 1e-4


def test_a_moved_head_says_what_its_rows_say():
    random = np.random.default_rng(2)
    arrays = {
        "mean": random.normal(size=4),
        "scale": random.uniform(1, 2, 4),
        "weight.0": random.normal(size=(4, 3)).astype(np.float32),
        "bias.0": random.normal(size=3),
    }
    head = Head(name="ridge", kind=CLASSIFICATION, arrays=arrays, temperature=0.3)
    x, shift = random.normal(size=(9, 4)), random.normal(size=(5, 3))
    rows = _rows(head, x, np.zeros(9, int))
    assert np.square(rows.z[:, :-1]).sum(axis=1).mean() == pytest.approx(1.0)
    own = moved(head, shift, rows.length, {})
    np.testing.assert_allclose(own.logits(x), head.logits(x) / 0.3 + rows.z @ shift, atol=1e-5)
    np.testing.assert_allclose(rows.logits, head.logits(x) / 0.3)


def test_each_rows_answer_is_by_a_head_that_did_not_see_it(serve, owned, owners):
    """Another label of a row changes its own answer in nothing but the strength, which others choose."""
    from dataclasses import replace

    server = serve(head="lda")
    kept = {}
    server.evidence = lambda agreement, heads: kept.update(agreement=agreement, heads=heads) or {}
    server.run()
    client = read_federation(owned / "clients.toml").clients[0]
    member = owners(client)[0].under(kept["agreement"])
    before = personal_of(member, kept["heads"])
    task = member.rows.task
    targets = np.asarray(task.targets).copy()
    targets[3] = 1 - targets[3]
    other = replace(member, rows=replace(member.rows, task=replace(task, targets=targets)))
    other.__dict__["fold"] = member.fold
    after = personal_of(other, kept["heads"])
    same = member.fold == member.fold[3]
    np.testing.assert_allclose(after.out_of_fold[same], before.out_of_fold[same], atol=1e-4)
    losses = before.head.facts.account["losses"]
    assert before.head.facts.account["strength"] == STRENGTHS[int(np.argmin(losses))]


@pytest.mark.slow
def test_a_client_is_offered_its_own_head_and_keeps_it_where_it_asks(owned, tmp_path):
    for name in NAMES:
        (tmp_path / f"{name}.csv").write_bytes((owned / f"{name}.csv").read_bytes())
    text = (owned / "clients.toml").read_text("utf-8").replace('"south"\n', '"south"\npersonal = "own"\n')
    file = tmp_path / "clients.toml"
    file.write_text('head = "lda"\n' + text, "utf-8")
    result = federate(file)
    south = result.clients["south"]
    assert set(south.personal_gains) == {"federated", "alone", "no-transfer"}
    assert "its own head about the federated one" in str(south)
    assert max(map(len, str(result).splitlines())) <= 79
    assert result.to_json()["clients"]["south"]["personal"]["verdicts"] == south.personal_verdicts
    own = Transfer.load(tmp_path / "own")
    assert own.model_.head.name == "personal"
    assert own.evidence_.metrics[south.metric] == south.personal
    assert sorted(path.name for path in tmp_path.iterdir() if path.is_dir()) == ["own"]
    with pytest.raises(FileExistsError, match=r"own exists: use another --out or `personal`, or --overwrite"):
        federate(file)
