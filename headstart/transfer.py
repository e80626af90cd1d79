"""Transfer, the scikit-learn estimator: fit on all the rows it is given; predict, predict_proba, score, save, load."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any, Literal, Self

import numpy as np
from sklearn.base import BaseEstimator
from sklearn.metrics import accuracy_score, r2_score
from sklearn.utils import ClassifierTags, RegressorTags, Tags
from sklearn.utils.metaestimators import available_if
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import check_is_fitted, column_or_1d, validate_data

from headstart import artefact
from headstart.artefact import Model
from headstart.artefact.round_trip import same_answers
from headstart.backbones.backbone import Backbone
from headstart.backbones.load import default, load
from headstart.data.arrays import as_matrix, as_task, is_matrix
from headstart.data.containers import contained
from headstart.data.quality.classes import without_empty_classes
from headstart.data.quality.findings import Report
from headstart.data.read import read
from headstart.data.roles import Roles
from headstart.data.tables import Table
from headstart.data.target_values import column_of, rows_of, target_values, truth_of
from headstart.data.targets import is_missing
from headstart.defaults import with_own_defaults
from headstart.errors import DataError
from headstart.evidence.evidence import Evidence
from headstart.features.cache.cache import Cache
from headstart.features.extract import Extraction
from headstart.features.feature_set import FeatureSet, look, noted, through_window
from headstart.features.window import unsettled
from headstart.linalg.forked import settle
from headstart.listener import LOGGED, Listener
from headstart.methods.model import answer, class_weight_of
from headstart.methods.plan import Plan
from headstart.methods.table import configured, fit_model
from headstart.tasks.task import Array, Kind, Task

__all__ = ["Transfer"]

Device = Literal["auto", "cpu", "cuda"]
EngineChoice = Literal["auto", "torch", "openvino"]
FLOATS = (np.float64, np.float32)


class Transfer(BaseEstimator):  # type: ignore[misc]
    """A pretrained backbone, frozen, and a head fitted on its features; follows the scikit-learn contract.

    X may be a list of picture paths, PIL pictures or strings, a table, or a numeric array (N, D), in any container that
    `data.containers` knows (pandas, pyarrow, polars, torch, Hugging Face). All rows given to `fit` are used; held-out
    evidence comes from `headstart.fit`, which returns a fitted `Transfer`.

    Parameters
    ----------
    backbone : "hub:name", a local folder, or None for the default of the modality (tables and arrays have none)
    method : a row of `headstart.methods.table.METHODS`
    options : of a method that moves weights, by name, such as {"epochs": 20, "lr": 3e-5}; None for its defaults
    window : of pictures of more than 8 bits, (low, high): the numbers that become black and white; None: from the data
    kind : "classification", "regression" or "multilabel"
    class_weight : None, "balanced", or a dict {label: weight}
    seed : of everything random
    engine : "auto", "torch" or "openvino"
    device : "auto", "cpu" or "cuda"
    cache : keep features on disk for the next run

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
        kind: Kind = "classification",
        class_weight: str | dict[Any, float] | None = None,
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
    def fit(self, X: Any, y: Any, groups: Any = None, sample_weight: Any = None) -> Self:
        """Fit on all rows. Rows with the same `groups` label share a fold of the inner cross-validation.

        sample_weight   (N,) numbers from 0 up, how much each row counts. Whole numbers that do not make the rows more
                        than four times as many are repetitions; a row of 0 is as good as not there

        Raises DataError (a ValueError) where X or y cannot be used, and where an input cannot be read.
        """
        settle()
        task = self._task(X, y, groups, sample_weight)
        configured(self.method, self.options or {}, self.seed)  # what is unknown is refused before any work is done
        self.__dict__.pop("model_", None)
        seen = self._readable(self.look(task, listener=LOGGED))
        settled = self.extraction(seen.engine or None)
        return self.hold(fit_model(seen, self.backbone_, self.plan, extraction=settled))

    @with_own_defaults
    def look(self, task: Task, *, listener: Listener, beside: Sequence[Task] = ()) -> FeatureSet:
        """Run the backbone once over a task: that of the fitted model, once there is one, and by the same engine.

        beside   other tasks that a fit will draw on
        """
        if hasattr(self, "model_"):
            note = unsettled(self.backbone_, list(task.inputs)) if task.modality == "image" else ""
            return look(noted(task, note, listener), self.backbone_, self.extraction(self.model_.engine), listener)
        backbone = load(self.backbone or default(task.modality)) if task.modality in ("image", "text") else None
        self.backbone_, task = through_window(backbone, task, beside, self.window, listener)
        return look(task, self.backbone_, self.extraction(), listener)

    def hold(self, model: Model) -> Self:
        """Be this fitted model."""
        settle()
        self.model_, self.backbone_ = model, model.backbone
        if model.kind != "regression":
            self.classes_ = np.array(model.classes)
        return self

    def conclude(self, model: Model, evidence: Evidence, report: Report | None) -> Self:
        """Be this fitted model, with what held-out data and the check said."""
        found = () if report is None else tuple(finding.to_json() for finding in report.findings)
        return self.hold(replace(model, evidence=replace(evidence, findings=found).to_json()))

    @property
    def plan(self) -> Plan:
        """How the head is fitted."""
        return Plan(self.method, self.class_weight, self.seed, self.options or {})

    def predict(self, X: Any) -> Array:
        """(N,) labels; regression: (N,) values; multilabel: (N, C) 0 or 1 in the order of `classes_`."""
        answers = self._answer(X)
        if self.kind == "regression":
            return answers
        if self.kind == "multilabel":
            return np.asarray(answers >= 0.5, dtype=np.uint8)
        return np.asarray(self.classes_[answers.argmax(axis=1)])

    @available_if(lambda self: self.kind != "regression")  # type: ignore[untyped-decorator]
    def predict_proba(self, X: Any) -> Array:
        """(N, C) calibrated probabilities in the order of `classes_`."""
        return self._answer(X)

    def score(self, X: Any, y: Any, sample_weight: Any = None) -> float:
        """Accuracy; regression: R2; of rows that count as `sample_weight` says, or all alike."""
        weights = None if sample_weight is None else np.array(column_of(sample_weight, "sample weights"), np.float64)
        measure = r2_score if self.kind == "regression" else accuracy_score
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
            kind=model.kind,
            class_weight=class_weight_of(model),
            seed=model.options["seed"],
            options=model.options.get("method") or None,
            window=getattr(model.backbone and model.backbone.preprocess, "window", None),
        )
        return fitted.hold(model)

    @property
    def evidence_(self) -> Evidence:
        """What held-out data said of this model. Raises AttributeError where nothing was held out."""
        if getattr(self, "model_", None) is None or self.model_.evidence is None:
            raise AttributeError("this Transfer has no evidence: headstart.fit holds rows out, Transfer.fit uses all")
        return Evidence.from_json(self.model_.evidence)

    @with_own_defaults
    def answers(self, seen: FeatureSet) -> Array:
        """Probabilities (N, C), or values (N,), for a task that the backbone has seen."""
        check_is_fitted(self, "model_")
        return answer(self.model_, seen)

    def _answer(self, X: Any) -> Array:
        check_is_fitted(self, "model_")
        return self.answers(self._readable(self.look(self._inputs(X), listener=LOGGED)))

    def _readable(self, seen: FeatureSet) -> FeatureSet:
        """scikit-learn's contract has one answer for each input, so that none may be set aside."""
        if seen.task.set_aside:
            names = ", ".join(f"{item.name} ({item.why})" for item in seen.task.set_aside[:3])
            raise DataError(
                f"{len(seen.task.set_aside)} inputs cannot be read: {names}. Leave them out; headstart.fit and "
                "headstart.predict set them aside"
            )
        return seen

    def _task(self, X: Any, y: Any, groups: Any, weights: Any) -> Task:
        """The task of a fit: arrays go through scikit-learn's own validation, so that its contract holds."""
        if y is None:
            raise DataError("fit requires y to be passed, but the target y is None: pass one target for each input")
        inputs, targets = contained(X), rows_of(y, "targets")
        if self.kind != "multilabel" and isinstance(targets, np.ndarray):
            targets = column_or_1d(targets, warn=True)
        if isinstance(inputs, Table):
            validate_data(self, inputs.frame, skip_check_array=True)
        elif is_matrix(inputs):
            inputs, targets = self._validated(as_matrix(inputs), targets)
        if self.kind == "classification":
            values, _ = target_values(targets)
            check_classification_targets(values) if not any(map(is_missing, values)) else None
        task = as_task(inputs, targets, kind=self.kind, group=groups, weight=weights)
        if task.weight is None or task.weight.all():
            return task
        return without_empty_classes(task.take(np.flatnonzero(task.weight)))

    def _validated(self, X: Array, y: Any) -> tuple[Array, Any]:
        """(N, D) numbers and their targets, by scikit-learn's rules."""
        if self.kind == "multilabel":
            return validate_data(self, X, dtype=FLOATS, ensure_min_samples=2), y
        values, _ = target_values(y)
        X, _ = validate_data(self, X, values, dtype=FLOATS, ensure_min_samples=2)
        return X, y

    def _inputs(self, X: Any) -> Task:
        """The task of a prediction, without targets."""
        modality, columns = self.model_.modality, self.model_.columns
        if isinstance(X, str):
            raise DataError(f"{X!r:.80} is one string: give a list, [text]; folders and files go to headstart.predict")
        inputs = contained(X)
        if isinstance(inputs, Table) or is_matrix(inputs):
            rows = inputs.frame if isinstance(inputs, Table) else as_matrix(inputs)
            if modality == "array":
                inputs = validate_data(self, rows, reset=False, dtype=FLOATS)
            elif modality == "table" and rows.ndim == 2 and hasattr(self, "feature_names_in_"):
                validate_data(self, rows, skip_check_array=True, reset=False)
        return read(inputs, roles=Roles(modality=modality), need_target=False, columns=columns)

    def extraction(self, fitted_on: dict[str, Any] | None = None) -> Extraction:
        """How features are computed; a fitted model is fed by the engine and precision that its head was fitted on."""
        fitted_on = fitted_on or {"name": self.engine, "precision": "auto"}
        return Extraction(
            engine=fitted_on["name"],
            precision=fitted_on["precision"],
            device=self.device,
            cache=Cache() if self.cache else None,
        )

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
        tags = super().__sklearn_tags__()
        regression = self.kind == "regression"
        tags.estimator_type = "regressor" if regression else "classifier"
        tags.target_tags.required = True
        tags.classifier_tags = None if regression else ClassifierTags(multi_label=self.kind == "multilabel")
        tags.regressor_tags = RegressorTags() if regression else None
        tags.input_tags.string = True
        return tags
