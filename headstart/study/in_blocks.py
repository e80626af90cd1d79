"""A fit whose features do not fit in memory: they are computed and kept in the cache a share at a time, and the head is
fitted while they pass by from there (`heads.streamed`). What is in memory is names, labels, content keys and answers.

Rule: where features (4 bytes a number) would take more than a quarter of the memory of the machine, and the method is
one of `METHODS_IN_BLOCKS`, or where it is asked for. One held-out split, opened once; models without transfer, which
look at every row anew, are not compared, and the evidence says so.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import replace
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, cast

import numpy as np

from headstart.artefact import Model
from headstart.backbones.backbone import Backbone
from headstart.data.losses import require_few_lost
from headstart.data.splits.groups import blocks
from headstart.data.splits.split import folds
from headstart.errors import DataError
from headstart.evidence.evidence import Evidence, of_answers
from headstart.features.cache.cache import Cache
from headstart.features.cache.session import Session
from headstart.features.cache.stored_rows import StoredRows
from headstart.features.extract import extract, supply_for
from headstart.features.extraction import Extraction
from headstart.features.feature_set import FeatureSet, through_window
from headstart.features.features import Features
from headstart.heads.sample_weights import row_weights
from headstart.heads.streamed import fit_streamed
from headstart.listener import Listener
from headstart.methods.begins import pretrained_for
from headstart.methods.method import Fitted
from headstart.methods.model import model_of
from headstart.study.comparison import held_out_of
from headstart.study.notes import model_of_task, notes_of_task
from headstart.study.resampling import plan_trials
from headstart.study.stopwatch import Stopwatch
from headstart.tasks.goal import Goal
from headstart.tasks.task import SetAside, Task
from headstart.transfer import Transfer

__all__ = ["METHODS_IN_BLOCKS", "beyond_memory", "in_blocks"]

METHODS_IN_BLOCKS = {"probe": "", "logistic": "logistic", "ridge": "ridge", "lda": "lda", "prototypes": "prototypes"}
"""Method -> the head; of the probe logistic regression, or ridge for values."""
SHARE = 0.25
_NARROW = 64
"""Features of the narrowest backbones."""
_AT_ONCE = 256 << 20
"""Bytes of features that are computed before they are let go."""
_UNLIMITED = 1 << 62


def beyond_memory(fitted: Transfer, task: Task) -> bool:
    """Whether the features of a task would take more than a quarter of the memory, and need not be in it; `fitted` is
    what is asked for. A backbone is loaded where those of a narrow one would."""
    most = SHARE * _memory()
    if task.modality.has_columns or fitted.method not in METHODS_IN_BLOCKS or 4 * len(task) * _NARROW <= most:
        return False
    backbone = pretrained_for(fitted.backbone, task, ())
    return backbone is not None and 4 * len(task) * backbone.dim > most


def in_blocks(
    fitted: Transfer, task: Task, goal: Goal, watch: Stopwatch, listener: Listener, *, allow: bool = False
) -> tuple[Model, Evidence]:
    """The model, and what held-out rows say of it; `fitted` is what is asked for, not fitted yet.

    Raises ValueError for a method that has no head in blocks or data that have no backbone, DataError where too few
    rows are there for one split.
    """
    if fitted.method not in METHODS_IN_BLOCKS:
        raise ValueError(f"method {fitted.method!r} needs all features in memory: expected {_names()}")
    backbone = pretrained_for(fitted.backbone, task, ())
    backbone, task = through_window(backbone, task, (), fitted.window, listener)
    if backbone is None or backbone.module is None or backbone.modality.has_columns:
        raise ValueError(
            f"a {task.modality} has no features to compute: a fit in blocks is for pictures, texts, sounds"
        )
    with ExitStack() as stack:
        extraction = replace(fitted.extraction(), thumbs=False)
        if extraction.cache is None:
            folder = stack.enter_context(TemporaryDirectory())
            extraction = replace(extraction, cache=Cache(folder, limit_bytes=_UNLIMITED))
        with watch("features"):
            rows, features, extraction = _looked_at(task, backbone, extraction, listener)
        require_few_lost(rows.task, allow=allow, learnt=True)
        return _Study(fitted, rows, features, backbone, extraction, goal, watch, listener).run()


class _Study:
    """One fit, on rows whose features are in the cache."""

    def __init__(
        self,
        fitted: Transfer,
        rows: FeatureSet,
        features: Features,
        backbone: Backbone,
        extraction: Extraction,
        goal: Goal,
        watch: Stopwatch,
        listener: Listener,
    ) -> None:
        self._rows, self._backbone, self._goal, self._watch, self._listener = rows, backbone, goal, watch, listener
        self._plan = fitted.plan._replace(goal=goal, control=False)
        supply = supply_for(backbone, len(rows), extraction, Session(extraction.cache))
        if supply.store is None:
            raise DataError("the features of these rows were not kept: the cache cannot be written")
        self._store = supply.store
        self._features = features

    def run(self) -> tuple[Model, Evidence]:
        """Fit on the training rows, open the test split once."""
        rows, plan, kind = self._rows, self._plan, self._rows.task.kind
        trials = plan_trials(rows, plan.seed, repeats=1)
        if not trials.held_out:
            raise DataError(f"{len(rows)} rows are too few for a fit in blocks, which tests on one split: leave it out")
        name = METHODS_IN_BLOCKS[plan.method] or ("logistic" if kind.has_classes else "ridge")
        self._listener.say(f"fitting: {name} in blocks of rows that pass by, tested by {trials.words}")
        trial = trials.trials[0]
        train = rows.take(trial.train)
        targets = np.asarray(train.task.targets)
        with self._watch("head"):
            head = fit_streamed(
                StoredRows(self._store, train.keys),
                targets,
                name,
                kind=kind,
                classes=max(1, len(train.task.classes)),
                folds=folds(targets, kind, train.blocks, train.keys, seed=plan.seed),
                scale="shared",
                weights=row_weights(targets, kind, plan.weights(train.task.classes), train.task.weight),
                aim=plan.aim(kind, train.task.classes),
            )
            answers: Any = None
            for numbers, features in StoredRows(self._store, [rows.keys[row] for row in trial.test]):
                some = head.predict(features)
                if answers is None:
                    answers = np.empty((len(trial.test), *some.shape[1:]))
                answers[numbers] = some
        fitted = Fitted(head, self._backbone)
        told = replace(rows, features=self._features)
        model = model_of(fitted, plan, told, classes=rows.task.classes, columns=rows.task.columns)
        with self._watch("evidence"):
            evidence = of_answers(held_out_of(rows, self._goal, trials), answers, {}, seed=plan.seed)
        facts = replace(evidence.facts, model=model_of_task(told, self._backbone, model))
        notes = (*evidence.notes, *notes_of_task(rows, self._backbone, model, trials), _NOTE)
        seconds = self._watch.seconds()
        evidence = replace(
            evidence, n_train=len(train), protocol=trials.words, facts=facts, notes=notes, seconds=seconds
        )
        return model, evidence


_NOTE = (
    "The features did not have to fit in memory: the head was fitted in blocks, and was not compared with models "
    "without transfer."
)


def _looked_at(
    task: Task, backbone: Backbone, extraction: Extraction, listener: Listener
) -> tuple[FeatureSet, Features, Extraction]:
    """The readable rows without their features, which are in the cache; what is known of these; and how the first were
    computed, as which all are."""
    inputs, size = cast("list[Any]", task.inputs), max(1, _AT_ONCE // (4 * backbone.dim))
    keys: list[bytes] = []
    readable: list[Any] = []
    failed: list[SetAside] = []
    last: Features | None = None
    for start in range(0, len(inputs), size):
        tell = partial(_tell, listener, start, len(inputs))
        last = extract(inputs[start : start + size], backbone, extraction, tell)
        keys += last.keys
        readable.append(start + last.rows)
        places, names = task.positions, task.names
        failed += [SetAside(names[start + row], why, int(places[start + row])) for row, why in last.failed]
        engine = {} if last.engine is None else last.engine.to_json()
        last, extraction = last.take(np.arange(0)), extraction.as_fitted(engine)
    if last is None or not keys:
        raise DataError("not one input could be read")
    kept = task.take(np.concatenate(readable))
    kept = replace(kept, set_aside=task.set_aside + tuple(failed))
    return FeatureSet(kept, keys, blocks(len(kept), keys, None, kept.group), None), last, extraction


def _tell(listener: Listener, start: int, total: int, done: int, of: int) -> None:
    listener.progress("features", start + done, total)


def _memory() -> float:
    """Bytes of memory that this process may take: the machine's, or its control group's share."""
    most = float(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")) if hasattr(os, "sysconf") else np.inf
    for limit in _limits():
        most = min(most, limit)
    return most


def _limits() -> Iterator[float]:
    path = Path("/sys/fs/cgroup/memory.max")
    words = path.read_text(encoding="utf-8").strip() if path.is_file() else "max"
    if words != "max":
        yield float(words)


def _names() -> str:
    *first, last = METHODS_IN_BLOCKS
    return f"{', '.join(first)} or {last}"
