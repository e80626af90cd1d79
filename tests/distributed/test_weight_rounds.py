"""A federation whose rounds move weights of a backbone: averages, faults, secure sums, a server that was killed."""

from __future__ import annotations

from dataclasses import asdict, replace

import numpy as np
import pytest
import torch
from faulty_clients import dies, not_a_number, too_short
from hypothesis import given, settings
from hypothesis import strategies as st
from small import RESNET, bright
from tiny_backbones import picture_backbone
from torch import nn

from headstart.distributed import weight_rounds
from headstart.distributed.agreement import Agreement
from headstart.distributed.choosing import least_supported
from headstart.distributed.client_app import client_app
from headstart.distributed.clients import Client, Federation, rounds_of
from headstart.distributed.federate import federate
from headstart.distributed.in_process import InProcess
from headstart.distributed.journal import Journal
from headstart.distributed.moved_client import MovedClient, Sent
from headstart.distributed.moving_weights import assembled, first_weights, head_of
from headstart.distributed.owner import NO_TRANSFER, TEMPERATURES, TUNED, Owner
from headstart.distributed.payload import arrays_of
from headstart.distributed.server import Server
from headstart.distributed.weight_rounds import _begun
from headstart.errors import DataError
from headstart.features.cache.cache import Cache
from headstart.features.extract import Extraction
from headstart.features.feature_set import look
from headstart.heads.calibrate import calibrate, row_log_losses
from headstart.heads.from_sums import fit_sums
from headstart.heads.sums import Sums
from headstart.listener import SILENT
from headstart.tasks import CLASSIFICATION, MULTILABEL, REGRESSION
from headstart.tasks.task import Task
from headstart.transfer import Transfer
from tests.distributed.conftest import NAMES
from tests.distributed.test_rounds import in_round

COUNTS = (12, 15, 18)
CLASSES = ("blue", "green", "red")


class Net(nn.Module):
    """Two stages with BatchNorm: (N, 3, 32, 32) -> (N, 6)."""

    def __init__(self):
        super().__init__()
        self.low = nn.Sequential(nn.Conv2d(3, 8, 3, stride=4), nn.BatchNorm2d(8), nn.ReLU())
        self.high = nn.Sequential(nn.Conv2d(8, 6, 3), nn.BatchNorm2d(6), nn.ReLU())

    def forward(self, pixels):
        return self.high(self.low(pixels)).mean((2, 3))


@pytest.fixture(scope="module")
def backbone():
    torch.manual_seed(1)
    return replace(picture_backbone(1, Net(), 6), stages=(("low", ("low.",)), ("high", ("high.",))))


@pytest.fixture(scope="module")
def members(backbone, tmp_path_factory):
    """Three owners of pictures of noise."""
    cache = Cache(tmp_path_factory.mktemp("cache"))
    how, owners = Extraction(engine="torch", precision="float32", lanes=1, cache=cache), {}
    for seed, (name, count) in enumerate(zip(NAMES, COUNTS, strict=True)):
        pictures = [bright(100 * seed + row, 32) for row in range(count)]
        task = Task(
            inputs=pictures, targets=np.arange(count) % 3, kind="classification", modality="image", classes=CLASSES
        )
        owners[name] = Owner(name, look(task, backbone, how, SILENT), backbone, (how, SILENT))
    return owners


@pytest.fixture
def serve(members, backbone, tmp_path, monkeypatch):
    """serve(rounds, apps, **changes): a server that does not test, on a grid of these owners in this process."""
    grids = []
    monkeypatch.setattr(weight_rounds, "load", lambda name: backbone)

    def made(rounds, apps=None, folder=tmp_path / "work", **changes):
        federation = Federation(
            clients=tuple(Client(name=name, data=name) for name in NAMES), folder=tmp_path, folds=3, rounds=rounds
        )
        federation = replace(federation, **changes)
        own = {name: client_app(lambda _, owner=owner: (owner, None)) for name, owner in members.items()}
        grid = InProcess(own | {name: wrap(own[name]) for name, wrap in (apps or {}).items()})
        grids.append(grid)
        server = Server(federation, grid, dict(grid.names), Journal(folder, repr(federation)), SILENT)
        server.tested = lambda *_: {}
        return server

    yield made
    for grid in grids:
        grid.close()


