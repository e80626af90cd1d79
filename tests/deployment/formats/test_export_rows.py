"""Models on networks of every hub, adapted, taught and averaged ones, exported in each format that may hold them."""

import re

import pytest

pytest.importorskip("onnxruntime")
pytest.importorskip("onnxscript")
pytest.importorskip("openvino")

from export_rows import CASES, exported

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]
NAMES = (
    "ViT", "CLIP", "BERT", "DistilBERT", "GPT-2", "Llama", "T5 encoder", "wav2vec 2.0", "AST", "Whisper",
    "convnext_atto", "conv4", "a convolution", "one row at a time, BGR, channels last",
    "multilabel", "regression", "coral", "dann", "one network",
)  # fmt: skip
REFUSED = {
    ("ViT", "transformers"): "ViTForImageClassification has no pooler.*--onnx",
    ("CLIP", "transformers"): "no AutoModelForImageClassification for 'clip_vision_model'.*--onnx",
    ("BERT", "transformers"): "does not stand on the features.*--onnx",
    ("DistilBERT", "transformers"): "the mean of all tokens.*--onnx",
    ("Llama", "transformers"): "has no bias, and no norm below it.*--onnx",
    ("T5 encoder", "transformers"): "has weights that this backbone lacks.*--onnx",
    ("one network", "timm"): "averages the answers of 2.*--onnx",
}


@pytest.mark.parametrize("case", [case for case in CASES if case.name in NAMES], ids=lambda case: case.name)
def test_a_row_of_the_table(case, tmp_path):
    for format, cell in exported(case, tmp_path).items():
        words = REFUSED.get((case.name, format))
        if words is None:
            assert float(cell) <= 1e-4, (format, cell)
        else:
            assert re.search(words, cell), (format, cell)
