"""Each head of the table of methods in one ONNX graph, which answers any row as the head does."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from sklearn.datasets import load_iris
from torch import nn

pytest.importorskip("onnxruntime")
pytest.importorskip("onnxscript")

from headstart import Transfer
from headstart.deployment.formats.graph import Graph, graph_of
from headstart.deployment.formats.onnx_file import serialized
from headstart.deployment.formats.onnx_graph import converted
from headstart.deployment.formats.parity import session_of
from headstart.heads.head import Head
from headstart.methods.table import METHODS
from headstart.tasks import CLASSIFICATION
from headstart.tasks.goal import Decided

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]
X, Y = load_iris(return_X_y=True)
ROWS = np.arange(len(X)) % 4 == 0
X, Y = X[ROWS], Y[ROWS]
NAMES = np.array(["setosa", "versicolor", "virginica"])[Y]
SEVERAL = np.stack([Y == 0, X[:, 0] > 5.8, X[:, 3] > 1], 1).astype(np.uint8)
FROZEN = [
    name for name, row in METHODS.items() if not row.moves_weights and not row.needs_source and not row.needs_tasks
]
OF_VALUES = ["ridge", "kernel", "boosting", "trees", "neural", "incontext"]
OF_LABELS = ["ridge", "logistic", "neural"]


def formed(form, **arrays):
    """A head of numbers that were drawn, with what may stand below its layers."""
    rng = np.random.default_rng(len(arrays))
    width = arrays["turn"].shape[1] if "turn" in arrays else 4
    layers = {
        "mean": rng.normal(size=width),
        "scale": rng.uniform(0.5, 2, width),
        "weight.0": rng.normal(size=(width, 3)).astype(np.float32),
        "bias.0": rng.normal(size=3),
    }
    return Head(name="drawn", kind=CLASSIFICATION, arrays=layers | arrays, temperature=1.7, form=form)


class Several(nn.Module):
    """Many models of the same columns, one behind the other."""

    def __init__(self, modules):
        super().__init__()
        self.models = nn.ModuleList(modules)

    def forward(self, *inputs):
        return tuple(output for model in self.models for output in model(*inputs))


@pytest.fixture(scope="module")
def models():
    """By name the head, fitted."""
    fitted = {name: Transfer(method=name).fit(X, NAMES).model_ for name in FROZEN}
    fitted |= {
        f"{name} of values": Transfer(method=name, kind="regression").fit(X, X[:, 2]).model_ for name in OF_VALUES
    }
    fitted |= {
        f"{name} of labels": Transfer(method=name, kind="multilabel").fit(X, SEVERAL).model_ for name in OF_LABELS
    }
    fitted["cost"] = Transfer(method="ridge", goal="balanced_accuracy").fit(X[10:], NAMES[10:]).model_
    plain = fitted["ridge"]
    rng = np.random.default_rng(5)
    drawn = {
        "root": formed("root"),
        "unit": formed("plain", unit=np.ones(1)),
        "turned root": formed("root", turn=rng.normal(size=(4, 2)), shift=rng.normal(size=2), unit=np.ones(1)),
        "utility": formed("plain", utility=rng.normal(size=(3, 3))),
    }
    from dataclasses import replace

    return fitted | {name: replace(plain, head=head) for name, head in drawn.items()}


@pytest.fixture(scope="module")
def session(models):
    """All of them in one graph, and where the outputs of each begin."""
    graphs = {name: graph_of(model) for name, model in models.items()}
    first = next(iter(graphs.values()))
    outputs = tuple(f"{name}: {output}" for name, graph in graphs.items() for output in graph.outputs)
    whole = Graph(
        Several([graph.module for graph in graphs.values()]).eval(),
        first.readings,
        first.inputs,
        first.example,
        first.axes,
        outputs,
    )
    return session_of(serialized(converted(whole, 18)))


def asked(session, rows):
    return dict(
        zip([output.name for output in session.get_outputs()], session.run(None, {"columns": rows}), strict=True)
    )


def same(models, outputs, rows):
    for name, model in models.items():
        answers = model.head.answer(rows)
        if not model.kind.has_classes:
            np.testing.assert_allclose(outputs[f"{name}: values"], answers, rtol=1e-4, atol=1e-4, err_msg=name)
            continue
        decided = answers.decisions if isinstance(answers, Decided) else model.head.decide(answers)
        p = answers.predictions if isinstance(answers, Decided) else answers
        np.testing.assert_allclose(outputs[f"{name}: probabilities"], p, atol=1e-4, err_msg=name)
        sure = np.abs(np.sort(p, axis=-1)[..., -1] - np.sort(p, axis=-1)[..., -2]) > 1e-3
        if model.kind.several:
            sure = np.abs(p - 0.5) > 1e-3
        if name != "utility":
            np.testing.assert_array_equal(outputs[f"{name}: decision"][sure], decided[sure], err_msg=name)


def test_every_head_of_the_table_answers_real_rows_as_it_does(models, session):
    assert {"ridge", "logistic", "kernel", "boosting", "trees", "neural", "prototypes", "incontext"} <= models.keys()
    same(models, asked(session, X), X)


def test_a_batch_may_have_any_number_of_rows(models, session):
    for rows in (1, 7):
        same(models, asked(session, X[:rows]), X[:rows])


EXTREME = st.sampled_from([0.0, -0.0, 1e-30, -1e-30, 1e4, -1e4, 5.1, 0.2])


@settings(max_examples=12, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(arrays(np.float64, (3, 4), elements=st.floats(-20, 20, width=32) | EXTREME))
def test_every_head_answers_any_row_as_it_does(models, session, rows):
    same(models, asked(session, rows), rows)
