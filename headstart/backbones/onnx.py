"""A network in an ONNX file (Bai et al., 2019) as a frozen feature extractor, run by onnxruntime.

The file's bytes are the backbone's only tensor, so that they are stored, hashed and read again as weights are. Nothing
of it can be trained.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor, nn

from headstart.backbones.encoders import masked_mean
from headstart.backbones.onnx_export import is_export, output_of_export, text_of_export
from headstart.backbones.options import side_of, weights_file
from headstart.backbones.parts import Parts
from headstart.backbones.pixel_scales import FLIPPED, mode_of, scaled
from headstart.errors import BackboneError
from headstart.preprocessing.image_processor import picture_preprocess
from headstart.preprocessing.spec import PicturePreprocess, TextPreprocess
from headstart.preprocessing.tokenizer import LONGEST, text_preprocess

__all__ = ["ABOUT", "KEYS", "OPTIONS", "build", "from_name"]

ABOUT = "onnx:FILE, pictures or text, a frozen network in an ONNX file"
KEYS = ("bytes", "inputs", "output", "single", "channels_last", "flip")
OPTIONS = ("preprocess", "size", "output")
_TEXT = ("input_ids", "attention_mask", "token_type_ids")
_MOST_TOKENS = 1 << 24


class _Port(NamedTuple):
    """An input or output of the file: its shape has numbers, and names for what varies."""

    name: str
    shape: list[Any]
    type: str


class Onnx(nn.Module):
    """(N, 3, H, W), or (input_ids, attention_mask), each (N, L) int64 -> (N, D). A map or tokens become their mean.

    size       of the file in bytes
    inputs     what the file calls them
    output     which of its outputs is read
    single     whether the file takes one row at a time
    """

    def __init__(self, size: int, inputs: Sequence[str], output: str, *, single: bool, channels_last: bool, flip: bool):
        super().__init__()
        self.file: Tensor
        self.register_buffer("file", torch.zeros(size, dtype=torch.uint8))
        self.inputs, self.output = tuple(inputs), output
        self.single, self.channels_last, self.flip = single, channels_last, flip
        self._session: Any = None

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "_session": None}

    def forward(self, *inputs: Tensor) -> Tensor:
        if torch._C._get_tracing_state() is not None:
            raise RuntimeError("an ONNX file is run as it is, and not traced")
        return self.pooled(self.rows(*self.given(*inputs)), *inputs)

    def given(self, *inputs: Tensor) -> tuple[Tensor, ...]:
        """The tensors that the file takes: colours and axes of pictures in its order; of texts a third of zeros."""
        if inputs[0].ndim != 4:
            return tuple([*inputs, torch.zeros_like(inputs[0])][: len(self.inputs)])
        pictures = inputs[0].flip(1) if self.flip else inputs[0]
        return ((pictures.permute(0, 2, 3, 1) if self.channels_last else pictures).float(),)

    def rows(self, *given: Tensor) -> Tensor:
        """What the file answers to these, float32 (N, ...)."""
        arrays = [np.ascontiguousarray(tensor.cpu().numpy()) for tensor in given]
        parts = [[array[row : row + 1] for array in arrays] for row in range(len(arrays[0]))]
        outputs = [self._run(part) for part in (parts if self.single else [arrays])]
        return torch.from_numpy(np.concatenate(outputs)).to(given[0].device, torch.float32)

    def pooled(self, rows: Tensor, *inputs: Tensor) -> Tensor:
        """(N, D) of its answers: a map or tokens become their mean, over the tokens of `inputs` that are not masked."""
        if rows.ndim == 3:
            return masked_mean(rows, inputs[1]) if len(inputs) > 1 else rows.mean(1)
        if rows.ndim == 4:
            return rows.mean((1, 2) if self.channels_last else (2, 3))
        return rows.flatten(1)

    def _run(self, arrays: list[Any]) -> Any:
        if self._session is None:
            self._session = _session(self.file.cpu().numpy().tobytes(), "the stored ONNX file")
        return self._session.run([self.output], dict(zip(self.inputs, arrays, strict=True)))[0]


def build(spec: dict[str, Any]) -> nn.Module:
    """The module of {"hub": "onnx", "bytes", "inputs", "output", "single", "channels_last", "flip"}."""
    flags = {key: bool(spec[key]) for key in ("single", "channels_last", "flip")}
    return Onnx(spec["bytes"], spec["inputs"], spec["output"], **flags)


def from_name(path: str, options: dict[str, str]) -> Parts:
    """Of a file.

    preprocess   how pixels are scaled, of `pixel_scales.MODES`; not needed beside a preprocessor_config.json
    size         pixels of a side, where the file takes any
    output       which output is read, where it is not the first one; of an export of headstart, the features
    """
    name = f"onnx:{path}"
    file = weights_file(name, path)
    data = file.read_bytes()
    session = _session(data, f"{name}: {file}")
    inputs, outputs = _ports(session.get_inputs()), _ports(session.get_outputs())
    metadata: dict[str, str] = session.get_modelmeta().custom_metadata_map
    names = [port.name for port in outputs]
    preprocess: PicturePreprocess | TextPreprocess
    if is_export(metadata):
        preprocess, channels_last, flip = text_of_export(name, file, metadata), False, False
        _refuse_options(name, options)
        output = options.get("output") or output_of_export(name, names)
    else:
        preprocess, channels_last, flip = _input(name, file, inputs, options)
        output = options.get("output", names[0])
    if output not in names:
        raise BackboneError(f"{name}: no output {output!r}; expected {', '.join(names)}.")
    spec = {
        "hub": "onnx",
        "bytes": len(data),
        "inputs": [port.name for port in inputs],
        "output": output,
        "single": inputs[0].shape[0] == 1,
        "channels_last": channels_last,
        "flip": flip,
    }
    module = build(spec)
    module.load_state_dict({"file": torch.frombuffer(bytearray(data), dtype=torch.uint8)})
    query = "&".join(f"{key}={value}" for key, value in options.items())
    return Parts(f"{name}?{query}" if query else name, spec, module, preprocess)


def _input(
    name: str, file: Path, inputs: list[_Port], options: dict[str, str]
) -> tuple[PicturePreprocess | TextPreprocess, bool, bool]:
    """The preprocessing, whether maps have their channels at the end, and whether colours go the other way round."""
    if tuple(port.name for port in inputs) == _TEXT[: len(inputs)] and len(inputs) > 1:
        _refuse_options(name, options)
        text = text_preprocess(file.parent, positions=LONGEST, vocabulary=_MOST_TOKENS, pad_id=0)
        return text, False, False
    shape = inputs[0].shape
    if len(inputs) != 1 or len(shape) != 4 or 3 not in (shape[1], shape[3]) or inputs[0].type != "tensor(float)":
        described = "; ".join(f"{port.name} {port.type} {port.shape}" for port in inputs)
        raise BackboneError(
            f"{name}: takes {described}; expected pictures, tensor(float) (N, 3, H, W) or (N, H, W, 3), or texts, "
            f"{', '.join(_TEXT)}."
        )
    last = shape[1] != 3
    sides = [side if isinstance(side, int) else None for side in (shape[1:3] if last else shape[2:])]
    if (file.parent / "preprocessor_config.json").is_file() and "preprocess" not in options:
        return picture_preprocess(file.parent), last, False
    height, width = (side or side_of(name, options, 224) for side in sides)
    mode = mode_of(name, options, None)
    return scaled(mode, (height, width)), last, mode == FLIPPED


def _refuse_options(name: str, options: dict[str, str]) -> None:
    """Of a file of texts but `output`."""
    if options.keys() - {"output"}:
        raise BackboneError(f"{name}: reads texts; expected nothing after '?' but output=...")


def _ports(ports: Sequence[Any]) -> list[_Port]:
    return [_Port(port.name, list(port.shape or []), port.type) for port in ports]


def _session(data: bytes, where: str) -> Any:
    try:
        import onnxruntime
    except ImportError as error:
        raise BackboneError(f"{where}: install onnxruntime to run it: pip install 'headstart[onnx]'.") from error
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.log_severity_level = 3
    try:
        return onnxruntime.InferenceSession(data, options, providers=["CPUExecutionProvider"])
    except Exception as error:  # onnxruntime has its own errors by turns, without a common base
        why = str(error).strip().splitlines()[-1][:300]
        raise BackboneError(f"{where}: not an ONNX file that onnxruntime can run ({why}).") from error
