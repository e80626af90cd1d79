"""The public `export`: a fitted model as what other programs run."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

from headstart.deployment.formats.formats import FORMATS, Exported, Options
from headstart.listener import LOGGED, Listener

if TYPE_CHECKING:
    from headstart.transfer import Transfer

__all__ = ["export", "fitted_of"]


def export(
    model: str | os.PathLike[str] | Transfer,
    out: str | os.PathLike[str],
    *,
    format: str = "onnx",
    overwrite: bool = False,
    check_on: Any = None,
    opset: int | None = None,
    int8: bool = False,
    listener: Listener = LOGGED,
) -> Exported:
    """Write a fitted model as a file or folder that other programs run, compared with the model before it is there.

    model      the folder of a saved model, or a fitted `Transfer`
    out        the file or folder to write
    format     a row of `headstart.deployment.formats.formats.FORMATS`
    overwrite  replace what is there
    check_on   data whose rows the export is compared on, as `predict` takes it, or with labels as `evaluate` takes it
    opset      of ONNX; None: the one that the documentation states
    int8       weights as whole numbers of 8 bits; what that costs is measured and told

    Raises ArtefactError where there is no whole model or where the export does not answer as the model does,
    ValueError for what a format does not take or a place that cannot be written, ImportError that names the extra
    which is missing, and OSError where the disk refuses. Nothing is left behind then.
    """
    row = FORMATS.get(format)
    if row is None:
        raise ValueError(f"format = {format!r}: expected {', '.join(map(repr, FORMATS))}")
    options = Options(overwrite, check_on, opset, int8, listener)
    for name in ("check_on", "opset", "int8"):
        if name not in row.options and getattr(options, name) not in (None, False):
            raise ValueError(f"{name} is not for {row.about} ({format}): leave it out")
    return row.write(fitted_of(model), Path(out), options)


def fitted_of(model: str | os.PathLike[str] | Transfer) -> Transfer:
    """The fitted model that was given, or that a folder holds. Raises ArtefactError where there is none."""
    from sklearn.utils.validation import check_is_fitted

    from headstart.transfer import Transfer

    if isinstance(model, Transfer):
        check_is_fitted(model, "model_")
        return model
    return Transfer.load(Path(model))
