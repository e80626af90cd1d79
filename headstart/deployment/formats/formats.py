"""The formats that a fitted model is exported to, by name; each is loaded when it is asked for."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from headstart.listener import LOGGED, Listener

if TYPE_CHECKING:
    from headstart.transfer import Transfer

__all__ = ["FORMATS", "Exported", "Format", "Options", "Parity"]


class Options(NamedTuple):
    """How to export; a format takes those that its row names.

    overwrite  replace what is there
    check_on   data whose rows the export is compared on; None: rows of the training data where they still lie, else
               made-up ones
    opset      of ONNX
    int8       weights, and where calibration pays activations, as whole numbers of 8 bits
    listener   who hears what is done
    """

    overwrite: bool = False
    check_on: Any = None
    opset: int | None = None
    int8: bool = False
    listener: Listener = LOGGED


class Parity(NamedTuple):
    """How the export answers compared with the model, row by row.

    rows      how many, and `origin` of which data, in words
    largest   difference of a probability; of a regression of a value, over the spread of the values
    decided   share of the rows with the same decision
    """

    rows: int
    origin: str
    largest: float
    decided: float

    def __str__(self) -> str:
        return (
            f"parity: largest difference {self.largest:.2g} on {self.rows:,} {self.origin}, "
            f"the same answer to {self.decided:.1%}"
        )


@dataclass(frozen=True)
class Exported:
    """What was written.

    path    the file or folder
    files   all that belongs to it, itself first
    parity  None where a format compares in its own way
    notes   what there is to know of it, in words
    """

    format: str
    path: Path
    files: tuple[Path, ...]
    parity: Parity | None = None
    notes: tuple[str, ...] = ()
    facts: Mapping[str, Any] = field(default_factory=dict)

    def to_json(self) -> dict[str, Any]:
        """As JSON."""
        return {
            "format": self.format,
            "path": str(self.path),
            "files": [str(file) for file in self.files],
            "parity": None if self.parity is None else self.parity._asdict(),
            "notes": list(self.notes),
            **self.facts,
        }

    def __str__(self) -> str:
        parity = () if self.parity is None else (str(self.parity),)
        return "\n".join([*parity, *self.notes, *(f"exported: {file}" for file in self.files)])


Writer = Callable[["Transfer", Path, Options], Exported]


class Format(NamedTuple):
    """A format.

    about    what it is, in words
    writer   "module:function" of `headstart.deployment`, which writes a fitted model to a path
    options  of `Options` beside `overwrite` and `listener` that it takes
    """

    about: str
    writer: str
    options: frozenset[str] = frozenset()

    def write(self, fitted: Transfer, path: Path, options: Options) -> Exported:
        """Write it, whole or not at all."""
        module, _, name = self.writer.partition(":")
        writer: Writer = getattr(import_module(f"headstart.deployment.formats.{module}"), name)
        return writer(fitted, path, options)


_CHECKED = frozenset({"check_on"})

FORMATS: dict[str, Format] = {
    "onnx": Format("a file for onnxruntime", "onnx_file:write_onnx", frozenset({"check_on", "opset", "int8"})),
    "transformers": Format("a folder for transformers", "transformers_folder:write_transformers", _CHECKED),
    "timm": Format("a folder for timm", "timm_folder:write_timm", _CHECKED),
    "skops": Format("a file for scikit-learn (skops)", "skops_file:write_skops", _CHECKED),
    "mlflow": Format("a folder for MLflow", "mlflow_flavour:write_mlflow", _CHECKED),
    "openvino": Format("a folder for OpenVINO", "openvino_ir:write_openvino", _CHECKED),
}
