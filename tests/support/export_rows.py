"""Fitted models of every kind for the table in docs/export.md: each is exported in the formats that may hold it.

One `Case` a model. `exported` writes each format, which compares what it wrote with the model, and gives what was said.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

import hub_rows
import numpy as np
import sound_rows
from exported import soft_pictures
from torch import Tensor, nn

from headstart.artefact.model import Member
from headstart.deployment.formats.export import export
from headstart.errors import HeadstartError
from headstart.transfer import Transfer

FORMATS = ("onnx", "openvino", "transformers", "timm")
CONV = "small:conv4"
RESNET = "timm:test_resnet?weights=random"
ONCE = {"epochs": 1, "batch": 8}
_HUBS = {"hf": "transformers", "timm": "timm"}


class Case(NamedTuple):
    """What is exported.

    model    fits it, given an empty folder: the model and the rows to compare on
    formats  those that are tried
    """

    group: str
    name: str
    model: Callable[[Path], tuple[Transfer, Any]]
    formats: tuple[str, ...]


def exported(case: Case, folder: Path) -> dict[str, str]:
    """By format, the largest difference from the model, or why it is refused."""
    (folder / "source").mkdir(parents=True)
    fitted, rows = case.model(folder / "source")
    cells = {}
    for format in case.formats:
        out = folder / f"out.{format}" if format == "onnx" else folder / format
        try:
            parity = export(fitted, out, format=format, check_on=rows).parity
        except (HeadstartError, ValueError) as error:
            cells[format] = f"refused: {error}"
        else:
            cells[format] = "not compared" if parity is None else f"{parity.largest:.0e}"
    return cells


def _network(row: hub_rows.Row) -> Case:
    """Ridge on a network of a hub with random weights."""

    def model(folder: Path) -> tuple[Transfer, Any]:
        inputs, labels = hub_rows.rows_of(_modality(row), folder)
        inputs = [item if _modality(row) == "text" else str(item) for item in inputs]
        options = {"root": "no"}  # a folder of a hub holds no square roots
        name = row.write(folder)
        return Transfer(name, "ridge", options=options, engine="torch", cache=False).fit(inputs, labels), inputs

    own = (_HUBS[row.hub],) if row.hub in _HUBS and _modality(row) != "audio" else ()
    return Case(f"{row.hub}:", row.network, model, ("onnx", "openvino", *own))


def _modality(row: hub_rows.Row) -> str:
    if row.network in {network for _, network, *_ in sound_rows.NETWORKS}:
        return "audio"
    return "text" if row in hub_rows.ROWS and row.expected is not None and _reads_texts(row) else "image"


def _reads_texts(row: hub_rows.Row) -> bool:
    return row.network in ("BERT", "DistilBERT", "RoBERTa", "DeBERTa", "GPT-2", "Llama", "T5 encoder")


def _pictures(method: str, backbone: str = CONV, **options: Any) -> Callable[[Path], tuple[Transfer, Any]]:
    """On pictures, every second of which is brighter."""

    def model(folder: Path) -> tuple[Transfer, Any]:
        X = soft_pictures()
        alone = {"root": "no"} if method in ("ridge", "logistic", "kernel") else None
        fitted = Transfer(backbone, method, engine="torch", cache=False, **({"options": alone} | options))
        return fitted.fit(X, _targets(options.get("kind"), len(X))), X

    return model


def _targets(kind: str | None, rows: int) -> Any:
    place = np.arange(rows)
    if kind == "regression":
        return np.linspace(-3, 40, rows) + 5 * (place % 2)
    return np.stack([place % 2, place > rows // 2], 1) if kind == "multilabel" else np.array(["a", "b"])[place % 2]


def _adapted(method: str, options: Any) -> Callable[[Path], tuple[Transfer, Any]]:
    """With a source of other pictures."""

    def model(folder: Path) -> tuple[Transfer, Any]:
        X, source = soft_pictures(), soft_pictures(seed=3)
        y = _targets(None, len(X))
        return Transfer(RESNET, method, options=options, engine="torch", cache=False).fit(X, y, source=(source, y)), X

    return model


def _taught(folder: Path) -> tuple[Transfer, Any]:
    teacher, X = _pictures("ridge", CONV)(folder)
    student = Transfer(RESNET, "distil", options=ONCE, engine="torch", cache=False)
    return student.fit(X, _targets(None, len(X)), teacher=teacher), X


def _averaged(*settings: tuple[str, str]) -> Callable[[Path], tuple[Transfer, Any]]:
    """As a race keeps them: several models whose answers are averaged."""

    def model(folder: Path) -> tuple[Transfer, Any]:
        fitted = [_pictures(method, backbone)(folder) for method, backbone in settings]
        (first, X), *others = fitted
        beside = tuple(Member(1 / len(fitted), other.model_) for other, _ in others)
        first.hold(replace(first.model_, beside=beside))
        return first, X

    return model


def _bundled(name: str) -> Callable[[Path], tuple[Transfer, Any]]:
    """On real weights that a package holds, of sounds."""

    def model(folder: Path) -> tuple[Transfer, Any]:
        X, y = hub_rows.rows_of("audio", folder)
        inputs = [str(item) for item in X]
        return Transfer(f"bundled:{name}", "ridge", engine="torch", cache=False).fit(inputs, y), inputs

    return model


def _onnx_file(*, rows: int, channels_last: bool) -> Callable[[Path], tuple[Transfer, Any]]:
    """On a network in an ONNX file, which takes so many rows (0: any) at a time."""

    def model(folder: Path) -> tuple[Transfer, Any]:
        import torch

        network = torch.nn.Sequential(torch.nn.Conv2d(3, 4, 3), torch.nn.ReLU())
        network = torch.nn.Sequential(_ChannelsFirst(), *network) if channels_last else network
        network.eval()
        shape = (2, 32, 32, 3) if channels_last else (2, 3, 32, 32)
        free = None if rows else ({0: torch.export.Dim.DYNAMIC},)
        options: dict[str, Any] = {"dynamic_shapes": free, "external_data": False, "verbose": False}
        torch.onnx.export(network, (torch.zeros(shape)[: rows or 2],), folder / "n.onnx", **options)
        X = soft_pictures()
        mode = "caffe" if channels_last else "unit"
        name = f"onnx:{folder / 'n.onnx'}?preprocess={mode}"
        return Transfer(name, "ridge", engine="torch", cache=False).fit(X, _targets(None, len(X))), X

    return model


class _ChannelsFirst(nn.Module):
    """(N, H, W, 3) -> (N, 3, H, W)."""

    def forward(self, pictures: Tensor) -> Tensor:
        return pictures.permute(0, 3, 1, 2)


_BOTH = ("onnx", "openvino")
_WITH_TIMM = (*_BOTH, "timm")
CASES = (
    *(_network(row) for row in hub_rows.ROWS),
    Case("bundled:", "whisper-base", _bundled("whisper-base"), _BOTH),
    Case("onnx:", "a convolution", _onnx_file(rows=0, channels_last=False), _BOTH),
    Case("onnx:", "one row at a time, BGR, channels last", _onnx_file(rows=1, channels_last=True), _BOTH),
    Case("small:", "conv4", _pictures("ridge"), _BOTH),
    Case("moved", "fine-tune", _pictures("fine-tune", RESNET, options=ONCE), _WITH_TIMM),
    Case("moved", "multilabel", _pictures("fine-tune", RESNET, options=ONCE, kind="multilabel"), _WITH_TIMM),
    Case("moved", "regression", _pictures("fine-tune", RESNET, options=ONCE, kind="regression"), _WITH_TIMM),
    Case("moved", "soup", _pictures("soup", RESNET, options=ONCE), _WITH_TIMM),
    Case("moved", "wise-ft", _pictures("wise-ft", RESNET, options=ONCE), _WITH_TIMM),
    Case("moved", "bitfit", _pictures("bitfit", RESNET, options=ONCE), _WITH_TIMM),
    Case("adapted", "coral", _adapted("coral", None), _WITH_TIMM),
    Case("adapted", "bbse", _adapted("bbse", None), _WITH_TIMM),
    Case("adapted", "dann", _adapted("dann", ONCE), _WITH_TIMM),
    Case("adapted", "mcc", _adapted("mcc", ONCE), _WITH_TIMM),
    Case("taught", "distil", _taught, _WITH_TIMM),
    Case("averaged", "one network", _averaged(("ridge", RESNET), ("kernel", RESNET)), _WITH_TIMM),
    Case("averaged", "two networks", _averaged(("ridge", RESNET), ("logistic", CONV)), _WITH_TIMM),
)
