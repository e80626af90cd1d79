"""The columns of a table as they are, numbers and texts, as the first part of an ONNX graph: `TableEncoder` in it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from headstart.preprocessing.table_columns import CYCLES, FARTHEST, Category, Moment, Number
from headstart.preprocessing.table_encoder import TableEncoder

if TYPE_CHECKING:
    from onnx import ModelProto

__all__ = ["CellColumn", "cell_columns", "in_front"]

_PERIOD = 2 * np.pi
_MARKS = ("", "\u0000missing")
_RESERVED = ("probabilities", "decision", "values", "features", "encoded")
_NETWORK, _COLUMNS = "network/", "columns/"


class CellColumn(NamedTuple):
    """column, kind   its name in the table, and "number", "moment" or "category"
    input         the name of the tensor
    missing_is    what stands for an empty cell of a category; None: not a number
    """

    column: str
    kind: str
    input: str
    missing_is: str | None = None


def cell_columns(encoder: TableEncoder) -> tuple[CellColumn, ...]:
    """Those that the encoder takes."""
    columns = []
    for column in encoder.columns:
        name = column.column
        if name in _RESERVED or name.startswith((_NETWORK, _COLUMNS)) or not name:
            name = f"column.{name}"
        mark = _MARKS[int(_MARKS[0] in column.categories)] if isinstance(column, Category) else None
        columns.append(CellColumn(column.column, column.kind, name, mark))
    return tuple(columns)


def in_front(model: ModelProto, encoder: TableEncoder, columns: Sequence[CellColumn], name: str) -> ModelProto:
    """The model, whose input `name`, (N, D) encoded columns, is made of the columns: each an input (N,) of its own."""
    from onnx import compose

    made = _Maker(model, name)
    for column, told in zip(encoder.columns, columns, strict=True):
        made.column(column, told)
    behind = compose.add_prefix(model, _NETWORK, rename_inputs=False, rename_outputs=False)
    joined: ModelProto = compose.merge_models(made.model(), behind, io_map=[(name, name)])
    return joined


class _Maker:
    """The nodes of the part in front."""

    def __init__(self, model: ModelProto, name: str) -> None:
        from onnx import helper

        self._helper, self._behind, self._name = helper, model, name
        self._nodes: list[Any] = []
        self._constants: list[Any] = []
        self._inputs: list[Any] = []
        self._parts: list[str] = []

    def column(self, column: Number | Category | Moment, told: CellColumn) -> None:
        """The nodes of one column, whose values become the next of the encoded ones."""
        of = {"number": self._number, "category": self._category, "moment": self._moment}[column.kind]
        of(column, told)

    def model(self) -> ModelProto:
        from onnx import TensorProto

        self._node("Concat", self._parts, axis=1, out=self._name)
        encoded = self._helper.make_tensor_value_info(self._name, TensorProto.FLOAT, ["rows", None])
        graph = self._helper.make_graph(self._nodes, "columns", self._inputs, [encoded], self._constants)
        opsets = [*self._behind.opset_import]
        if all(opset.domain != "ai.onnx.ml" for opset in opsets):
            opsets.append(self._helper.make_opsetid("ai.onnx.ml", 3))
        made: ModelProto = self._helper.make_model(graph, opset_imports=opsets, ir_version=self._behind.ir_version)
        return made

    def _number(self, column: Any, told: CellColumn) -> None:
        value = self._input(told.input, np.float64)
        unknown = self._node("Or", [self._node("IsNaN", [value]), self._node("IsInf", [value])])
        filled = self._node("Where", [unknown, self._constant(column.scale.median), value])
        self._scaled(filled, column.scale)
        self._marked(unknown, column.missing)

    def _moment(self, column: Any, told: CellColumn) -> None:
        value = self._input(told.input, np.float64)
        unknown = self._node("IsNaN", [value])
        filled = self._node("Where", [unknown, self._constant(column.scale.median), value])
        self._scaled(filled, column.scale)
        for name in column.cycles:
            turns = self._node("Div", [filled, self._constant(CYCLES[name])])
            part = self._node("Sub", [turns, self._node("Floor", [turns])])
            angle = self._node("Mul", [self._constant(_PERIOD), part])
            self._part(self._node("Sin", [angle]))
            self._part(self._node("Sin", [self._node("Add", [angle, self._constant(np.pi / 2)])]))
        self._marked(unknown, column.missing)

    def _category(self, column: Any, told: CellColumn) -> None:
        value, known = self._input(told.input, np.str_), len(column.categories)
        place = self._node(
            "LabelEncoder",
            [value],
            domain="ai.onnx.ml",
            keys_strings=[*column.categories, told.missing_is],
            values_int64s=[*range(known), known + 1],
            default_int64=known,
        )
        rows = np.zeros((known + 2, len(column.names)), np.float32)
        rows[np.arange(known), np.arange(known)] = 1
        if len(column.rare):
            rows[known, known] = 1
        if column.missing:
            rows[known + 1, -1] = 1
        if rows.shape[1]:
            self._parts.append(self._node("Gather", [self._constant(rows), place], axis=0))

    def _scaled(self, filled: str, scale: Any) -> None:
        x = self._node("Div", [filled, self._constant(scale.scale)])
        x = self._node("Sub", [x, self._constant(scale.mean / scale.scale)])
        self._part(self._node("Clip", [x, self._constant(-FARTHEST), self._constant(FARTHEST)]))

    def _marked(self, unknown: str, mark: bool) -> None:
        if mark:
            self._part(unknown)

    def _part(self, value: str) -> None:
        from onnx import TensorProto

        single = self._node("Cast", [value], to=TensorProto.FLOAT)
        self._parts.append(self._node("Unsqueeze", [single, self._constant(np.array([1]))]))

    def _input(self, name: str, dtype: type) -> str:
        code = self._helper.np_dtype_to_tensor_dtype(np.dtype(object if dtype is np.str_ else dtype))
        self._inputs.append(self._helper.make_tensor_value_info(name, code, ["rows"]))
        return name

    def _node(self, kind: str, inputs: list[str], *, out: str = "", domain: str = "", **attributes: Any) -> str:
        out = out or f"{_COLUMNS}{self._name}/{len(self._nodes)}"
        self._nodes.append(self._helper.make_node(kind, inputs, [out], domain=domain, **attributes))
        return out

    def _constant(self, value: Any) -> str:
        from onnx import numpy_helper

        name = f"{_COLUMNS}{self._name}/constant {len(self._constants)}"
        self._constants.append(numpy_helper.from_array(np.asarray(value), name))
        return name
