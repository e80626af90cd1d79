"""Run as a process of its own: does this engine's arithmetic work on this processor? See `support.py`.

`python support_trial.py openvino`, or `torch`, prints the name of each precision once it has worked. A library
that believes in instructions which the processor, or the virtual machine, does not have dies here.
"""

from __future__ import annotations

import sys

__all__ = ["main"]


def main(engine: str) -> None:
    """Try float32, then bfloat16."""
    trial = {"openvino": _openvino, "torch": _torch}[engine]
    for precision in ("float32", "bfloat16"):
        trial(precision)
        print(precision, flush=True)


def _openvino(precision: str) -> None:
    """A convolution and a matrix product of the sizes that networks have."""
    sys.modules.setdefault("openvino_telemetry", None)  # type: ignore[arg-type]
    import numpy as np
    import openvino
    from openvino import opset13 as ops

    pixels = ops.parameter([4, 28, 28, 64], np.float32)
    kernel = ops.constant(np.full((64, 64, 3, 3), 0.01, np.float32))
    nchw = ops.transpose(pixels, ops.constant([0, 3, 1, 2]))
    convolved = ops.relu(ops.convolution(nchw, kernel, [1, 1], [1, 1], [1, 1], [1, 1]))
    tokens = ops.reshape(convolved, ops.constant([4, 784, 64]), False)
    product = ops.matmul(tokens, ops.constant(np.full((64, 384), 0.01, np.float32)), False, False)
    attention = ops.softmax(ops.matmul(product, product, False, True), -1)
    model = openvino.Model([ops.matmul(attention, product, False, False)], [pixels])
    hint = {"float32": "f32", "bfloat16": "bf16"}[precision]
    compiled = openvino.Core().compile_model(model, "CPU", {"INFERENCE_PRECISION_HINT": hint})
    compiled([np.ones((4, 28, 28, 64), np.float32)])


def _torch(precision: str) -> None:
    import torch
    from torch.nn import functional

    dtype = getattr(torch, precision)
    with torch.inference_mode():
        pixels = torch.ones(4, 64, 28, 28, dtype=dtype).contiguous(memory_format=torch.channels_last)
        kernel = torch.full((64, 64, 3, 3), 0.01, dtype=dtype).contiguous(memory_format=torch.channels_last)
        tokens = functional.conv2d(pixels, kernel, padding=1).flatten(2).transpose(1, 2)
        product = functional.linear(tokens, torch.full((1536, 64), 0.01, dtype=dtype))
        functional.scaled_dot_product_attention(product, product, product)


if __name__ == "__main__":
    main(sys.argv[1])
