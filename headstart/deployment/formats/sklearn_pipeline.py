"""A model of a table or of arrays as a plain scikit-learn pipeline (Pedregosa et al., 2011), where there is one.

The pipeline reads numbers and words as headstart's own table encoder does, with estimators of scikit-learn alone:

    numbers      MissingIndicator beside SimpleImputer (the median) and MinMaxScaler, set to (x - mean) / scale, clipped
                 to 1000 either side
    categories   OneHotEncoder; what no training row had is all zeros
    head         LogisticRegression, OneVsRestClassifier of them, or Ridge, with coefficients set

A head on "rare" and "missing" columns is linear in the columns of these, so that its weights are moved:
w_rare (1 - sum of the others - missing) goes into the other weights and the intercept.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from sklearn.compose import ColumnTransformer
from sklearn.impute import MissingIndicator, SimpleImputer
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.multiclass import OneVsRestClassifier
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import LabelBinarizer, MinMaxScaler, OneHotEncoder, StandardScaler

from headstart.artefact import Model
from headstart.deployment.formats.linear_head import Affine, affine
from headstart.heads.arrays import UTILITY
from headstart.preprocessing.table_columns import FARTHEST, Category, Number
from headstart.preprocessing.table_encoder import TableEncoder
from headstart.tasks import ARRAY
from headstart.tasks.task import Array

__all__ = ["pipeline_of", "why_no_pipeline"]


def why_no_pipeline(model: Model) -> str:
    """Why scikit-learn's own estimators cannot compute a model, in words; "" where they can."""
    if not model.modality.has_columns:
        return f"it reads {model.modality} inputs"
    if model.backbone is not None and model.backbone.module is not None:
        return f"it has the backbone {model.backbone.name}"
    if model.beside:
        return "it averages several models"
    if affine(model.head) is None:
        return f"its head {model.head.name!r} is more than one linear layer"
    if UTILITY in model.head.arrays:
        return "it answers the class of the highest expected utility, not the likeliest"
    if model.encoder is None:
        return "" if model.modality == ARRAY else "its features are columns that were not learnt"
    others = [column for column in _encoder(model).columns if not isinstance(column, Number | Category)]
    return f"its column {others[0].column!r} holds dates or times" if others else ""


def pipeline_of(model: Model) -> Pipeline:
    """The pipeline, fitted: `predict`, and `predict_proba` in the order of the model's classes.

    Raises ValueError with the words of `why_no_pipeline`.
    """
    head, why = affine(model.head), why_no_pipeline(model)
    if head is None or why:
        raise ValueError(f"this model is no plain pipeline of scikit-learn: {why}")
    if model.encoder is None:
        return _of_numbers(model, head)
    columns = _encoder(model).columns
    transformer, layer = _of_columns(columns, head, dict(model.columns.types) if model.columns else {})
    return Pipeline([("columns", transformer), ("head", _estimator(model, layer))])


def _encoder(model: Model) -> TableEncoder:
    config, arrays = model.encoder or ({}, {})
    return TableEncoder.from_state(config, arrays)


def _of_numbers(model: Model, head: Affine) -> Pipeline:
    """Of (N, D) numbers: standardised as the head does it."""
    width = len(head.weight)
    scaler = StandardScaler()
    plain = "turn" not in model.head.arrays
    scaler.mean_ = np.asarray(model.head.arrays["mean"], np.float64) if plain else np.zeros(width)
    scaler.scale_ = np.asarray(model.head.arrays["scale"], np.float64) if plain else np.ones(width)
    scaler.var_ = scaler.scale_**2
    scaler.n_features_in_, scaler.n_samples_seen_ = width, np.int64(1)
    layer = Affine(head.weight * scaler.scale_[:, None], head.bias + scaler.mean_ @ head.weight)
    return Pipeline([("scale", scaler), ("head", _estimator(model, layer))])


class _Part(NamedTuple):
    """Columns of one sort: the transformer, their names, weights of what it gives, and what goes to the intercept."""

    transformer: Any
    names: list[str]
    weight: Array
    bias: Array


def _of_columns(columns: tuple[Any, ...], head: Affine, types: dict[str, str]) -> tuple[ColumnTransformer, Affine]:
    starts = np.cumsum([0, *(len(column.names) for column in columns)])
    rows = {column.column: head.weight[a:b] for column, a, b in zip(columns, starts, starts[1:], strict=False)}
    numbers = [column for column in columns if isinstance(column, Number)]
    categories = [column for column in columns if isinstance(column, Category)]
    parts: dict[str, _Part] = {}
    if numbers:
        parts["numbers"] = _scaled(numbers, rows)
    if gaps := [column for column in numbers if column.missing]:
        parts["missing"] = _marked(gaps, rows)
    if categories:
        parts["categories"] = _one_hot(categories, rows, types)
    transformer = ColumnTransformer([(name, part.transformer, part.names) for name, part in parts.items()])
    _set_fitted(transformer, [column.column for column in columns], parts)
    bias = head.bias + sum(part.bias for part in parts.values())
    return transformer, Affine(np.vstack([part.weight for part in parts.values()]), np.asarray(bias))


