"""A model as a folder in MLflow's pyfunc flavour, for `mlflow.pyfunc.load_model` and `mlflow models serve`.

Nothing in it is pickled: MLmodel names this module as its loader, and the data beside it are the artefact's files.
"""

from __future__ import annotations

import io
import os
import tempfile
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from PIL import Image

from headstart.artefact import Model
from headstart.data.installed import installed_version
from headstart.deployment.formats.class_names import utf8
from headstart.deployment.formats.comparison import Expected, compared_with
from headstart.deployment.formats.formats import Exported, Options
from headstart.deployment.formats.notes import notes_of
from headstart.deployment.formats.parity import parts
from headstart.deployment.formats.sample import sample_of
from headstart.deployment.formats.staged_folder import ENDING, files_in, new_folder
from headstart.features.extraction import Extraction
from headstart.listener import SILENT
from headstart.methods.answers import answers_of
from headstart.study.answering import answers_to
from headstart.tasks import AUDIO, IMAGE, TEXT
from headstart.tasks.audio import Clip
from headstart.tasks.task import Array, Task
from headstart.tracking.mlflow_run import DEFAULTS
from headstart.transfer import Transfer

__all__ = ["Predictor", "signature_of", "write_mlflow"]

_LIBRARIES = ("torch", "torchvision", "timm", "transformers", "numpy", "pandas", "scipy", "scikit-learn", "openvino")
_COLUMNS = {TEXT: "text", IMAGE: "image", AUDIO: "sound"}
"""By modality the one column of a frame: texts, or the bytes of files."""


def write_mlflow(fitted: Transfer, path: Path, options: Options) -> Exported:
    """Write the folder, load it anew with MLflow, compare, and only then put it in place.

    Raises ImportError where MLflow is missing, and ArtefactError where what was written answers otherwise.
    """
    pyfunc = _pyfunc()
    model = fitted.model_
    with new_folder(path, "mlflow", overwrite=options.overwrite) as stage:
        with tempfile.TemporaryDirectory(dir=stage.parent, prefix=".mlflow-", suffix=ENDING) as temporary:
            _save(pyfunc, model, fitted.save(Path(temporary) / "model"), stage)
        sample = sample_of(fitted, options.check_on)
        rows = fitted.look(sample.task, listener=SILENT)
        expected = Expected(rows.task, *parts(answers_of(model, rows), model.kind), sample.origin)
        answers = pyfunc.load_model(str(stage)).predict(_frame(model, rows.task))
        parity = compared_with(fitted, expected, _predictions(model, answers), _decisions(model, answers))
    return Exported("mlflow", path, tuple(files_in(path)), parity, notes_of(model))


def _save(pyfunc: Any, model: Model, artefact: Path, stage: Path) -> None:
    with warnings.catch_warnings():
        # A row of the training data as an example would leave the machine with the model.
        warnings.filterwarnings("ignore", message=".*input example was not provided")
        pyfunc.save_model(
            path=str(stage),
            loader_module=__name__,
            data_path=str(artefact),
            pip_requirements=_requirements(model),
            signature=signature_of(model),
        )


def _load_pyfunc(path: str) -> Predictor:
    """What MLflow calls to load the flavour from the folder of its data."""
    return Predictor(Transfer.load(path))


class Predictor:
    """A fitted model that answers frames, as MLflow calls it."""

    def __init__(self, fitted: Transfer) -> None:
        self.fitted = fitted

    def predict(self, data: Any, params: dict[str, Any] | None = None) -> pd.DataFrame:
        """One row out for each row in: `prediction`, `p(CLASS)` of each class, and the reason where there is none.

        data   a frame of the columns of a table, or with one column of texts or of the bytes of files; an array (N, D)
        """
        model = self.fitted.model_
        extraction = Extraction(cache=None).as_fitted(model.engine)
        answers = answers_to(model, _inputs(model, data), extraction, listener=SILENT)
        columns = {utf8(name): list(map(_whole, cells)) for name, cells in answers.columns().items()}
        return pd.DataFrame(columns).drop(columns="name")


def _whole(cell: Any) -> Any:
    """An answer in UTF-8, which is all that a frame holds."""
    if isinstance(cell, list):
        return [_whole(part) for part in cell]
    return utf8(cell) if isinstance(cell, str) else cell


