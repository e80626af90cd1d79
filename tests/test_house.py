"""The tree of the package: few modules in the root, no circle between folders, plain names, files that fit a screen."""

from __future__ import annotations

import ast
from pathlib import Path

import headstart
from headstart.tasks import KINDS

ROOT = Path(headstart.__file__).parent
FILES = sorted(ROOT.rglob("*.py"))
METAPHORS = {
    "across", "ahead", "blind", "bridge", "chosen", "contest", "crossing", "deep", "divided", "draws", "ground",
    "rehearsal", "rivals", "rounds", "seen",
}  # fmt: skip


def module_of(path: Path) -> str:
    """The dotted name of a file of the package."""
    parts = path.relative_to(ROOT.parent).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def imports_of(path: Path) -> set[str]:
    """The names of the package's own modules that a file imports, wherever in it."""
    names = set()
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            names |= {node.module, *(f"{node.module}.{alias.name}" for alias in node.names)}
    return names & MODULES


MODULES = {module_of(path) for path in FILES} - {"headstart"}


def folder_of(module: str) -> str:
    return module.split(".")[1]


def between_folders() -> dict[str, set[str]]:
    """Which folder or root module imports which."""
    edges: dict[str, set[str]] = {folder_of(module): set() for module in MODULES}
    for path in FILES:
        if path.parent == ROOT and path.stem == "__init__":
            continue
        here = folder_of(module_of(path))
        edges[here] |= {folder_of(module) for module in imports_of(path)} - {here}
    return edges


def reached(start: str, edges: dict[str, set[str]]) -> set[str]:
    names, waiting = set(), [start]
    while waiting:
        new = edges[waiting.pop()] - names
        names |= new
        waiting.extend(new)
    return names


def test_no_folder_imports_itself_through_others():
    edges = between_folders()
    assert edges["cli"] >= {"study", "transfer"}
    assert [name for name in edges if name in reached(name, edges)] == []


def test_the_root_holds_what_all_folders_share():
    modules = {path.stem for path in ROOT.glob("*.py")} - {"__init__", "__main__"}
    assert modules == {"checks", "defaults", "errors", "face", "listener", "messages", "network", "transfer"}


def test_no_folder_has_the_name_of_a_public_function():
    assert {path.name for path in ROOT.iterdir() if path.is_dir()}.isdisjoint(headstart.__all__)


def test_files_fit_their_rooms():
    texts = {path.relative_to(ROOT): path.read_text("utf-8") for path in FILES}
    assert [path for path in texts if path.stem in METAPHORS] == []
    assert [path for path, text in texts.items() if len(text.splitlines()) > 320] == []
    assert [path for path in texts if len(path.parts) > 3] == []
    assert [path for path, text in texts.items() if not ast.get_docstring(ast.parse(text))] == []


def length(function: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    """Lines of its body, without the docstring."""
    body = function.body[1:] if ast.get_docstring(function) else function.body
    return body[-1].end_lineno - body[0].lineno + 1 if body else 0


def test_functions_fit_a_screen():
    functions = {
        f"{path.relative_to(ROOT)}: {node.name}": length(node)
        for path in FILES
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    }
    assert len(functions) > 1000
    assert [name for name, lines in functions.items() if lines > 60] == []


def test_nobody_compares_a_kind_with_one_that_there_is():
    """What differs by kind is asked of the value, so that no branch has to learn of a further one."""
    names = {*map(str, KINDS), *map(str.upper, KINDS)}
    branches = []
    for path in FILES:
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.Compare) and ast.unparse(node.left).rpartition(".")[2] == "kind":
                leaves = [leaf for side in node.comparators for leaf in ast.walk(side)]
                compared = {getattr(leaf, "value", getattr(leaf, "id", None)) for leaf in leaves}
                if not compared.isdisjoint(names):
                    branches.append(f"{path.relative_to(ROOT)}:{node.lineno} {ast.unparse(node)}")
    assert branches == []


def test_no_property_fits_a_model():
    properties = [
        (path.relative_to(ROOT), node)
        for path in FILES
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(node, ast.FunctionDef) and any("property" in ast.unparse(name) for name in node.decorator_list)
    ]
    assert len(properties) > 50
    fitting = {"fit", "fit_probe", "fit_model", "fit_strategy", "train", "tune"}
    calls = [
        (f"{path}: {node.name}", ast.unparse(call.func).rpartition(".")[2])
        for path, node in properties
        for call in ast.walk(node)
        if isinstance(call, ast.Call)
    ]
    assert [name for name, called in calls if called in fitting] == []


FILLS = {"add", "append", "appendleft", "extend", "insert", "pop", "setdefault", "update"}


def names_of(function: ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda) -> set[str]:
    """The parameters of a function, and what it assigns to by name."""
    args = function.args
    every = [*args.posonlyargs, *args.args, *args.kwonlyargs, args.vararg, args.kwarg]
    stored = {node.id for node in ast.walk(function) if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)}
    return {arg.arg for arg in every if arg is not None} | stored


def fills_of(node: ast.AST, outer: frozenset[str] = frozenset()) -> list[str]:
    """Where a function fills, cuts or assigns into something that an enclosing function has made."""
    places = []
    for inner in ast.iter_child_nodes(node):
        if not isinstance(inner, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
            places += fills_of(inner, outer)
            continue
        foreign = outer - names_of(inner)
        for leaf in ast.walk(inner):
            called = isinstance(leaf, ast.Call) and isinstance(leaf.func, ast.Attribute) and leaf.func.attr in FILLS
            stored = isinstance(leaf, ast.Subscript) and isinstance(leaf.ctx, ast.Store | ast.Del)
            target = leaf.func.value if called else leaf.value if stored else None
            if isinstance(target, ast.Name) and target.id in foreign:
                places.append(f"{leaf.lineno}: {ast.unparse(leaf)}")
        places += fills_of(inner, outer | names_of(inner))
    return places


def test_no_closure_fills_what_an_outer_function_has_made():
    example = "def outer():\n    rows = []\n    def inner(row):\n        rows.append(row)\n    return inner"
    assert fills_of(ast.parse(example)) == ["4: rows.append(row)"]
    places = {str(path.relative_to(ROOT)): fills_of(ast.parse(path.read_text("utf-8"))) for path in FILES}
    assert {path: fills for path, fills in places.items() if fills} == {}