def rounds(strategy="fedavg", **changes):
    return rounds_of(**{"strategy": strategy, "train": "top", "rounds": 2, "epochs": 1, "lr": 0.01} | changes)


def listening(kept):
    """A client that notes down what it was sent and what it answered, by the number of the round."""

    def wrap(app):
        def call(message, context):
            texts = message.content.config_records.get("texts", {})
            sent = arrays_of(message.content)
            reply = app(message, context)
            if texts.get("what") in ("round", "norms") and "base/sizes" in sent:
                kept.append((texts.get("round", "norms"), Sent.of(sent), arrays_of(reply.content)["vector"]))
            return reply

        return call

    return wrap


def state_of(outcome):
    return {name: value.numpy() for name, value in outcome.backbone.module.state_dict().items()}


def kept_of(outcome_of, **how):
    kept = {name: [] for name in NAMES}
    outcome = outcome_of(rounds(**how), {name: listening(kept[name]) for name in NAMES}).run()
    return outcome, kept


def flat(arrays, names):
    return np.concatenate([np.asarray(arrays[name]).ravel() for name in names])


@pytest.mark.parametrize("kind", [CLASSIFICATION, REGRESSION])
def test_all_begin_with_the_exact_head_on_the_backbone_as_it_came(backbone, kind):
    random = np.random.default_rng(4)
    x = random.normal(2.0, 3.0, size=(50, 6)).astype(np.float32)
    targets = np.arange(50) % 3 if kind.has_classes else 40.0 + 7.0 * x[:, 0] + random.normal(size=50)
    sums = [Sums.of(x[rows], targets[rows], kind=kind, classes=3) for rows in (slice(0, 20), slice(20, 50))]
    head = replace(fit_sums(sums, "ridge", kind=kind, scale="shared"), temperature=0.4 if kind.has_classes else 1.0)
    how = rounds()
    agreement = agreement_of(kind, how)
    base, module = _begun(agreement, sums, head)
    if not kind.has_classes:
        np.testing.assert_allclose(base.values, (targets.mean(), targets.std()), rtol=1e-9)
    begun = first_weights(backbone, module, how, 0)
    made = head_of(assembled(backbone, base, how, begun), base, str(kind), how)
    np.testing.assert_allclose(made.logits(x), head.logits(x) / head.temperature, rtol=1e-4, atol=1e-3)


def agreement_of(kind, how):
    """Of three classes, or of values."""
    return Agreement(
        kind=str(kind), modality="image", classes=CLASSES if kind.has_classes else (), encoder=None, width=6,
        head="auto", scale="shared", folds=3, seed=0, rounds=asdict(how),
    )  # fmt: skip


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 10**6), st.sampled_from([CLASSIFICATION, MULTILABEL]), st.booleans(), st.integers(4, 40))
def test_the_temperature_is_that_of_the_rows_in_one_place(seed, kind, right, rows):
    random = np.random.default_rng(seed)
    targets = random.integers(0, 3, rows) if kind.exclusive else random.integers(0, 2, (rows, 3))
    truth = np.eye(3)[targets] if kind.exclusive else targets
    logits = 5.0 * (truth - 0.5) + (0.0 if right else 3.0) * random.normal(size=(rows, 3))
    ones = np.ones(rows)
    losses = np.array([row_log_losses(logits / t, targets, kind, ones)[0].sum() for t in TEMPERATURES])
    want = calibrate(logits, targets, kind).temperature
    if 1e-3 < want < 1e3:
        assert least_supported(losses, kind, 3) == pytest.approx(want, rel=0.02)


def of_backbone(sent):
    return [name for name in sorted(sent.weights.shared) if name.startswith("backbone.")]


def in_place(state, names):
    return flat({name: state[name.removeprefix("backbone.")] for name in names}, names)


