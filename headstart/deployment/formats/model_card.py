"""The README.md in an exported folder."""

from __future__ import annotations

from pathlib import Path

from headstart.artefact import Model
from headstart.deployment.formats.notes import notes_of

__all__ = ["write_card"]


def write_card(model: Model, folder: Path, name: str, loads: str) -> None:
    """What the model is, how it is loaded, and what to know of it.

    loads   a block of code, in Markdown
    """
    licence = model.backbone.licence if model.backbone is not None else ""
    front = f"---\nlicense: {licence.lower()}\n---\n\n" if licence else ""
    classes = ", ".join(map(str, model.classes[:20])) + (" ..." if len(model.classes) > 20 else "")
    facts = [f"A {model.kind} of {model.modality} inputs, exported by headstart; method: {model.method}."]
    facts += [f"Backbone: {model.backbone.name}, licence {licence or 'not known'}."] if model.backbone else []
    facts += [f"Classes: {classes}."] if classes else []
    text = "\n\n".join([f"# {name}", " ".join(facts), loads, *notes_of(model)])
    (folder / "README.md").write_text(front + text + "\n", "utf-8", "backslashreplace")
