"""Examples of the docs that stand by themselves run, and print what the page says."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

DOCS = Path(__file__).parents[1] / "docs"
EXAMPLE = re.compile(r"^```python\n(.*?)^```\n\n```\n(.*?)^```", re.DOTALL | re.MULTILINE)


@pytest.mark.parametrize("page", ["backbones", "splits"])
def test_an_example_prints_what_the_page_says(page, capsys, tmp_path, monkeypatch):
    monkeypatch.setenv("HEADSTART_CACHE", str(tmp_path))
    examples = EXAMPLE.findall((DOCS / f"{page}.md").read_text("utf-8"))
    assert examples
    for code, printed in examples:
        exec(compile(code, f"{page}.md", "exec"), {})  # noqa: S102 (the project's own page)
        assert capsys.readouterr().out == printed
