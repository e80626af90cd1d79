"""The verb `backbones`: which pretrained networks are on this machine, and one of them as a file to carry to another.

Heavy libraries are imported inside the verb, so that help answers at once.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from headstart.cli.arguments import AsJson
from headstart.cli.streams import show_result

if TYPE_CHECKING:
    from headstart.backbones.backbone import Backbone

__all__ = ["backbones"]


def backbones(
    name: Annotated[str | None, typer.Argument(help="A backbone; or pack NAME; or unpack FILE")] = None,
    subject: Annotated[str | None, typer.Argument(help="What to pack or unpack")] = None,
    out: Annotated[Path | None, typer.Option("--out", "-o", help="The file to write; unpacking, the folder")] = None,
    json: AsJson = False,
) -> None:
    """List the pretrained backbones on this machine, show one, or pack one to carry it to a machine without network."""
    if name in ("pack", "unpack"):
        _carry(name, subject, out, json)
        return
    if subject is not None or out is not None:
        raise ValueError("expected nothing, NAME, pack NAME --out FILE.tar, or unpack FILE.tar --out FOLDER")
    if name is None:
        _list(json)
        return
    from headstart.backbones import load

    record = _record(load(name))
    show_result(record if json else "\n".join(f"{key:12}{_words(value)}" for key, value in record.items()), json)


def _carry(action: str, subject: str | None, out: Path | None, json: bool) -> None:
    from headstart.artefact.archive import pack_backbone, unpack_backbone
    from headstart.backbones import load

    if subject is None or out is None:
        raise ValueError("expected pack NAME --out FILE.tar, or unpack FILE.tar --out FOLDER")
    if action == "pack":
        path = pack_backbone(load(subject), out)
        words = f"packed {subject} in {path}. On the other machine: headstart backbones unpack {path.name} --out FOLDER"
    else:
        path = unpack_backbone(subject, out)
        words = f"unpacked to {path}, and checked. Use it: --backbone file:{path}"
    show_result({"path": str(path)} if json else words, json)


def _list(json: bool) -> None:
    from headstart.backbones.inventory import hubs, weights_here

    rows, known = weights_here(), hubs()
    if json:
        show_result({"weights": [row._asdict() for row in rows], "hubs": [hub._asdict() for hub in known]}, json)
        return
    lines = ["On this machine:"]
    width = max(len(row.name) for row in rows)
    for row in rows:
        state = f"not here: {row.missing}" if row.missing else f"{row.bytes / 1e6:8.1f} MB  {row.licence}"
        lines.append(f"  {row.name:{width}}  {state}".rstrip())
    lines += ["", "Names, and what they need:"]
    lines += [f"  {hub.about}{f'; not here: {hub.missing}' if hub.missing else ''}" for hub in known]
    show_result("\n".join(lines), json)


def _record(backbone: Backbone) -> dict[str, Any]:
    """What is known of a backbone, in the order in which it is shown."""
    tensors = [] if backbone.module is None else list(backbone.module.state_dict().values())
    return {
        "name": backbone.name,
        "takes": str(backbone.modality),
        "features": backbone.dim,
        "weights": sum(tensor.numel() for tensor in tensors),
        "bytes": sum(tensor.numel() * tensor.element_size() for tensor in tensors),
        "licence": backbone.licence or "not known",
        "stages": [stage for stage, _ in backbone.stages],
        "fingerprint": backbone.fingerprint,
    }


def _words(value: Any) -> str:
    if isinstance(value, list):
        return ", ".join(value) or "none"
    return f"{value:,}" if isinstance(value, int) else str(value)
