"""Docstrings of the project become Markdown: lists of parameters with their types."""

from __future__ import annotations

from docs_scripts import docstrings

ALIGNED = """Fit on data, and
    say whether it helped.

    data    a folder
            or a table
    way, shot classes of an episode
    memory, disk  sizes

    Returns a model; raises `DataError`.
    """
NUMPY = """An estimator.

    Parameters
    ----------
    method : a row
    device : "cpu", or
        "cuda"
    """


def test_aligned_names_become_items_with_type_and_default():
    types = {"data": "Any", "way": "int = 5", "shot": "int = 1", "memory": "str | None", "disk": "str | None"}
    assert docstrings.as_markdown(ALIGNED, types).split("\n\n") == [
        "Fit on data, and\nsay whether it helped.",
        "- **`data`** `Any`: a folder or a table\n"
        "- **`way`, `shot`** `int = 5, int = 1`: classes of an episode\n"
        "- **`memory`, `disk`** `str | None`: sizes",
        "Returns a model; raises `DataError`.",
    ]


def test_sections_become_headings_in_bold():
    assert docstrings.as_markdown(NUMPY, {"method": "str"}).split("\n\n") == [
        "An estimator.",
        "**Parameters**",
        '- **`method`** `str`: a row\n- **`device`**: "cpu", or "cuda"',
    ]


def test_sentences_are_no_parameters():
    text = "One.\n\n    No model is kept. What was answered\n    is not fitted again.\n"
    shown = "One.\n\nNo model is kept. What was answered\nis not fitted again."
    assert docstrings.as_markdown(text, {"No": "int"}) == shown
