"""Pictures: a network that Python code in a local checkout builds (hubconf.py, as torch.hub has it).

That runs the checkout's own code with all the rights of the user, so it is only done after `trust_code()`: the command
line's --trust-code. A model that is fitted on it does not hold the code: to read it again takes the checkout where it
was, and trust again.
"""

from __future__ import annotations

import ast
from pathlib import Path
from typing import Any

from torch import nn

from headstart.backbones.options import side_of, weights_file
from headstart.backbones.parts import Parts
from headstart.backbones.pixel_scales import FLIPPED, mode_of, scaled
from headstart.backbones.randomness import seeded
from headstart.backbones.weights import fill, parse_weights
from headstart.errors import BackboneError

__all__ = ["ABOUT", "KEYS", "OPTIONS", "build", "from_name", "trust_code"]

ABOUT = "torchhub:CHECKOUT:ENTRY, pictures, a network that a local checkout's own code builds (only with --trust-code)"
KEYS = ("checkout", "entry")
OPTIONS = ("weights", "size", "preprocess")
_HUBCONF = "hubconf.py"
_trusted: list[bool] = []


def trust_code() -> None:
    """From now on this process may run the code of checkouts that a name, or a stored model, asks for."""
    _trusted.append(True)


def build(spec: dict[str, Any]) -> nn.Module:
    """The network of {"hub": "torchhub", "checkout", "entry"}; `BackboneError` without trust, checkout or entry."""
    checkout, entry = Path(spec["checkout"]), str(spec["entry"])
    where = f"torchhub:{checkout}:{entry}"
    if not (checkout / _HUBCONF).is_file():
        raise BackboneError(f"{where}: no {_HUBCONF} in {checkout}; expected a local checkout: nothing is fetched.")
    entries = _entries(checkout)
    if entry not in entries:
        raise BackboneError(f"{where}: {_HUBCONF} has no such entry; expected {', '.join(entries) or 'one'}.")
    if not _trusted:
        raise BackboneError(
            f"{where}: to build this network, Python code in {checkout} is run with all your rights: it can read, "
            "change and send what you can. Read it, and if you trust it say headstart --trust-code fit ... (in Python "
            "headstart.backbones.torchhub.trust_code()). It is never the default."
        )
    import torch

    built_by: Any = torch.hub.load
    try:
        module = built_by(str(checkout), entry, source="local", **entries[entry])
    except Exception as error:  # the code of the checkout may raise anything
        why = f"{type(error).__name__}: {str(error)[:200]}"
        raise BackboneError(f"{where}: its code does not build it: {why}") from error
    if not isinstance(module, nn.Module):
        raise BackboneError(f"{where}: gives a {type(module).__name__}; expected a torch.nn.Module.")
    return module


def from_name(name: str, options: dict[str, str]) -> Parts:
    """Of "CHECKOUT:ENTRY".

    weights      a state_dict of the network; without it, those that the code draws
    preprocess   how pixels are scaled, of `pixel_scales.MODES`
    size         pixels of a side
    """
    checkout, _, entry = name.rpartition(":")
    full = f"torchhub:{name}"
    if not checkout or not entry:
        raise BackboneError(f"{full}: expected torchhub:CHECKOUT:ENTRY, a folder and a function of its {_HUBCONF}.")
    spec = {"hub": "torchhub", "checkout": str(Path(checkout).absolute()), "entry": entry}
    with seeded(0):
        module = build(spec)
    mode = mode_of(full, options, None)
    if mode == FLIPPED:
        raise BackboneError(f"{full}: preprocess={mode} is of Keras's own networks; expected another one.")
    if "weights" in options:
        file = weights_file(full, options["weights"])
        fill(module, parse_weights(file.read_bytes(), str(file)), f"{full}: {file}")
    side = side_of(full, options, 224)
    query = "&".join(f"{key}={value}" for key, value in options.items())
    return Parts(f"{full}?{query}" if query else full, spec, module, scaled(mode, (side, side)))


def _entries(checkout: Path) -> dict[str, dict[str, bool]]:
    """The functions of hubconf.py, read without running it, and what each is to be given: no weights from elsewhere."""
    try:
        tree = ast.parse((checkout / _HUBCONF).read_text("utf-8"))
    except (SyntaxError, ValueError) as error:
        raise BackboneError(f"{checkout / _HUBCONF}: not Python ({error}).") from error
    entries: dict[str, dict[str, bool]] = {}
    for node in tree.body:
        if isinstance(node, ast.FunctionDef):
            names = {argument.arg for argument in (*node.args.args, *node.args.kwonlyargs)}
            entries[node.name] = {"pretrained": False} if "pretrained" in names else {}
        elif isinstance(node, ast.ImportFrom):
            entries |= {alias.asname or alias.name: {} for alias in node.names}
    return {name: given for name, given in entries.items() if not name.startswith("_")}
