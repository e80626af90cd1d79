"""The OpenVINO engine: the network converted by OpenVINO's own PyTorch front end and compiled for this CPU.

Normalisation is part of the compiled graph, so that uint8 pixels go in. One stream a lane, each on one thread.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from copy import deepcopy
from typing import Any

import numpy as np
import torch

from headstart.backbones.backbone import Backbone
from headstart.backbones.torch_only import torch_only
from headstart.features.engines.engine import Precision, Rows, Runner, Unfit, checked
from headstart.features.engines.interrupts import interrupts_wait
from headstart.features.engines.same_graph import keep_graph, refilled
from headstart.preprocessing.spec import PicturePreprocess, Preprocess
from headstart.tasks.task import Array

__all__ = ["OpenVINOEngine", "import_openvino"]

_PICTURES = 4
_TOKENS = 512
_HINTS = {"float32": "f32", "bfloat16": "bf16"}


class OpenVINOEngine:
    """A compiled copy of the backbone. `Unfit` where OpenVINO is missing, or cannot convert or run this network.

    anew       do not use the graph of a network of the same architecture
    refilled   whether that was done
    """

    flight = 0

    def __init__(self, backbone: Backbone, precision: Precision, lanes: int, *, anew: bool = False) -> None:
        self._name, self._width = backbone.name, backbone.dim
        openvino = import_openvino()
        _require_threads()
        preprocess = backbone.preprocess
        if preprocess is None:
            raise Unfit(f"{backbone.name} has no network to convert")
        if why := torch_only(backbone.module):
            raise Unfit(f"OpenVINO cannot run {backbone.name}: {why}")
        self.fixed = preprocess.shape is not None
        self.batch = _PICTURES if self.fixed else _TOKENS
        self.lengths: tuple[int, ...] = (self.batch,)
        try:
            with interrupts_wait():
                model = None if anew else refilled(backbone, openvino)
                self.refilled = model is not None
                if model is None:
                    model = _fed(openvino, _converted(backbone, preprocess), preprocess)
                keep_graph(backbone, model)
                self._graph, self._settings = model, _settings(precision, lanes)
                self._compiled = {self.batch: openvino.Core().compile_model(model, "CPU", self._settings)}
        except Exception as error:  # tracing runs the network's own code, and the front end raises by turns
            raise Unfit(f"OpenVINO cannot convert {backbone.name}: {str(error)[:300]}") from error

    def compile_for(self, length: int) -> None:
        """Lanes that are made from now on take so many pictures, too. `Unfit` where the graph cannot be had for them.

        The compiled graph has weights of its own.
        """
        shape = self._graph.input(0).get_shape()
        try:
            with interrupts_wait():
                graph = self._graph.clone()
                graph.reshape([length, *list(shape)[1:]])
                self._compiled[length] = import_openvino().Core().compile_model(graph, "CPU", self._settings)
        except Exception as error:  # its passes raise by turns
            raise Unfit(f"OpenVINO cannot run {self._name} on {length} at a time: {_last_line(error)}") from error

    def lane(self) -> Runner:
        """One inference request of its own for each thread, and for each length that was compiled."""
        requests = {length: compiled.create_infer_request() for length, compiled in self._compiled.items()}
        whole = requests[self.batch]

        def run(*inputs: Array) -> Rows:
            request = requests.get(len(inputs[0]), whole) if self.fixed else whole
            try:
                request.infer([np.ascontiguousarray(array) for array in inputs], share_inputs=True)
            except RuntimeError as error:  # it finds out at the first run that it has no kernel for these instructions
                raise Unfit(f"OpenVINO cannot run {self._name} here: {_last_line(error)}") from error
            return checked(np.array(request.get_output_tensor(0).data), len(inputs[0]), self._width)

        return run


def _last_line(error: Exception) -> str:
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return lines[-1][:200] if lines else type(error).__name__


def import_openvino() -> Any:
    """The openvino module. `Unfit`, naming the extra, where it is not installed.

    Importing openvino reports its use to Google Analytics if its companion openvino_telemetry can be imported;
    headstart makes no network call that was not asked for, so the companion is hidden meanwhile.
    """
    with _hidden("openvino_telemetry"):
        try:
            import openvino
            import openvino.frontend.pytorch.ts_decoder
            import openvino.preprocess
        except ImportError as error:
            raise Unfit(f"OpenVINO is not installed ({error}): pip install 'headstart[openvino]'") from error
    return openvino


def _require_threads() -> None:
    """`Unfit` in a process that was forked from one in which OpenVINO has run: its threads stayed there."""
    if _started.setdefault("process", os.getpid()) != os.getpid():
        raise Unfit(
            "OpenVINO ran before this process was forked, and its threads stayed with the parent: load the model after "
            "the fork, start processes with multiprocessing's 'spawn', or fit with engine='torch'"
        )


_started: dict[str, int] = {}


@contextmanager
def _hidden(name: str) -> Iterator[None]:
    """`import name` fails here, unless it was imported before."""
    hide = name not in sys.modules
    if hide:
        sys.modules[name] = None  # type: ignore[assignment]
    try:
        yield
    finally:
        if hide:
            del sys.modules[name]


def _converted(backbone: Backbone, preprocess: Preprocess) -> Any:
    """The traced network as an OpenVINO model. Its weights share memory with the module's.

    A function is traced, not the module: that takes half the time, for modules are rebuilt one by one.
    """
    from openvino.frontend import FrontEndManager
    from openvino.frontend.pytorch.ts_decoder import TorchScriptPythonDecoder

    module: Any = backbone.module
    if any(weights.requires_grad for weights in module.parameters()):
        module = deepcopy(module).requires_grad_(False)

    def forward(*inputs: torch.Tensor) -> Any:
        return module(*inputs)

    trace: Any = torch.jit.trace
    with torch.no_grad():
        traced = trace(forward, preprocess.example(), check_trace=False)
    decoder = TorchScriptPythonDecoder(traced)  # must outlive the conversion
    front_end = FrontEndManager().load_by_framework("pytorch")
    return front_end.convert(front_end.load(decoder))


def _fed(openvino: Any, model: Any, preprocess: Preprocess) -> Any:
    """The model, for pictures with one fixed shape and from uint8 (batch, H, W, 3) to features.

    `Unfit` for others whose batches are not what the module takes.
    """
    if not isinstance(preprocess, PicturePreprocess):
        if type(preprocess).tensors is not Preprocess.tensors:
            raise Unfit(f"OpenVINO is not taught what {preprocess.kind} preprocessing does to a batch")
        return model
    model.reshape([_PICTURES, 3, *preprocess.size])
    builder = openvino.preprocess.PrePostProcessor(model)
    pixels = builder.input()
    pixels.tensor().set_element_type(openvino.Type.u8).set_layout(openvino.Layout("NHWC"))
    pixels.model().set_layout(openvino.Layout("NCHW"))
    steps = pixels.preprocess().convert_element_type(openvino.Type.f32)
    steps.mean([255 * value for value in preprocess.mean]).scale([255 * value for value in preprocess.std])
    return builder.build()


def _settings(precision: Precision, lanes: int) -> dict[str, Any]:
    return {
        "INFERENCE_PRECISION_HINT": _HINTS[precision],
        "INFERENCE_NUM_THREADS": lanes,
        "NUM_STREAMS": lanes,
        "ENABLE_CPU_PINNING": False,
    }
