"""MultiTask, the estimator of several targets: fit on a table of answers; predict, predict_proba, scores, save."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any, Self

import numpy as np
import pandas as pd
from sklearn.base import BaseEstimator
from sklearn.metrics import accuracy_score, r2_score
from sklearn.utils.validation import check_is_fitted

from headstart import artefact
from headstart.artefact import Model, MultiTaskModels
from headstart.artefact.round_trip import same_answers
from headstart.data.multi_task import columns_of, kinds_named, multi_task_of, table_of, targets_among
from headstart.data.read import read
from headstart.data.roles import Roles
from headstart.defaults import with_own_defaults
from headstart.errors import DataError
from headstart.evidence.multi_task import MultiTaskEvidence
from headstart.evidence.origin import Origin
from headstart.features.engines.wish import Device
from headstart.features.extraction import Extraction
from headstart.features.feature_set import FeatureSet
from headstart.linalg.forked import settle
from headstart.listener import LOGGED, Listener
from headstart.messages import few
from headstart.methods.answers import look_as_fitted
from headstart.methods.method import Data
from headstart.methods.model import class_weight_of, model_of
from headstart.methods.multi_task import SHARED, configured_for_tasks, fit_tasks
from headstart.methods.plan import Plan
from headstart.multitask.parts import part_of
from headstart.study.multi_task_answers import all_answers, answers_of_target
from headstart.tasks.modality import Modality
from headstart.tasks.task import Array, Task
from headstart.transfer import EngineChoice, Transfer

__all__ = ["MultiTask"]


class MultiTask(BaseEstimator):  # type: ignore[misc]
    """A head a target, on one pretrained backbone or on the columns of a table.

    All rows given to `fit` are used; held-out evidence comes from `headstart.fit_tasks`, which returns a fitted one.

    Parameters
    ----------
    backbone, class_weight, seed, engine, device, cache, options, window : as of `headstart.Transfer`
    method : a row of `headstart.methods.METHODS`; "auto" is joint, and with `headstart.fit_tasks` a target that is
        shown to be worse together is learnt alone
    kind : of all targets, or one each with commas between them; None: from their answers

    Attributes
    ----------
    models_ : by target, the fitted model as plain data
    targets_ : the names of the targets
    evidence_ : what held-out data said, where the model comes from `headstart.fit_tasks`
    """

    models_: dict[str, Model]

    def __init__(
        self,
        backbone: str | None = None,
        method: str = "auto",
        *,
        kind: str | None = None,
        class_weight: str | None = None,
        seed: int = 0,
        engine: EngineChoice = "auto",
        device: Device = "auto",
        cache: bool = True,
        options: dict[str, Any] | None = None,
        window: tuple[float, float] | None = None,
    ) -> None:
        self.backbone = backbone
        self.method = method
        self.kind = kind
        self.class_weight = class_weight
        self.seed = seed
        self.engine = engine
        self.device = device
        self.cache = cache
        self.options = options
        self.window = window

    @with_own_defaults
    def fit(self, X: Any, Y: Any, groups: Any = None) -> Self:
        """Fit on all rows.

        X   as of `Transfer.fit`
        Y   a table, or a dictionary, with a column of answers for each target; where one is missing (None, NaN or "")
            the others are learnt from all the same

        Raises DataError where X or Y cannot be used, and where an input cannot be read.
        """
        settle()
        plan = self.plan
        configured_for_tasks(plan)
        columns = table_of(Y)
        tasks = multi_task_of(X, columns, kinds=kinds_named(self.kind, list(columns)), group=groups)
        self.__dict__.pop("models_", None)
        door = self._door()
        feature_set = _readable(door.look(tasks.whole(), listener=LOGGED))
        how = (door.extraction(feature_set.engine or None), LOGGED)
        fits = fit_tasks(plan, Data(feature_set, door.backbone_, how))
        parts = zip(feature_set.task.kind.parts, tasks.answers, fits, strict=True)
        models = {
            part.name: model_of(
                fitted, plan, part_of(feature_set, part), classes=part.classes, columns=columns_of(tasks.task, answer)
            )
            for part, answer, fitted in parts
        }
        return self.hold(models)

    @property
    def plan(self) -> Plan:
        """How the heads are fitted."""
        name = SHARED if self.method == "auto" else self.method
        return Plan(name, self.class_weight, self.seed, self.options or {})

    @property
    def targets_(self) -> tuple[str, ...]:
        """The names of the targets."""
        check_is_fitted(self, "models_")
        return tuple(self.models_)

    @property
    def modality_(self) -> Modality:
        """What the inputs are."""
        check_is_fitted(self, "models_")
        return next(iter(self.models_.values())).modality

    @property
    def evidence_(self) -> MultiTaskEvidence:
        """What held-out data said of this model. Raises AttributeError where nothing was held out."""
        evidence: MultiTaskEvidence | None = getattr(self, "_said", None)
        if evidence is None:
            raise AttributeError("this MultiTask has no evidence: headstart.fit_tasks holds rows out, fit uses all")
        return evidence

    @property
    def known_evidence(self) -> MultiTaskEvidence | None:
        """The same; None where nothing was held out."""
        return self._said

    def hold(self, models: dict[str, Model], evidence: MultiTaskEvidence | None = None) -> Self:
        """Be this fitted model."""
        settle()
        self.models_, self._said = models, evidence
        return self

    def with_origin(self, origin: Origin) -> Self:
        """The same, whose evidence tells what it was fitted to."""
        return self.hold(self.models_, replace(self.evidence_, origin=origin))

    def predict(self, X: Any) -> pd.DataFrame:
        """A column a target: (N,) labels or values; lists of labels of a multilabel target."""
        answers = self._asked(X)
        columns = {}
        for name, values in answers.items():
            model = self.models_[name]
            column = np.empty(len(values), dtype=object)
            column[:] = [model.kind.in_words(row, model.classes) for row in model.head.decide(values)]
            columns[name] = pd.Series(column).infer_objects()
        return pd.DataFrame(columns)

    def predict_proba(self, X: Any) -> dict[str, Array]:
        """By target that has classes: (N, C) calibrated probabilities in the order of the classes of its model."""
        return {name: values for name, values in self._asked(X).items() if self.models_[name].kind.has_classes}

    def scores(self, X: Any, Y: Any) -> dict[str, float]:
        """By target: accuracy, or R2, of the rows whose answer is known."""
        labels, answers = table_of(Y), self.predict(X)
        measured = {}
        for name in self.targets_:
            if name not in labels:
                raise DataError(f"there are no answers to {name!r}: give a table with the columns {few(self.targets_)}")
            truth = pd.Series(list(labels[name]), dtype=object)
            labelled = truth.notna().to_numpy()
            pair = (truth[labelled].tolist(), answers[name][labelled].tolist())
            classes = self.models_[name].kind.has_classes
            exact = [int(_same(*both)) for both in zip(*pair, strict=True)]
            measured[name] = float(accuracy_score([1] * len(exact), exact) if classes else r2_score(*pair))
        return measured

    def score(self, X: Any, Y: Any) -> float:
        """The mean over targets of `scores`."""
        return float(np.mean(list(self.scores(X, Y).values())))

    @with_own_defaults
    def save(self, folder: str | Path, *, slim: bool = False, overwrite: bool = False) -> Path:
        """Write the artefact, read it back and compare before returning its path."""
        check_is_fitted(self, "models_")
        evidence = self._said
        page, facts = ("", None) if evidence is None else (str(evidence), evidence.to_json())
        models = MultiTaskModels(self.models_, self.method, page, facts)
        return artefact.write_multi_task(models, folder, slim=slim, overwrite=overwrite, check=self._compare)

    @classmethod
    @with_own_defaults
    def load(cls, folder: str | Path) -> MultiTask:
        """A fitted MultiTask from an artefact. Raises ArtefactError where it is missing, damaged or foreign."""
        settle()
        stored = artefact.read_multi_task(folder)
        first = next(iter(stored.models.values()))
        weights = class_weight_of(first)
        fitted = cls(
            None if first.backbone is None else first.backbone.name,
            stored.method,
            kind=",".join(model.kind for model in stored.models.values()),
            class_weight=weights if isinstance(weights, str) else None,
            seed=first.options["seed"],
            options=first.options.get("method") or None,
            window=getattr(first.backbone and first.backbone.preprocess, "window", None),
        )
        evidence = None if stored.evidence is None else MultiTaskEvidence.from_json(stored.evidence)
        return fitted.hold(stored.models, evidence)

    def present(self, data: Any) -> tuple[str, ...]:
        """Those of the targets that are columns of a table. DataError where none is."""
        names = targets_among(data, self.targets_)
        if not names:
            raise DataError(f"none of the targets {few(self.targets_)} is a column of the data: name a labelled table")
        return names

    def look(self, task: Task, *, listener: Listener) -> FeatureSet:
        """Run the backbone of the first target once over a task; see `Transfer.look`."""
        first = next(iter(self.models_.values()))
        return look_as_fitted(first, task, self.extraction().as_fitted(first.engine), listener)

    def answers(self, name: str, feature_set: FeatureSet) -> Array:
        """Of one target, to rows that `look` has seen: probabilities (N, C), or values (N,)."""
        return answers_of_target(self.models_, name, feature_set, self.extraction())

    def all_answers(self, feature_set: FeatureSet | None) -> dict[str, Array]:
        """Of all targets; of no rows where nothing was seen."""
        return all_answers(self.models_, feature_set, self.extraction())

    def extraction(self) -> Extraction:
        """How features are computed."""
        return self._door().extraction()

    def learnt_from(self, name: str) -> int:
        """How many rows a target was learnt from, as far as the evidence says; else 0."""
        evidence = self._said
        return 0 if evidence is None else evidence.tasks[name].n_train

    def _asked(self, X: Any) -> dict[str, Array]:
        check_is_fitted(self, "models_")
        if isinstance(X, str):
            raise DataError(f"{X!r:.80} is one string: give a list, [text]; files go to headstart.predict_tasks")
        first = next(iter(self.models_.values()))
        task = read(X, roles=Roles(modality=first.modality), need_target=False, columns=first.columns)
        return self.all_answers(_readable(self.look(task, listener=LOGGED)))

    def _door(self) -> Transfer:
        """What runs the backbone that is to be fitted on, and says how backbones are run."""
        return Transfer(
            self.backbone, seed=self.seed, engine=self.engine, device=self.device, cache=self.cache, window=self.window
        )

    def _compare(self, again: MultiTaskModels) -> None:
        for name, model in self.models_.items():
            same_answers(model, again.models[name])

    @with_own_defaults
    def __getstate__(self) -> dict[str, Any]:
        """For pickle, joblib and copy: each model as the bytes of its artefact, so that no code travels with it."""
        state = dict(super().__getstate__())
        if "models_" in state:
            state["models_"] = {name: artefact.pack(model) for name, model in self.models_.items()}
            state["_said"] = None if self._said is None else self._said.to_json()
        return state

    @with_own_defaults
    def __setstate__(self, state: dict[str, Any]) -> None:
        settle()
        if "models_" in state:
            models = {name: artefact.unpack(files) for name, files in state["models_"].items()}
            evidence = None if state["_said"] is None else MultiTaskEvidence.from_json(state["_said"])
            state = state | {"models_": models, "_said": evidence}
        super().__setstate__(state)


def _same(truth: Any, answer: Any) -> bool:
    """Whether an answer is the true one; of several labels, in any order."""
    if isinstance(answer, list):
        return set(map(str, truth)) == set(map(str, answer))
    return bool(truth == answer) or str(truth) == str(answer)


def _readable(feature_set: FeatureSet) -> FeatureSet:
    """One answer for each input, so that none may be set aside."""
    if feature_set.task.set_aside:
        names = few((f"{item.name} ({item.why})" for item in feature_set.task.set_aside), 3)
        raise DataError(
            f"{len(feature_set.task.set_aside)} rows cannot be used: {names}. Leave them out; headstart.fit_tasks and "
            "headstart.predict_tasks set them aside"
        )
    return feature_set