def test_the_model_is_the_mean_of_what_clients_answer_by_their_rows(serve):
    outcome, kept = kept_of(serve)
    assert outcome.left_out == {}
    assert outcome.backbone.name == "tiny+top"
    (_, first, _), (_, second, _) = kept["north"]
    names = sorted(first.weights.shared)
    counts = {name: answers[0][2][0] for name, answers in kept.items()}
    assert counts == {name: count * 2 / 3 for name, count in zip(NAMES, COUNTS, strict=True)}
    means = [sum(kept[name][at][2][1:] for name in NAMES) / sum(counts.values()) for at in (0, 1)]
    np.testing.assert_allclose(flat(second.weights.shared, names), means[0], atol=1e-6)
    below = in_place(state_of(outcome), of_backbone(first))
    np.testing.assert_allclose(below, means[1][: len(below)], atol=1e-6)
    assert np.abs(below - flat(first.weights.shared, of_backbone(first))).max() > 1e-3


@pytest.mark.slow
def test_a_secure_sum_gives_the_same_model(serve, tmp_path):
    plain = serve(rounds()).run()
    masked = serve(rounds(), secure=True, folder=tmp_path / "secure").run()
    for name, array in state_of(plain).items():
        np.testing.assert_allclose(state_of(masked)[name], array, atol=1e-5)
    want = plain.head.arrays["weight.0"]  # it begins at a temperature by summed losses, which are right to 1e-3
    np.testing.assert_allclose(masked.head.arrays["weight.0"], want, rtol=1e-2, atol=1e-4)


def test_fedbn_saves_the_mean_of_batchnorm_and_a_client_uses_its_own(serve, members):
    outcome, kept = kept_of(serve, strategy="fedbn")
    answers = {name: kept[name][-1][2] for name in NAMES}
    sent = kept["north"][-1][1]
    names = sorted(sent.weights.own)
    mean = sum(vector[1:] for vector in answers.values()) / sum(vector[0] for vector in answers.values())
    np.testing.assert_allclose(in_place(state_of(outcome), names), mean, atol=1e-6)
    own = {}
    for name in NAMES:
        model = MovedClient(members[name].under(outcome.agreement)).model(sent)
        state = {key: value.numpy() for key, value in model.backbone.module.state_dict().items()}
        own[name] = in_place(state, names)
        np.testing.assert_allclose(own[name], answers[name][1:] / answers[name][0], atol=1e-6)
        shared = of_backbone(sent)
        np.testing.assert_array_equal(in_place(state, shared), in_place(state_of(outcome), shared))
    assert np.abs(own["north"] - own["south"]).max() > 1e-4
    assert np.abs(own["north"] - flat(sent.weights.own, names)).max() > 1e-4


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (dies, "the line is dead"),
        (too_short, "it sent 7 numbers in round 2, where"),
        (not_a_number, "in round 2 that are NaN"),
    ],
)
def test_who_fails_in_a_round_is_left_out_by_name_and_the_others_go_on(serve, make, words):
    kept = {name: [] for name in ("north", "west")}
    apps = {name: listening(kept[name]) for name in kept} | {"south": in_round(2, make)}
    outcome = serve(rounds(), apps).run()
    assert list(outcome.left_out) == ["south"]
    assert words in outcome.left_out["south"]
    answers = [kept[name][1][2] for name in kept]
    below = in_place(state_of(outcome), of_backbone(kept["north"][0][1]))
    mean = sum(vector[1:] for vector in answers) / sum(vector[0] for vector in answers)
    np.testing.assert_allclose(below, mean[: len(below)], atol=1e-6)


def test_whose_network_has_other_weights_to_learn_says_so(serve, members, backbone):
    class Other(Net):
        def __init__(self):
            super().__init__()
            self.high = nn.Sequential(nn.Conv2d(8, 6, 1), nn.BatchNorm2d(6), nn.ReLU())

    other = replace(backbone, module=Other().eval())  # under the fingerprint of the others
    liar = replace(members["south"], backbone=other)
    outcome = serve(rounds(), {"south": lambda _: client_app(lambda __: (liar, None))}).run()
    assert outcome.left_out == {
        "south": "its network has other weights to learn than were sent, such as backbone.high.0.weight (6, 8, 1, 1)"
    }


