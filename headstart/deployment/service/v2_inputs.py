"""From the tensors of a V2 request to inputs of the modality that the model reads."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from headstart.artefact.model import Model
from headstart.deployment.service.inputs import expected_by
from headstart.deployment.service.refusal import Refusal
from headstart.deployment.service.tensors import Tensor
from headstart.messages import few
from headstart.tasks import ARRAY, AUDIO, IMAGE, TABLE, TEXT

__all__ = ["described_inputs", "items_of"]

INPUT = "input"
"""What the one input is called where the model reads no named columns."""


def described_inputs(model: Model) -> list[dict[str, Any]]:
    """As metadata have them. A table has a tensor for each column, which may be of any type."""
    if model.modality == ARRAY:
        return [{"name": INPUT, "datatype": "FP64", "shape": [-1, -1]}]
    names = _columns(model) or (INPUT,)
    types = {} if model.columns is None else dict(model.columns.types)
    numbers = model.modality == TABLE
    return [
        {"name": name, "datatype": "FP64" if numbers and types.get(name) == "number" else "BYTES", "shape": [-1]}
        for name in names
    ]


def items_of(model: Model, tensors: Sequence[Tensor], parameters: Any) -> list[Any]:
    """As `inputs.task_of` takes them. Raises Refusal (422).

    parameters   of the request; of waves "sample_rate" is their number of samples a second
    """
    if model.modality not in _ITEMS:
        raise Refusal(422, expected_by(model))
    items = _ITEMS[model.modality](model, tensors, parameters if isinstance(parameters, dict) else {})
    if not items:
        raise Refusal(422, "the tensors have no rows")
    return items


def _columns(model: Model) -> tuple[str, ...]:
    """Those that a model of tables, or of texts in several columns, was fitted on."""
    columns = () if model.columns is None else model.columns.input
    return columns if model.modality.has_columns or (model.modality == TEXT and len(columns) > 1) else ()


def _only(model: Model, tensors: Sequence[Tensor]) -> Tensor:
    if len(tensors) != 1:
        raise Refusal(422, f"expected one tensor, {INPUT!r}, not {few(tensor.name for tensor in tensors)}")
    return tensors[0]


def _pictures(model: Model, tensors: Sequence[Tensor], parameters: dict[str, Any]) -> list[Any]:
    tensor = _only(model, tensors)
    if tensor.datatype == "BYTES":
        return list(tensor.files())
    if tensor.datatype == "UINT8" and tensor.values.ndim == 4:
        return list(tensor.values)
    raise Refusal(422, "the model reads pictures: BYTES (N) of files, or UINT8 (N, H, W, 3)")


def _sounds(model: Model, tensors: Sequence[Tensor], parameters: dict[str, Any]) -> list[Any]:
    tensor = _only(model, tensors)
    if tensor.datatype == "BYTES":
        return list(tensor.files())
    rate = parameters.get("sample_rate")
    if tensor.datatype == "FP32" and tensor.values.ndim in (2, 3) and isinstance(rate, int):
        return [(wave, rate) for wave in tensor.values]
    raise Refusal(422, 'the model reads recordings: BYTES (N) of files, or FP32 (N, T) and the parameter "sample_rate"')


def _texts(model: Model, tensors: Sequence[Tensor], parameters: dict[str, Any]) -> list[Any]:
    names = _columns(model)
    ordered = [_only(model, tensors)] if not names else _by_name(names, tensors)
    if any(tensor.datatype != "BYTES" for tensor in ordered):
        raise Refusal(422, "the model reads texts: BYTES (N)")
    columns = [tensor.texts() for tensor in ordered]
    return list(columns[0]) if len(columns) == 1 else list(zip(*_equal(columns), strict=True))


def _by_name(names: Sequence[str], tensors: Sequence[Tensor]) -> list[Tensor]:
    by_name = {tensor.name: tensor for tensor in tensors}
    if missing := [name for name in names if name not in by_name]:
        raise Refusal(422, f"no tensor for {few(missing)}: the model reads {few(names)}")
    return [by_name[name] for name in names]


def _equal(columns: Sequence[list[Any]]) -> Sequence[list[Any]]:
    if len({len(column) for column in columns}) > 1:
        raise Refusal(422, "the tensors have different numbers of rows")
    return columns


def _rows(model: Model, tensors: Sequence[Tensor], parameters: dict[str, Any]) -> list[Any]:
    names = _columns(model)
    if not names or (len(tensors) == 1 and tensors[0].values.ndim == 2 and tensors[0].name == INPUT):
        tensor = _only(model, tensors)
        if tensor.values.ndim != 2 or tensor.datatype == "BYTES":
            raise Refusal(422, "the model reads rows of numbers: one tensor of shape (N, D)")
        return list(tensor.values.tolist())
    ordered = _by_name(names, tensors)
    cells = [tensor.texts() if tensor.datatype == "BYTES" else tensor.values.ravel().tolist() for tensor in ordered]
    return [dict(zip(names, row, strict=True)) for row in zip(*_equal(cells), strict=True)]


_ITEMS: dict[str, Callable[[Model, Sequence[Tensor], dict[str, Any]], list[Any]]] = {
    IMAGE: _pictures,
    AUDIO: _sounds,
    TEXT: _texts,
    TABLE: _rows,
    ARRAY: _rows,
}
