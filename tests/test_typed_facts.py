"""What code reads back has a name and a type: no key of a bag of facts is looked up but where stored JSON is read."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent / "headstart"
BAGS = frozenset({"about", "account", "facts", "facts_"})
STORED = frozenset(
    {"artefact/reading.py", "backbones/keras/hdf5.py", "evidence/facts_record.py", "study/pretrained.py"}
)
"""Where stored JSON becomes fields."""


def read_back(code: str) -> list[str]:
    """`about["key"]`, `.config.get("key")`, `"key" in facts` and their like, by line."""
    return [f"{node.lineno}: {ast.unparse(node)}" for node in ast.walk(ast.parse(code)) if _reads(node)]


def _reads(node: ast.AST) -> bool:
    match node:
        case ast.Subscript(value=bag, slice=ast.Constant(value=str()), ctx=ast.Load()):
            return _is_bag(bag)
        case ast.Call(func=ast.Attribute(value=bag, attr="get" | "pop" | "setdefault"), args=[ast.Constant(), *_]):
            return _is_bag(bag)
        case ast.Compare(left=ast.Constant(value=str()), ops=[ast.In() | ast.NotIn()], comparators=[bag]):
            return _is_bag(bag)
    return False


def _is_bag(node: ast.expr) -> bool:
    match node:
        case ast.Name(id=name):
            return name in BAGS
        case ast.Attribute(attr=name):
            return name in BAGS or name == "config"
    return False


@pytest.mark.parametrize(
    "code",
    [
        'about["backbone"]',
        'evidence.about.get("steps")',
        'facts["alpha"]',
        'head.config["parameters"]',
        'head.config.get("parameters", 0)',
        'trained.facts.pop("soup")',
        '"labelled" in step.facts',
        'x = {**a, "b": head.facts.account["strength"]}',
    ],
)
def test_a_key_that_is_read_back_is_found(code):
    assert len(read_back(code)) == 1


@pytest.mark.parametrize("code", ["facts.steps", 'facts["alpha"] = 1', "about[key]", 'record["steps"]', "{**facts}"])
def test_what_is_a_field_or_is_only_written_is_not(code):
    assert read_back(code) == []


def test_facts_are_fields():
    paths = {path.relative_to(ROOT).as_posix(): path for path in sorted(ROOT.rglob("*.py"))}
    assert paths.keys() >= STORED
    found = {name: read_back(path.read_text()) for name, path in paths.items() if name not in STORED}
    assert {name: lines for name, lines in found.items() if lines} == {}