@pytest.mark.parametrize("strategy", ["fedadam", "fedbn"])
def test_a_server_that_was_killed_in_a_round_goes_on_there(serve, tmp_path, strategy):
    class Killed(BaseException):
        pass

    def kills(message, answer):
        answer()
        raise Killed

    with pytest.raises(Killed):
        serve(rounds(strategy), {"south": in_round(2, kills)}, folder=tmp_path / "kept").run()
    kept = []
    again = serve(rounds(strategy), {"north": listening(kept)}, folder=tmp_path / "kept").run()
    assert [number for number, _, _ in kept if number != "norms"] == ["2"]
    whole = serve(rounds(strategy), folder=tmp_path / "whole").run()
    for name, array in state_of(whole).items():
        np.testing.assert_array_equal(state_of(again)[name], array)


def test_what_cannot_move_is_refused_with_its_key(serve, backbone, monkeypatch):
    def words(match, changed=backbone, **how):
        monkeypatch.setattr(weight_rounds, "load", lambda name: changed)
        with pytest.raises(DataError, match=match):
            serve(rounds(**how)).run()

    words(
        r"\[rounds\] train = 'top' moves weights of a backbone, and tiny has none to move", replace(backbone, stages=())
    )
    words(r"\[rounds\] stages = 3: tiny has 2 stages", stages=3)
    torch.manual_seed(0)
    bare = nn.Sequential(nn.Flatten(), nn.Linear(3 * 32 * 32, 6)).eval()
    stages = (("all", ("1.",)),)
    words(r"\[rounds\] strategy = 'fedbn' .* has none", replace(backbone, module=bare, stages=stages), strategy="fedbn")


def test_tables_have_no_weights_to_move(owned, tmp_path):
    text = (owned / "clients.toml").read_text("utf-8").replace('data = "', f'data = "{owned}/')
    file = tmp_path / "clients.toml"
    file.write_text(text + '[rounds]\nstrategy = "fedavg"\ntrain = "lora"\n', "utf-8")
    with pytest.raises(DataError, match=r"\[rounds\] train = 'lora' moves weights of a backbone, and a table has none"):
        federate(file, listener=SILENT)


@pytest.mark.slow
@pytest.mark.parametrize(("train", "strategy"), [("top", "fedbn"), ("lora", "fedprox")])
def test_a_federation_from_folders_to_predictions(tmp_path, train, strategy):
    pytest.importorskip("peft")
    lines = [f'backbone = "{RESNET}"', "folds = 3"]
    for seed, name in enumerate(NAMES):
        for row in range(12):
            place = tmp_path / name / CLASSES[row % 3]
            place.mkdir(parents=True, exist_ok=True)
            bright(100 * seed + row).save(place / f"{row}.png")
        lines.append(f'[[client]]\nname = "{name}"\ndata = "{name}"\npersonal = "own {name}"')
    lines.append(f'[rounds]\nstrategy = "{strategy}"\ntrain = "{train}"\nrounds = 2\nlr = 1e-3')
    (tmp_path / "clients.toml").write_text("\n".join(lines) + "\n", "utf-8")
    result = federate(tmp_path / "clients.toml", tmp_path / "m", listener=SILENT)
    assert result.left_out == {}
    assert set(result.clients) == set(NAMES)
    for judged in result.clients.values():
        assert judged.rows == 4
        assert set(judged.gains) == {TUNED, "alone", NO_TRANSFER}
        assert "against the same training on its own rows" in str(judged)
    pictures = sorted(str(path) for path in (tmp_path / "north").rglob("*.png"))
    shared, own = Transfer.load(tmp_path / "m"), Transfer.load(tmp_path / "own north")
    for model in (shared, own):
        assert model.method == train
        assert model.backbone_.name.endswith(f"+{train}")
        assert set(model.predict(pictures)) <= set(CLASSES)
    np.testing.assert_allclose(shared.predict_proba(pictures), result.model.predict_proba(pictures), atol=1e-6)
    norms = [name for name in shared.backbone_.module.state_dict() if "running_mean" in name]
    differ = [
        name
        for name in norms
        if not torch.equal(shared.backbone_.module.state_dict()[name], own.backbone_.module.state_dict()[name])
    ]
    assert bool(differ) == (strategy == "fedbn")