def signature_of(model: Model) -> Any:
    """MLflow's signature: the columns of a table with their types, an array (N, D), or one column.

    Columns of numbers are doubles; others are of any type, for a file read again may give words, numbers or truth
    values where the training data had them.
    """
    from mlflow.models import ModelSignature
    from mlflow.types.schema import AnyType, ColSpec, Schema, TensorSpec

    answers = [ColSpec("double" if not model.kind.has_classes else AnyType(), "prediction", required=False)]
    answers += [ColSpec("double", utf8(f"p({label})"), required=False) for label in model.classes]
    if model.modality.has_names and model.columns is not None:
        types = dict(model.columns.types)
        columns = [
            ColSpec("double" if types.get(name) == "number" else AnyType(), name, required=types.get(name) == "number")
            for name in model.columns.input
        ]
        return ModelSignature(inputs=Schema(columns), outputs=Schema(answers))
    if model.modality.has_columns:
        tensor = TensorSpec(np.dtype(np.float64), (-1, _width(model)))
        return ModelSignature(inputs=Schema([tensor]), outputs=Schema(answers))
    name = _COLUMNS[model.modality]
    column = ColSpec("string" if name == "text" else "binary", name)
    return ModelSignature(inputs=Schema([column]), outputs=Schema(answers))


def _width(model: Model) -> int:
    form = None if model.backbone is None else model.backbone.preprocess
    return model.head.width if form is None else len(form.example()[0][0])


def _pyfunc() -> Any:
    for name, value in DEFAULTS.items():
        os.environ.setdefault(name, value)
    try:
        import mlflow.pyfunc
    except ImportError as error:
        raise ImportError("mlflow is missing: pip install 'headstart[track]'") from error
    return mlflow.pyfunc


def _requirements(model: Model) -> list[str]:
    """headstart and the libraries that it predicts with, as they are here."""
    uses = {"openvino"} if model.engine.get("name") == "openvino" else set()
    versions = {name: installed_version(name) for name in _LIBRARIES if name != "openvino" or name in uses}
    own = f"headstart=={installed_version('headstart')}"
    return [own, *(f"{name}=={version.partition('+')[0]}" for name, version in versions.items() if version)]


def _inputs(model: Model, data: Any) -> Any:
    """What MLflow gives as what headstart reads."""
    if model.modality.has_names:
        return data
    if model.modality.has_columns:
        return np.asarray(data, dtype=np.float64)
    if not isinstance(data, pd.DataFrame):
        return list(data)
    name = _COLUMNS[model.modality]
    return list(data[name if name in data.columns else data.columns[0]])


def _frame(model: Model, task: Task) -> Any:
    """The rows of a task as a user of MLflow sends them: files as their bytes."""
    if model.modality.has_columns:
        return task.inputs
    cells = task.inputs if model.modality == TEXT else [_file(item) for item in task.inputs]
    return pd.DataFrame({_COLUMNS[model.modality]: list(cells)})


def _file(item: Any) -> bytes:
    """The bytes of the file of a picture or recording; of one in memory a file that holds it exactly."""
    path = item.path if isinstance(item, Clip) else item if isinstance(item, str | os.PathLike) else None
    if path is not None:
        return Path(path).read_bytes()
    file = io.BytesIO()
    if isinstance(item, Clip):
        if item.data is not None:
            return item.data
        from scipy.io import wavfile

        wavfile.write(file, item.rate, np.asarray(item.wave, np.float32))
    else:
        (item if isinstance(item, Image.Image) else Image.fromarray(item)).save(file, "PNG")
    return file.getvalue()


def _predictions(model: Model, answers: pd.DataFrame) -> Array:
    columns = [utf8(f"p({label})") for label in model.classes] if model.kind.has_classes else ["prediction"]
    values = answers[columns].to_numpy(dtype=np.float64)
    return values if model.kind.has_classes else values[:, 0]


def _decisions(model: Model, answers: pd.DataFrame) -> Array | None:
    """The answers as targets are; None of a regression."""
    if not model.kind.has_classes:
        return None
    codes = {_whole(label): code for code, label in enumerate(model.classes)}
    if model.kind.exclusive:
        return np.array([codes[label] for label in answers["prediction"]])
    several = np.zeros((len(answers), len(codes)), np.uint8)
    for row, labels in enumerate(answers["prediction"]):
        several[row, [codes[label] for label in labels]] = 1
    return several
