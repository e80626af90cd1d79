"""Every block of code in README.md and in the pages of docs/ is run, on real data under the names that the pages use.

By default each is looked at: Python compiles, and the command line knows each word of a command. The slow tests run a
page's blocks in their order, in one folder, Python in one namespace. What cannot run here says so in the page, with
the reason, and is counted.
"""

from __future__ import annotations

import os
import shlex
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import matplotlib as mpl
import pytest
from pages import PAGES, PROJECT, Block, blocks_of
from typer.main import get_command
from workspace import names_for, prepare

BLOCKS = [block for page in PAGES for block in blocks_of(page)]
NOT_RUN = {
    "README.md": 3, "README.zh-CN.md": 3, "docs/audio.md": 1, "docs/backbones.md": 2, "docs/clean.md": 1,
    "docs/clusters.md": 2, "docs/drift.md": 1, "docs/explanations.md": 1, "docs/export-formats.md": 2,
    "docs/export.md": 5, "docs/federated.md": 2, "docs/quickstart.md": 1, "docs/race.md": 3, "docs/recipes.md": 1,
    "docs/report.md": 2, "docs/serve.md": 3, "docs/table-prior.md": 1, "docs/tracking.md": 1,
    "docs/transferability.md": 1, "docs/uncertainty.md": 2,
}  # fmt: skip
"""Blocks that are not run, by page: a new one is a decision."""


def commands_of(block: Block) -> Iterator[list[str]]:
    """The words of each command of headstart in a block."""
    for line in block.commands.splitlines():
        words = shlex.split(line, comments=True)
        if words[:1] == ["headstart"]:
            yield words[1:]


def test_blocks_that_are_not_run_are_counted_and_say_why():
    counts = Counter(block.page for block in BLOCKS if block.reason)
    assert counts == NOT_RUN
    assert all(len(block.reason.split()) >= 3 for block in BLOCKS if block.reason)


def test_there_are_blocks_of_each_kind():
    kinds = Counter(block.language for block in BLOCKS)
    assert min(kinds["python"], kinds["sh"], kinds["console"]) >= 8


@pytest.mark.parametrize("block", [block for block in BLOCKS if block.language == "python"], ids=str)
def test_python_compiles(block):
    compile(block.code, str(block), "exec")


def test_the_command_line_knows_every_word():
    """Options, values of options, and how many arguments there are; nothing is done."""
    from headstart.cli.app import _app

    number, wrong = 0, []
    for block in BLOCKS:
        for words in commands_of(block) if block.language != "python" else ():
            if "--trust-code" in words[:1]:
                words = words[1:]
            number += 1
            verb = get_command(_app(words[0])).commands[words[0]]
            try:
                with verb.make_context(words[0], list(words[1:])):
                    pass
            except Exception as error:
                wrong.append(f"{block}: headstart {shlex.join(words)}: {error}")
    assert number > 50
    assert wrong == []


@pytest.fixture
def workspace(tmp_path, monkeypatch):
    """A folder to run a page in, with `headstart` and `python` on the path."""
    (tmp_path / "bin").mkdir()
    for name, words in (("headstart", "-m headstart "), ("python", "")):
        script = tmp_path / "bin" / name
        script.write_text(f'#!/bin/sh\nexec "{sys.executable}" {words}"$@"\n')
        script.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.setenv("PYTHONPATH", str(PROJECT))
    monkeypatch.setenv("COLUMNS", "80")
    folder = tmp_path / "work"
    folder.mkdir()
    monkeypatch.chdir(folder)
    mpl.use("Agg")
    return folder


def run_shell(block: Block, folder: Path) -> None:
    """With bash, which stops at the first command that fails."""
    done = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", block.commands], cwd=folder, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, f"{block}\n{done.stdout[-2000:]}\n{done.stderr[-4000:]}"


@pytest.mark.slow
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("page", sorted({block.page for block in BLOCKS if not block.reason}))
def test_the_blocks_of_a_page_run(page, workspace):
    prepare(page, workspace)
    names = names_for(page)
    for block in blocks_of(page):
        if block.reason:
            continue
        if block.language == "python":
            exec(compile(block.code, str(block), "exec"), names)  # noqa: S102 (the project's own pages)
        else:
            run_shell(block, workspace)