def _scaled(columns: list[Number], rows: dict[str, Array]) -> _Part:
    names = [column.column for column in columns]
    imputer = SimpleImputer(strategy="median")
    scaler = MinMaxScaler(feature_range=(-FARTHEST, FARTHEST), clip=True)
    medians, means, scales = (
        np.array([getattr(column.scale, field) for column in columns]) for field in ("median", "mean", "scale")
    )
    example = np.stack([means - FARTHEST * scales, means + FARTHEST * scales])
    imputer.fit(example)
    scaler.fit(example)
    imputer.statistics_ = medians
    scaler.scale_, scaler.min_ = 1 / scales, -means / scales
    pipeline = Pipeline([("median", imputer), ("scale", scaler)])
    imputer.feature_names_in_ = np.array(names, dtype=object)
    weight = np.stack([rows[name][0] for name in names])
    return _Part(pipeline, names, weight, np.zeros(weight.shape[1]))


def _marked(columns: list[Number], rows: dict[str, Array]) -> _Part:
    names = [column.column for column in columns]
    indicator = MissingIndicator(features="all").fit(np.zeros((1, len(names))))
    indicator.feature_names_in_ = np.array(names, dtype=object)
    weight = np.stack([rows[name][1] for name in names])
    return _Part(indicator, names, weight, np.zeros(weight.shape[1]))


def _one_hot(columns: list[Category], rows: dict[str, Array], types: dict[str, str]) -> _Part:
    """Each category as the text it is, and as the number or truth value that a table may hold in its place."""
    names = [column.column for column in columns]
    values, weights, bias = [], [], np.zeros(next(iter(rows.values())).shape[1])
    for column in columns:
        own = rows[column.column]
        count = len(column.categories)
        rare = own[count] if len(column.rare) else np.zeros_like(bias)
        missing = own[-1] if column.missing else np.zeros_like(bias)
        bias = bias + rare
        spelt = {spelling: own[at] - rare for at, text in enumerate(column.categories) for spelling in _spellings(text)}
        values.append(np.array([*spelt, None, np.nan], dtype=object))
        weights.append(np.stack([*spelt.values(), missing - rare, missing - rare]))
    encoder = OneHotEncoder(handle_unknown="ignore", sparse_output=False)
    encoder.fit(np.full((1, len(names)), "", dtype=object))
    encoder.categories_, encoder._n_features_outs = values, [len(some) for some in values]
    encoder.feature_names_in_ = np.array(names, dtype=object)
    return _Part(encoder, names, np.vstack(weights), bias)


def _spellings(text: str) -> tuple[Any, ...]:
    """A category as text, and as what else `table_cells.texts` writes so."""
    if text in ("true", "false"):
        return text, text == "true"
    return (text, int(text)) if text.lstrip("-").isdecimal() and str(int(text)) == text else (text,)


def _set_fitted(transformer: ColumnTransformer, names: list[str], parts: dict[str, _Part]) -> None:
    """The state that `ColumnTransformer.fit` would have left, without a table to fit on."""
    transformer.feature_names_in_ = np.array(names, dtype=object)
    transformer.n_features_in_ = len(names)
    transformer.transformers_ = [(name, part.transformer, part.names) for name, part in parts.items()]
    transformer._columns = [part.names for part in parts.values()]
    transformer._transformer_to_input_indices = {
        name: [names.index(column) for column in part.names] for name, part in parts.items()
    } | {"remainder": []}
    transformer._remainder = ("remainder", "drop", [])
    transformer.sparse_output_ = False
    stops = np.cumsum([0, *(len(part.weight) for part in parts.values())])
    transformer.output_indices_ = {
        name: slice(int(a), int(b)) for name, a, b in zip(parts, stops, stops[1:], strict=False)
    } | {"remainder": slice(0, 0)}


def _estimator(model: Model, layer: Affine) -> Any:
    """The last step: features to answers."""
    if not model.kind.has_classes:
        ridge = Ridge()
        ridge.coef_, ridge.intercept_ = layer.weight[:, 0], float(layer.bias[0])
        ridge.n_features_in_ = len(layer.weight)
        return ridge
    classes = np.array(model.classes)
    if model.kind.exclusive:
        return _logistic(classes, layer)
    several = OneVsRestClassifier(LogisticRegression())
    columns = [Affine(layer.weight[:, [at]], layer.bias[[at]]) for at in range(len(classes))]
    several.estimators_ = [_logistic(np.array([0, 1]), column) for column in columns]
    several.label_binarizer_ = LabelBinarizer(sparse_output=True).fit(np.eye(len(classes), dtype=np.int64)[[0, 0]])
    several.n_features_in_ = len(layer.weight)
    return several


def _logistic(classes: Array, layer: Affine) -> LogisticRegression:
    """Logits (N, C), or of two classes (N, 1): of scikit-learn's the second against the first."""
    weight, bias = layer.weight, layer.bias
    if len(classes) == 2 and weight.shape[1] == 2:
        weight, bias = weight[:, [1]] - weight[:, [0]], bias[[1]] - bias[[0]]
    logistic = LogisticRegression()
    logistic.classes_, logistic.coef_, logistic.intercept_ = classes, weight.T.copy(), bias
    logistic.n_features_in_, logistic.n_iter_ = len(weight), np.zeros(1, np.int32)
    return logistic
