"""Other libraries leave torch's defaults changed: headstart answers the same, and leaves them as they were."""

import pytest
import torch

from headstart.defaults import own_defaults, with_own_defaults

FITS = """
import sys
import numpy as np, torch
from sklearn.datasets import load_iris
from headstart import Transfer
folder, *cases = sys.argv[1:]
rng = np.random.default_rng(0)
for case in cases:
    what, *defaults = case.split(",")
    X, y = load_iris(return_X_y=True)
    method, options, backbone = what, None, None
    if what == "minilm":
        X, y = [f"a {w} thing number {i}" for i, w in enumerate(["good", "bad"] * 20)], ["a", "b"] * 20
        method, backbone = "ridge", "bundled:minilm"
    elif what not in ("neural", "ridge"):
        X = [rng.integers(0, 128 if i % 2 else 255, (32, 32, 3), dtype=np.uint8) for i in range(24)]
        y, backbone, options = ["a", "b"] * 12, "timm:test_resnet?weights=random", {"epochs": 1}
    first = None
    for default in ("float32", *defaults):
        torch.set_default_dtype(torch.float32)
        if default == "no gradients":
            torch.set_grad_enabled(False)
        elif default == "meta":
            torch.set_default_device("meta")
        else:
            torch.set_default_dtype(getattr(torch, default))
        fitted = Transfer(backbone, method, engine="torch", options=options, cache=False).fit(X, y)
        answers = fitted.predict_proba(X)
        again = Transfer.load(fitted.save(f"{folder}/{what} {default}")).set_params(cache=False).predict_proba(X)
        assert np.array_equal(answers, again), (what, default)
        first = answers if first is None else first
        assert np.abs(answers - first).max() < 1e-6, (what, default)
        if "float" in default:
            assert torch.get_default_dtype() == getattr(torch, default)
        torch.set_grad_enabled(True)
        torch.set_default_device(None)
"""
CASES = ["neural,float16", "minilm,float16", "head,float16,no gradients,meta"]
MORE = ["neural,float64", "ridge,float16", "head,bfloat16,float64", "lora,float64"]


@pytest.mark.slow
@pytest.mark.parametrize("cases", [CASES, MORE], ids=["some", "more"])
def test_what_torch_goes_by_changes_no_answer(preloaded, tmp_path, cases):
    preloaded.checked(FITS, tmp_path, *cases)


def test_defaults_are_put_back_whatever_happens():
    try:
        torch.set_default_dtype(torch.float64)
        with own_defaults(), own_defaults():
            assert torch.get_default_dtype() == torch.float32
        with torch.no_grad(), own_defaults():
            assert torch.is_grad_enabled()
        with own_defaults(), torch.no_grad(), own_defaults():
            assert not torch.is_grad_enabled()

        @with_own_defaults
        def fail():
            raise ValueError(torch.get_default_dtype())

        with pytest.raises(ValueError, match=r"torch\.float32"):
            fail()
        assert torch.get_default_dtype() == torch.float64
    finally:
        torch.set_default_dtype(torch.float32)
