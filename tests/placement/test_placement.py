"""Everything that calculates goes where `device` says: each method, loss, objective and learner on a pretended GPU."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from elsewhere import CUDA, pretended
from PIL import Image

import headstart as hs
from headstart.backbones.load import load
from headstart.features.engines.torch_engine import TorchEngine
from headstart.methods.table import METHODS
from headstart.pretraining.table import PRETRAINING
from headstart.training import step

pytestmark = pytest.mark.device
REFUSED = "two devices|same device"

QUICK = {"epochs": 1, "batch": 8}
LABELS = ["dark", "light"] * 12
TUNES = [
    n
    for n, row in METHODS.items()
    if row.moves_weights and not (row.needs_source or row.needs_teacher or row.needs_tasks)
]
TWO_TASKS = [n for n, row in METHODS.items() if row.moves_weights and row.needs_source]
SEVERAL = [n for n, row in METHODS.items() if row.needs_tasks]
TAUGHT = [n for n, row in METHODS.items() if row.needs_teacher]
OBJECTIVES = {
    "mae": "timm:test_vit?weights=random",
    "dino": "timm:test_vit?weights=random",
    "jigsaw": "timm:test_resnet?weights=random",
}
WITHOUT_LABELS = ["simclr", "moco", "vicreg", "barlow", "byol", "simsiam", "dino", "mae", "rotation", "jigsaw"]
WITHOUT_LABELS += ["mlm", "simcse", "scarf", "vime"]
QUICK_WITHOUT_LABELS = ["simclr", "moco", "dino", "mae", "jigsaw", "mlm", "scarf"]
LEARNERS = ["protonet", "matching", "r2d2", "baseline++", "anil", "simpleshot", "pt-map"]


def some_slow(names, quick):
    """Those that are like others, at a price, are left to `make test-all`."""
    return [name if name in quick else pytest.param(name, marks=pytest.mark.slow) for name in names]


def pictures(seed, side=32, count=24):
    rng = np.random.default_rng(seed)
    made = [rng.integers(0, 256, (side, side, 3), dtype=np.uint8) for _ in range(count)]
    return [picture // 4 if number % 2 == 0 else picture for number, picture in enumerate(made)]


@pytest.fixture
def steps(monkeypatch):
    """Of each training step, whether all weights of the network were on the device."""
    places, plain = [], step.Step.__call__

    def watched(self, *args, **options):
        places.append(all(weight.is_cuda for weight in self.network.parameters()))
        return plain(self, *args, **options)

    monkeypatch.setattr(step.Step, "__call__", watched)
    return places


def test_what_is_refused_with_a_device_is_refused_here():
    with pretended():
        here, there = torch.ones(2, 3), torch.ones(3, 2).to("cuda")
        assert there.device == CUDA
        with pytest.raises(RuntimeError, match=REFUSED):
            here @ there
        with pytest.raises(RuntimeError, match=REFUSED):
            here[there.long()]
        with pytest.raises(TypeError, match="can't convert cuda:0 device type tensor to numpy"):
            there.numpy()
        assert (here.to(there.device) @ there).cpu().tolist() == [[3.0, 3.0], [3.0, 3.0]]
        layer = torch.nn.Linear(3, 2)
        with pytest.raises(RuntimeError, match=REFUSED):
            layer.to("cuda")(here)
        layer(here.to("cuda")).sum().backward()
        assert layer.weight.grad.device == CUDA


@pytest.mark.parametrize("backbone", ["small:conv4-16", "timm:test_vit?weights=random", "bundled:minilm"])
@pytest.mark.parametrize("precision", ["float32", "bfloat16"])
def test_the_engine_gives_features_of_either_precision(backbone, precision):
    module = load(backbone)
    inputs = module.preprocess.probe()
    plain = TorchEngine(module, "float32", "cpu").lane()(*inputs)
    with pretended():
        engine = TorchEngine(module, precision, "cuda:0")
        assert all(weight.is_cuda for weight in engine._module.parameters())
        features = engine.lane()(*inputs)
    assert isinstance(features, np.ndarray)
    np.testing.assert_allclose(features, plain, atol=0.1 * np.abs(plain).max())
    assert all(weight.is_cpu for weight in module.module.parameters())


@pytest.mark.parametrize("method", TUNES)
def test_every_method_that_moves_weights(method, steps):
    backbone = "timm:test_vit?weights=random" if method in ("lora", "ia3", "bitfit") else "small:conv4-16"
    with pretended():
        model = hs.Transfer(backbone, method, options=QUICK, device="cuda", cache=False)
        model.fit(pictures(0), LABELS)
        answers = model.predict_proba(pictures(1)[:4])
    assert answers.shape == (4, 2)
    assert set(steps) == {True}
    assert {weight.device.type for weight in model.model_.backbone.module.parameters()} == {"cpu"}


@pytest.mark.parametrize("method", TWO_TASKS)
def test_every_loss_of_two_tasks(method, steps):
    with pretended():
        model = hs.Transfer("small:conv4-16", method, options=QUICK, device="cuda", cache=False)
        model.fit(pictures(0), LABELS, source=(pictures(1), LABELS))
    assert set(steps) == {True}


@pytest.mark.parametrize(
    "options",
    [{"mixup": 0.2}, {"ema": 0.9}, {"views": 2}, {"optimizer": "sgd"}, {"micro": 2}, {"precision": "float32"}],
    ids=str,
)
def test_options_of_a_training(options, steps):
    with pretended():
        hs.Transfer("small:conv4-16", "fine-tune", options=QUICK | options, device="cuda", cache=False).fit(
            pictures(0), LABELS
        )
    assert set(steps) == {True}


@pytest.mark.parametrize("method", some_slow(["head", "top", "fine-tune", "lora"], ["top", "lora"]))
def test_texts_and_the_cut(method, steps):
    texts = [f"a {word} day number {number}" for number, word in enumerate(["good", "bad"] * 12)]
    with pretended():
        hs.Transfer("bundled:minilm", method, options=QUICK, device="cuda", cache=False).fit(texts, LABELS)
    assert set(steps) == {True}


@pytest.mark.parametrize("method", some_slow(SEVERAL, ["gradnorm", "pcgrad", "nash-mtl"]))
def test_every_way_to_weigh_several_tasks(method, steps):
    answers = {"shade": LABELS, "number": [float(number) for number in range(24)]}
    with pretended():
        model = hs.MultiTask("small:conv4-16", method, options=QUICK, device="cuda", cache=False)
        model.fit(pictures(0), answers)
    assert set(steps) == {True}


@pytest.mark.parametrize("method", some_slow(TAUGHT, ["distil"]))
def test_every_loss_of_a_teacher(method, steps, tmp_path):
    for number, (picture, label) in enumerate(zip(pictures(0), LABELS, strict=True)):
        (tmp_path / label).mkdir(exist_ok=True)
        Image.fromarray(picture).save(tmp_path / label / f"{number}.png")
    teacher = hs.Transfer("small:conv4-32", "ridge", cache=False).fit(pictures(0), LABELS)
    with pretended():
        hs.distil(
            teacher, tmp_path, backbone="small:conv4-16", method=method, options=QUICK, device="cuda", cache=False
        )
    assert set(steps) == {True}


@pytest.mark.parametrize(
    "method", some_slow(WITHOUT_LABELS, ["simclr", "moco", "dino", "mae", "jigsaw", "mlm", "scarf"])
)
def test_every_objective_without_labels(method, steps, tmp_path):
    assert method in PRETRAINING
    data, backbone = pictures(0, side=64), OBJECTIVES.get(method, "small:conv4-64")
    if method in ("mlm", "simcse"):
        data, backbone = [f"a text of words, number {number}" for number in range(24)], "bundled:minilm"
    if method in ("scarf", "vime"):
        rows = np.random.default_rng(0).normal(size=(40, 3)).round(4)
        data, backbone = tmp_path / "rows.csv", None
        data.write_text("a,b,c\n" + "".join(f"{a},{b},{c}\n" for a, b, c in rows))
    with pretended():
        hs.pretrain(
            data, backbone=backbone, method=method, out=tmp_path / "made", options={"epochs": 1, "batch": 12},
            device="cuda", cache=False,
        )  # fmt: skip
    assert set(steps) == {True}


@pytest.mark.parametrize("learner", some_slow(LEARNERS, ["anil"]))
def test_learners_of_episodes(learner, tmp_path):
    for kind in range(12):
        (tmp_path / f"kind {kind}").mkdir()
        for number, picture in enumerate(pictures(kind, side=16, count=6)):
            Image.fromarray(picture).save(tmp_path / f"kind {kind}" / f"{number}.png")
    with pretended():
        learnt = hs.few_shot(
            tmp_path, way=2, shot=(1,), learner=learner, backbone="small:conv4-16", episodes=4, query=2,
            options={} if learner in ("simpleshot", "pt-map") else {"epochs": 1, "steps": 2, "checked": 2},
            device="cuda", cache=False,
        )  # fmt: skip
    assert {weight.device.type for weight in learnt.backbone.module.parameters()} == {"cpu"}
