"""The lines in the README.md of an exported folder, run as they stand in a process that has no headstart."""

import json
import os
import re
import subprocess
import sys

import numpy as np
import pytest
from exported import DISTILBERT, TEXTS, TIMM_VIT, VIT, fitted_on, soft_pictures

from headstart.deployment.formats.export import export

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]


def elsewhere(folder, answer):
    """What the card's lines answer, which leave `logits`."""
    card = (folder / "README.md").read_text("utf-8")
    (code,) = re.findall(r"```python\n(.*?)```", card, re.DOTALL)
    last = f"import json, sys\nassert 'headstart' not in sys.modules\nprint(json.dumps({answer}))"
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", f"{code}\n{last}"],
        cwd=folder.parent,
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "PYTHONPATH": "", "HF_HUB_OFFLINE": "1"},
    )
    assert done.returncode == 0, done.stderr[-2000:]
    return json.loads(done.stdout.splitlines()[-1])


@pytest.mark.parametrize(("row", "format"), [(VIT, "transformers"), (TIMM_VIT, "timm")], ids=["transformers", "timm"])
def test_pictures(row, format, tmp_path):
    pictures = soft_pictures(8)
    fitted = fitted_on(row, tmp_path / "weights", pictures)
    folder = export(fitted, tmp_path / "out", format=format, check_on=pictures).path
    pictures[3].save(tmp_path / "a.jpg", quality=95)
    answers = elsewhere(folder, "logits.softmax(1).tolist()")
    # Pillow, by which timm resizes, rounds a pixel now and then otherwise.
    np.testing.assert_allclose(answers, fitted.predict_proba([str(tmp_path / "a.jpg")]), atol=1e-2)


def test_texts(tmp_path):
    fitted = fitted_on(DISTILBERT, tmp_path / "weights", TEXTS, pool="@cls")
    folder = export(fitted, tmp_path / "out", format="transformers", check_on=TEXTS).path
    np.testing.assert_allclose(
        elsewhere(folder, "logits.softmax(1).tolist()"), fitted.predict_proba(["a text"]), atol=1e-4
    )
