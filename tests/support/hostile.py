"""A table whose names, labels, groups and words attack the page that shows them."""

from __future__ import annotations

import numpy as np
import pandas as pd

SCRIPT = "<script>alert(1)</script>"
QUOTES = '"onload="alert(1)'
TURNED = "\u202etxt.exe\u202c"
LONG = "x" * 10_000


def hostile_table(rows: int = 96) -> pd.DataFrame:
    """Three classes that a number tells apart, but for every tenth row; names, groups and words that attack a page."""
    rng = np.random.default_rng(0)
    code = np.arange(rows) % 3
    given = np.where(np.arange(rows) % 10 == 9, (code + 1) % 3, code)
    return pd.DataFrame(
        {
            f"size {SCRIPT}": rng.normal(size=rows) + 4 * code,
            "word": [(TURNED, SCRIPT, QUOTES, LONG)[row // 10 % 4] for row in range(rows)],
            "label": np.array([SCRIPT, QUOTES, f"class {LONG}"])[given],
            "group": [f"<b>{row % 7}</b>{TURNED}" for row in range(rows)],
            "domain": [f"place {row % 2} {QUOTES}" for row in range(rows)],
            "split": np.where(np.arange(rows) % 3 == rows % 2, "test", "train"),
        }
    ).assign(split=np.where(np.arange(rows) // 3 % 2 == 0, "train", "test"))
