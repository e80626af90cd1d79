"""Faces of folders: their names are there, cost nothing until they are used, and are all that the docs import."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path

import pytest

import headstart
from headstart.face import face

ROOT = Path(headstart.__file__).parent
PROJECT = ROOT.parent
TEXTS = {
    ".".join(path.parent.relative_to(PROJECT).parts): path.read_text("utf-8") for path in ROOT.rglob("__init__.py")
}
FACES = sorted(package for package, text in TEXTS.items() if "\nface(" in text)
TAUGHT = [PROJECT / "README.md", *sorted((PROJECT / "docs").rglob("*.md")), *sorted((PROJECT / "docs").glob("*.py"))]
TAUGHT += sorted((PROJECT / "examples").glob("*.py"))
CODE = re.compile(r"^```python\n(.*?)^```", re.DOTALL | re.MULTILINE)


def imports(tree: ast.AST) -> Iterator[tuple[str, str]]:
    """Module and name of all imports from the package; no name where the module itself is imported."""
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] == "headstart":
            yield from ((str(node.module), alias.name) for alias in node.names)
        elif isinstance(node, ast.Import):
            yield from ((alias.name, "") for alias in node.names if alias.name.split(".")[0] == "headstart")


def taught() -> Iterator[tuple[str, str, str]]:
    """Page, module and name of each import that the docs and examples show."""
    for path in TAUGHT:
        text = path.read_text("utf-8")
        for code in [text] if path.suffix == ".py" else CODE.findall(text):
            yield from ((path.name, *found) for found in imports(ast.parse(code)))


@pytest.mark.parametrize("package", FACES)
def test_a_face_has_the_names_that_it_promises(package):
    module = import_module(package)
    names = [name for name in module.__all__ if name != "__version__"]
    assert len(names) == len(set(names))
    for name in names:
        assert getattr(module, name) is getattr(import_module(f"{package}.{module._home[name]}"), name)
    assert set(dir(module)) - {"__version__"} == set(names)
    typed = {found for found in imports(ast.parse(TEXTS[package])) if found != ("headstart.face", "face")}
    assert typed == {(f"{package}.{module._home[name]}", name) for name in names}


def test_a_name_stands_before_the_module_that_is_called_alike():
    modules = [import_module(f"headstart.{name}") for name in ("backbones.load", "features.extract")]
    from headstart.backbones import load
    from headstart.features import extract

    assert [load, extract] == [modules[0].load, modules[1].extract]
    assert import_module("headstart.backbones.load") is modules[0]


def test_other_modules_of_the_folder_are_there_as_ever():
    from headstart.backbones import bundled

    assert bundled is import_module("headstart.backbones.bundled")
    with pytest.raises(AttributeError, match=r"module 'headstart.backbones' has no attribute 'laod'"):
        _ = import_module("headstart.backbones").laod


def test_a_name_of_a_face_can_be_replaced(monkeypatch):
    package = import_module("headstart.features")
    monkeypatch.setattr(package, "extract", len)
    assert package.extract is len
    monkeypatch.undo()
    assert package.extract is import_module("headstart.features.extract").extract


def test_faces_load_nothing_before_a_name_is_used():
    script = (
        f"import sys\nfor name in {FACES!r}: __import__(name)\n"
        "heavy = {'torch', 'sklearn', 'pandas', 'numpy', 'scipy', 'timm', 'transformers'} & sys.modules.keys()\n"
        "assert not heavy, heavy\n"
    )
    subprocess.run([sys.executable, "-c", script], check=True)


def test_docs_and_examples_import_from_faces_alone():
    found = set(taught())
    assert ("adaptation.md", "headstart.adaptation.alignment", "Coral") in found
    amiss = [
        (page, module, name)
        for page, module, name in sorted(found)
        if "\n__all__" not in TEXTS.get(module, "") or (name and name not in import_module(module).__all__)
    ]
    assert amiss == []
    assert {module for _, module, _ in found} >= {"headstart", "headstart.backbones", "headstart.features"}


def test_a_face_is_given_to_a_package_that_is_imported():
    with pytest.raises(KeyError, match=r"headstart\.nowhere"):
        face("headstart.nowhere", {})
