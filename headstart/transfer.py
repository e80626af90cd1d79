"""Transfer, the scikit-learn estimator: fit on all the rows it is given; predict, predict_proba, score, save, load."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, Self

import numpy as np
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.metrics import accuracy_score, r2_score
from sklearn.utils import Tags
from sklearn.utils.metaestimators import available_if
from sklearn.utils.validation import check_is_fitted

from headstart import artefact
from headstart.artefact import Model
from headstart.artefact.round_trip import same_answers
from headstart.backbones.backbone import Backbone
from headstart.data.arrays import as_task
from headstart.data.estimator_inputs import both_tasks, tags_of_kind, task_to_answer, task_to_fit
from headstart.data.goals import goal_named, goal_of
from headstart.data.pair import Pair
from headstart.data.quality.findings import Report
from headstart.data.target_values import column_of, truth_of
from headstart.defaults import with_own_defaults
from headstart.errors import DataError
from headstart.evidence.evidence import Evidence
from headstart.evidence.notebook import ShownInNotebook
from headstart.features.cache.cache import Cache
from headstart.features.engines.wish import Device
from headstart.features.extract import Extraction
from headstart.features.feature_set import FeatureSet, look
from headstart.features.held_pixels import HeldPixels
from headstart.heads.sample_weights import check_class_weight
from headstart.linalg.forked import settle
from headstart.listener import LOGGED, Listener
from headstart.methods.answers import answers_of, look_as_fitted
from headstart.methods.begins import look_to_fit, readable
from headstart.methods.born_again import refuse_teacher, teaching_for
from headstart.methods.method import Data
from headstart.methods.model import answer, class_weight_of, features
from headstart.methods.plan import Plan
from headstart.methods.table import configured, fit_model, row_of
from headstart.methods.task_pair import StrategyFitter, TaskPair, refuse_source
from headstart.methods.teaching import Teaching
from headstart.methods.uncertainty_mixin import UncertaintyMixin
from headstart.tasks import CLASSIFICATION, KINDS, Kind
from headstart.tasks.goal import Answers, Goal
from headstart.tasks.task import Array, Task

if TYPE_CHECKING:
    from headstart.heads.head import Features

__all__ = ["Transfer"]

EngineChoice = Literal["auto", "torch", "openvino"]


class Transfer(UncertaintyMixin, ShownInNotebook, TransformerMixin, BaseEstimator):  # type: ignore[misc]
    """A pretrained backbone, frozen, and a head fitted on its features; follows the scikit-learn contract.

    X may be a list of paths of pictures or recordings, PIL pictures or strings, a table, or a numeric array (N, D), in
    any container that `data.containers` knows (pandas, pyarrow, polars, torch, Hugging Face). All rows given to `fit`
    are used; held-out evidence comes from `headstart.fit`, which returns a fitted `Transfer`.

    Parameters
    ----------
    backbone : "hub:name", a local folder, or None for the default of the modality (tables and arrays have none)
    method : a row of `headstart.methods.table.METHODS`
    options : of a method that moves weights, by name, such as {"epochs": 20, "lr": 3e-5}; None for its defaults
    window : of pictures of more than 8 bits, (low, high): the numbers that become black and white; None: from the data
    kind : "classification", "regression" or "multilabel"
    class_weight : None, "balanced", or a dict {label: weight}
    goal : what to be good at, see `data.goals`; None: accuracy, or balanced accuracy where classes are uneven; R2
    seed : of everything random
    engine : "auto", "torch" or "openvino"
    device : "auto", "cpu", "cuda", or one of several such as "cuda:1"
    cache : keep features on disk for the next run
    sample_rate : X are waves, float (T,) or (T, channels) each, with so many samples a second (Hz)

    Attributes
    ----------
    model_ : the fitted model as plain data
    classes_ : (C,) the labels, sorted (not for regression)
    evidence_ : what held-out data said, where the model comes from `headstart.fit`
    """

    backbone_: Backbone | None
    model_: Model

    def __init__(
        self,
        backbone: str | None = None,
        method: str = "probe",
        *,
        kind: str = "classification",
        class_weight: str | dict[Any, float] | None = None,
        seed: int = 0,
        engine: EngineChoice = "auto",
        device: Device = "auto",
        cache: bool = True,
        options: dict[str, Any] | None = None,
        window: tuple[float, float] | None = None,
        goal: str | Goal | None = None,
        sample_rate: int | None = None,
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
        self.goal = goal
        self.sample_rate = sample_rate

    @with_own_defaults
    def fit(
        self,
        X: Any,
        y: Any,
        groups: Any = None,
        sample_weight: Any = None,
        source: Any = None,
        teacher: Any = None,
        unlabelled: Any = None,
    ) -> Self:
        """Fit on all rows. Rows with the same `groups` label share a fold of the inner cross-validation.

        sample_weight   (N,) numbers from 0 up, how much each row counts. Whole numbers that do not make the rows more
                        than four times as many are repetitions; a row of 0 is as good as not there
        source          (X, y) of a related task, for a method that draws on one; y of the target may then be None
        teacher         for a method that learns from one: a fitted Transfer, the folder of a saved model, a list of
                        these or of pairs (teacher, weight), or "self"; y may then be None
        unlabelled      more inputs, to learn the teacher's answers to

        Raises DataError (a ValueError) where X or y cannot be used, and where an input cannot be read.
        """
        settle()
        row = configured(self.method, self.options or {}, self.seed)  # refuses what is unknown before any work is done
        goal_named(self.goal)
        if row.needs_tasks:
            raise ValueError(f"method {self.method!r} weighs the losses of several targets: use headstart.MultiTask")
        if source is not None:
            refuse_source(row, self.method, sample_weight)
            return self._fit_with_source(both_tasks(self, X, y, groups, source))
        refuse_teacher(row, self.method, teacher, unlabelled)
        task = task_to_fit(self, X, y, groups, sample_weight, taught=teacher is not None)
        check_class_weight(self.class_weight, task.kind)
        self.__dict__.pop("model_", None)
        feature_set = readable(self.look(task, listener=LOGGED))
        settled = self.extraction(feature_set.engine or None)
        teaching = None if teacher is None else self._teaching(teacher, unlabelled, feature_set, settled)
        if teaching is not None and y is None:
            feature_set = teaching.answered(feature_set)
        plan = self._plan_of(feature_set.task)
        return self.hold(fit_model(feature_set, self.backbone_, plan, extraction=settled, teaching=teaching))

    def _teaching(self, teacher: Any, unlabelled: Any, feature_set: FeatureSet, extraction: Extraction) -> Teaching:
        """What a teacher says of the rows, and of inputs without a label."""
        bare = None
        if unlabelled is not None:
            more = as_task(unlabelled, sample_rate=self.sample_rate)
            bare = readable(look(more, self.backbone_, extraction, LOGGED, "unlabelled"))
        teaching = teaching_for(teacher, self.plan, Data(feature_set, self.backbone_, (extraction, LOGGED)), bare)
        if teaching.kind != self.kind:
            raise DataError(f"the teacher is of a {teaching.kind}: give Transfer(kind={str(teaching.kind)!r})")
        return teaching

    def _fit_with_source(self, both: Pair) -> Self:
        """Fit to the target of a pair of tasks, all of whose rows are labelled, or none."""
        self.__dict__.pop("model_", None)
        target = readable(self.look(both.target, listener=LOGGED, beside=(both.source,)))
        how = (self.extraction(target.engine or None), LOGGED)
        source = readable(look(both.source, self.backbone_, how[0], LOGGED, "source"))
        labelled = 0 if target.task.targets is None else len(target)
        tasks = TaskPair(source, target, labelled, both.notes)
        plan = self._plan_of(target.task if labelled else source.task)
        fitter = StrategyFitter(tasks, self.backbone_, plan, how, labels=True)
        fitted = row_of(plan).fit(plan, *fitter.given(target, fitter.pair(target)))
        return self.hold(fitter.model(fitted, both.source.columns))

    @with_own_defaults
    def transform(self, X: Any) -> Features:
        """(N, D) the features that the head stands on; those of texts without a backbone are sparse."""
        check_is_fitted(self, "model_")
        return features(self.model_, readable(self.look(task_to_answer(self, X), listener=LOGGED)))

    @with_own_defaults
    def look(
        self, task: Task, *, listener: Listener, beside: Sequence[Task] = (), pixels: HeldPixels | None = None
    ) -> FeatureSet:
        """Run the backbone once over a task: that of the fitted model, once there is one, and by the same engine.

        beside   other tasks that a fit will draw on
        pixels   where prepared pictures are held for another pass
        """
        if hasattr(self, "model_"):
            return look_as_fitted(self.model_, task, self.extraction(self.model_.engine), listener)
        how = (replace(self.extraction(), pixels=pixels), listener)
        self.backbone_, rows = look_to_fit(self.method, self.backbone, task, beside, self.window, how)
        return rows

    def hold(self, model: Model) -> Self:
        """Be this fitted model."""
        settle()
        self.model_, self.backbone_ = model, model.backbone
        if model.kind.has_classes:
            self.classes_ = np.array(model.classes)
        return self

    def conclude(self, model: Model, evidence: Evidence, report: Report | None) -> Self:
        """Be this fitted model, with what held-out data and the check said."""
        findings = () if report is None else tuple(finding.to_json() for finding in report.findings)
        return self.hold(replace(model, evidence=replace(evidence, findings=findings).to_json()))

    @property
    def _kind(self) -> Kind:
        """The kind that `kind` names; what there is not is refused by `fit`."""
        return KINDS.get(self.kind, CLASSIFICATION)

    @property
    def plan(self) -> Plan:
        """How the head is fitted."""
        return Plan(self.method, self.class_weight, self.seed, self.options or {})

    def _plan_of(self, task: Task) -> Plan:
        """The same for a task, with the goal that goes with its classes."""
        return self.plan._replace(goal=goal_of(self.goal, task))

    def predict(self, X: Any) -> Array:
        """(N,) labels; regression: (N,) values; multilabel: (N, C) 0 or 1 in the order of `classes_`."""
        p = self._answer(X)
        decided = self.model_.head.decide(p)
        return np.asarray(self.classes_[decided]) if self._kind.exclusive else decided

    @available_if(lambda self: self._kind.has_classes)  # type: ignore[untyped-decorator]
    def predict_proba(self, X: Any) -> Array:
        """(N, C) calibrated probabilities in the order of `classes_`."""
        return self._answer(X)

    def score(self, X: Any, y: Any, sample_weight: Any = None) -> float:
        """Accuracy; regression: R2; of rows that count as `sample_weight` says, or all alike."""
        weights = None if sample_weight is None else np.array(column_of(sample_weight, "sample weights"), np.float64)
        measure = accuracy_score if self._kind.has_classes else r2_score
        return float(measure(truth_of(y), self.predict(X), sample_weight=weights))

    @with_own_defaults
    def save(self, folder: str | Path, *, slim: bool = False, overwrite: bool = False) -> Path:
        """Write the artefact, read it back and compare before returning its path."""
        check_is_fitted(self, "model_")
        check = partial(same_answers, self.model_)
        return artefact.write(self.model_, Path(folder), slim=slim, overwrite=overwrite, check=check)

    @classmethod
    @with_own_defaults
    def load(cls, folder: str | Path) -> Transfer:
        """A fitted Transfer from an artefact. Raises ArtefactError where it is missing, damaged or foreign."""
        settle()
        model = artefact.read(Path(folder))
        fitted = cls(
            None if model.backbone is None else model.backbone.name,
            model.method,
            kind=str(model.kind),
            class_weight=class_weight_of(model),
            seed=model.options["seed"],
            options=model.options.get("method") or None,
            window=getattr(model.backbone and model.backbone.preprocess, "window", None),
            goal=Goal.from_json(model.options.get("goal")),
        )
        return fitted.hold(model)

    @property
    def evidence_(self) -> Evidence:
        """What held-out data said of this model. Raises AttributeError where nothing was held out."""
        if getattr(self, "model_", None) is None or self.model_.evidence is None:
            raise AttributeError("this Transfer has no evidence: headstart.fit holds rows out, Transfer.fit uses all")
        return Evidence.from_json(self.model_.evidence)

    @with_own_defaults
    def answers(self, feature_set: FeatureSet) -> Answers:
        """Probabilities (N, C), or values (N,), for a task that was looked at; and decisions beside the likeliest."""
        check_is_fitted(self, "model_")
        return answers_of(self.model_, feature_set)

    def _answer(self, X: Any) -> Array:
        check_is_fitted(self, "model_")
        return answer(self.model_, readable(self.look(task_to_answer(self, X), listener=LOGGED)))

    def extraction(self, fitted_on: dict[str, Any] | None = None) -> Extraction:
        """How features are computed; a fitted model is fed by the engine and precision that its head was fitted on."""
        asked = Extraction(engine=self.engine, device=self.device, cache=Cache() if self.cache else None)
        return asked.as_fitted(fitted_on or {})

    @with_own_defaults
    def __getstate__(self) -> dict[str, Any]:
        """For pickle, joblib and copy: the model as the bytes of its artefact, so that no code travels with it."""
        state = {name: value for name, value in dict(super().__getstate__()).items() if name != "backbone_"}
        if "model_" in state:
            state["model_"] = artefact.pack(self.model_)
        return state

    @with_own_defaults
    def __setstate__(self, state: dict[str, Any]) -> None:
        settle()
        fitted = {} if "model_" not in state else {"model_": artefact.unpack(state["model_"])}
        super().__setstate__(state | fitted)
        if fitted:
            self.backbone_ = self.model_.backbone

    def __sklearn_tags__(self) -> Tags:
        return tags_of_kind(super().__sklearn_tags__(), self._kind)
