"""docs/gallery.md from the scripts of `examples/` and what they printed: `make docs`.

    python docs/gallery.py                    prints the page, from what is kept in docs/gallery/
    python docs/gallery.py --run [NAME...]    runs these examples, or all, and keeps what they print and draw

An example is run again where its code has changed since (a test says which); words and layout do not count.
"""

from __future__ import annotations

import ast
import os
import subprocess
import sys
import tempfile
from hashlib import blake2b
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).parents[1]
EXAMPLES, KEPT = ROOT / "examples", ROOT / "docs" / "gallery"
LONGEST = 60
"""Lines of an output that are shown."""


class Example(NamedTuple):
    """A script of `examples/`, its title, the words after its name, and where a model that it saves lies."""

    name: str
    title: str
    words: tuple[str, ...] = ()
    model: str = ""


GALLERY = (
    Example("demo", "Pictures, sentences and spoken words", model="demo-out/emoji"),
    Example("incontext", "A table, answered in context"),
    Example("multitask", "Two targets at once"),
    Example("spoken_words", "One recording of each word"),
    Example("explain", "Which parts of an input an answer stands on"),
    Example("federated", "Three owners, whose rows stay where they are", model="demo-out/federated/model"),
    Example("serve", "A model as a service"),
    Example("drift", "Is what is asked still like what was learnt?"),
    Example("few_shot", "Learning to learn"),
    Example("export_onnx", "A model as an ONNX file"),
    Example("export_formats", "A model for scikit-learn and MLflow"),
    Example("distil", "A small model learns from a large one"),
    Example("pretrain", "Pretraining on pictures without labels"),
    Example("cluster", "Many processes, and features that pass by in blocks", model="demo-out/cluster/model"),
    Example("recipe_csv", "Recipe: two tables, source and target", ("out",), "out/model"),
    Example("recipe_cifar", "Recipe: CIFAR's binary archive", model="demo-out/cifar/model"),
    Example("recipe_vgg16_gap", "Recipe: VGG16, pooled", model="demo-out/vgg16-gap/model"),
    Example("recipe_vgg16_flatten", "Recipe: VGG16, flattened", model="demo-out/vgg16-flatten/model"),
    Example("recipe_resnetv2", "Recipe: ResNet50V2, fine-tuned", model="demo-out/resnetv2/model"),
)
NOT_SHOWN = {"demo_data", "draw_evidence", "italian_words"}
"""Parts of the others: two write data, one draws the pictures."""


def fingerprint(name: str) -> str:
    """Of what a script does: its syntax tree without docstrings, comments and layout."""
    tree = ast.parse((EXAMPLES / f"{name}.py").read_text("utf-8"))
    for node in ast.walk(tree):
        if isinstance(node, ast.Module | ast.FunctionDef | ast.ClassDef) and ast.get_docstring(node) is not None:
            node.body = node.body[1:] or [ast.Pass()]
    return blake2b(ast.unparse(tree).encode(), digest_size=8).hexdigest()


def kept(name: str) -> tuple[str, str]:
    """(fingerprint of the script that was run, what it printed). FileNotFoundError where it was never run."""
    first, _, output = (KEPT / f"{name}.txt").read_text("utf-8").partition("\n")
    return first, output


def run(example: Example) -> None:
    """Run a script in a folder of its own, and keep its output and a picture of the evidence of its model."""
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "out").mkdir()
        environment = os.environ | {"COLUMNS": "80", "PYTHONPATH": os.pathsep.join([str(ROOT), str(EXAMPLES)])}
        script = [sys.executable, str(EXAMPLES / f"{example.name}.py"), *example.words]
        done = subprocess.run(script, cwd=folder, env=environment, check=True, stdout=subprocess.PIPE, text=True)
        KEPT.mkdir(exist_ok=True)
        text = "\n".join(line.rstrip() for line in done.stdout.replace(folder, "").strip().splitlines())
        (KEPT / f"{example.name}.txt").write_text(f"{fingerprint(example.name)}\n{text}\n", "utf-8")
        if example.model:
            evidence, picture = Path(folder) / example.model / "evidence.json", KEPT / f"{example.name}.png"
            draw = [sys.executable, str(EXAMPLES / "draw_evidence.py"), str(evidence), str(picture)]
            subprocess.run(draw, check=True)


def shown(output: str) -> str:
    """The first lines of an output; `...` where there are more."""
    lines = output.rstrip("\n").splitlines()
    return "\n".join(lines if len(lines) <= LONGEST else [*lines[:LONGEST], "..."])


def section(example: Example) -> str:
    """What a script shows, how it is run, its picture and its output."""
    about = ast.get_docstring(ast.parse((EXAMPLES / f"{example.name}.py").read_text("utf-8"))) or ""
    sentence = " ".join(about.partition("\n\n")[0].split())
    parts = [f"## {example.title}", f"{sentence} The script: [{example.name}.py](../examples/{example.name}.py)."]
    if (KEPT / f"{example.name}.png").exists():
        words = f"{example.title}: the model beside its baselines on held-out rows"
        parts.append(f"![{words}](gallery/{example.name}.png)")
    parts.append(f"```\n{shown(kept(example.name)[1])}\n```")
    return "\n\n".join(parts)


def page() -> str:
    """The whole page."""
    parts = [
        "# Gallery",
        "Scripts of `examples/`, each on real data that installed packages hold, with what it printed and, where it "
        "saves a model, a picture of its evidence. Run one in a clone after `make data`, for example "
        "`.venv/bin/python examples/incontext.py`. The outputs are kept in `docs/gallery/`; "
        "`.venv/bin/python docs/gallery.py --run NAME` makes one anew. The seconds in them are those of a busy "
        "machine.",
    ]
    parts += map(section, GALLERY)
    return "\n\n".join(parts) + "\n"


def main(words: list[str]) -> None:
    """Print the page, or run examples."""
    if words[:1] != ["--run"]:
        sys.stdout.write(page())
        return
    for example in GALLERY:
        if not words[1:] or example.name in words[1:]:
            run(example)
            sys.stdout.write(f"{example.name}\n")


if __name__ == "__main__":
    main(sys.argv[1:])
