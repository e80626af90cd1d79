"""A model as a file of skops (a scikit-learn estimator without pickle), which `skops.io.load` reads."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from headstart.deployment.formats.comparison import compared_with, expected_of
from headstart.deployment.formats.formats import Exported, Options
from headstart.deployment.formats.notes import notes_of
from headstart.deployment.formats.sklearn_pipeline import pipeline_of, why_no_pipeline
from headstart.study.destination import Destination
from headstart.transfer import Transfer

__all__ = ["TRUSTED", "write_skops"]

TRUSTED = ("headstart.transfer.Transfer", "numpy.dtype")
"""The types beyond skops' own that a file of ours may hold: `skops.io.load(file, trusted=...)`."""

_SUFFIXES = (".skops",)


def write_skops(fitted: Transfer, path: Path, options: Options) -> Exported:
    """Write the file, whose bytes were loaded by skops and compared before.

    A model of a table or of arrays with a linear head becomes a pipeline of scikit-learn's own estimators, which needs
    no headstart to predict; any other the fitted `Transfer`, whose state is the bytes of its artefact.

    Raises ValueError where the file cannot be written, and ImportError where skops is missing.
    """
    io = _skops()
    place = _place(path, overwrite=options.overwrite)
    model = fitted.model_
    why = why_no_pipeline(model)
    estimator = fitted if why else pipeline_of(model)
    data: bytes = io.dumps(estimator)
    trusted = sorted(io.get_untrusted_types(data=data))
    if unknown := sorted(set(trusted) - set(TRUSTED)):
        raise ValueError(f"skops would have to trust {', '.join(unknown)}: export to another format, such as --onnx")
    again = io.loads(data, trusted=trusted)
    expected = expected_of(fitted, options)
    inputs = expected.task.inputs
    answers = again.predict_proba(inputs) if model.kind.has_classes else again.predict(inputs)
    parity = compared_with(fitted, expected, answers)
    place.put(data)
    about = "a pipeline of scikit-learn alone" if not why else f"a headstart.Transfer, since {why}"
    loads = f"it is {about}: skops.io.load({path.name!r}, trusted={trusted!r})"
    return Exported("skops", path, (place.path,), parity, (loads, *notes_of(model)), {"trusted": trusted})


def _skops() -> Any:
    try:
        import skops.io
    except ImportError as error:
        raise ImportError("skops is missing: pip install 'headstart[skops]'") from error
    return skops.io


def _place(path: Path, *, overwrite: bool) -> Destination:
    if path.exists() and not path.is_dir() and not overwrite:
        raise ValueError(f"{path} is there already: name another file, or ask to overwrite it (--overwrite)")
    return Destination(path, formats=_SUFFIXES)
