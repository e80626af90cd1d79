"""The format "onnx": a file with preprocessing, network, head, calibration and decision, compared before it is there.

Beside it lies what no operator does: of texts the tokenizer (NAME.tokenizer.json), of texts without a network the terms
(NAME.preprocess.json). The file is put into place last, so that it is never there without them.
"""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from headstart.deployment.formats.formats import Exported, Options
from headstart.errors import ArtefactError
from headstart.study.destination import Destination

if TYPE_CHECKING:
    from headstart.deployment.formats.graph import Graph
    from headstart.deployment.formats.reading import FileBeside
    from headstart.transfer import Transfer

__all__ = ["write_onnx"]

_SUFFIX = ".onnx"
_LARGEST = (1 << 31) - (1 << 20)
"""Bytes of a file that protobuf reads."""


def write_onnx(fitted: Transfer, path: Path, options: Options) -> Exported:
    """See `export`."""
    from headstart.deployment.formats.onnx_graph import checked_opset, runnable

    opset = checked_opset(options.opset)
    place = _place(path, overwrite=options.overwrite)
    runnable()
    from headstart.deployment.formats.graph import graph_of, of_one_length
    from headstart.deployment.formats.onnx_graph import onnx_of
    from headstart.deployment.formats.parity import compared, session_of
    from headstart.deployment.formats.sample import sample_of

    sample = sample_of(fitted, options.check_on)
    graph, beside = _named_beside(graph_of(fitted.model_), place.path)
    options.listener.say(f"writing {fitted.model_.method} of {fitted.model_.modality.noun} in ONNX, opset {opset}")
    try:
        model = serialized(onnx_of(graph, fitted.model_, opset))
    except ArtefactError:
        whole = of_one_length(graph)
        if whole is None:
            raise
        graph = whole
        model = serialized(onnx_of(graph, fitted.model_, opset))
    parity, rows = compared(session_of(model), graph, fitted, sample)
    notes = _notes(fitted, rows)
    facts: dict[str, Any] = {"opset": opset, "bytes": len(model)}
    if options.int8:
        from headstart.deployment.formats.int8 import in_int8

        small = in_int8(model, graph, fitted, options)
        model, notes, facts = small.model, (*notes, *small.notes), facts | small.facts
    places = [Destination(file, formats=(".json",)) for file in beside]
    for file, data in zip(places, beside.values(), strict=True):
        file.put(data)
    place.put(model)
    files = (place.path, *(file.path for file in places))
    return Exported("onnx", place.path, files, parity, notes, facts)


def serialized(model: Any) -> bytes:
    """The bytes of a file. `ArtefactError` where there are more than a file of this kind holds."""
    try:
        data: bytes = model.SerializeToString()
    except Exception as error:  # protobuf has an exception of its own, which differs by version
        raise ArtefactError(f"the model is larger than the 2 GB that one ONNX file holds ({error})") from error
    if len(data) > _LARGEST:
        raise ArtefactError(f"the model takes {len(data) / 1e9:.1f} GB, and one ONNX file holds 2 GB")
    return data


def _place(path: Path, *, overwrite: bool) -> Destination:
    """Where the file goes. ValueError where it may not."""
    if path.is_dir():
        raise ValueError(f"{path} is a folder: name a file to write, such as {path / 'model.onnx'}")
    if path.exists() and not overwrite:
        raise ValueError(f"{path} is there already: name another file, or ask to overwrite it (--overwrite)")
    return Destination(path, formats=(_SUFFIX,))


def _named_beside(graph: Graph, path: Path) -> tuple[Graph, dict[Path, bytes]]:
    """The graph, whose readings name the files beside it, and these files."""
    from headstart.preprocessing.spec import TextPreprocess
    from headstart.preprocessing.term_encoder import TermEncoder

    files: dict[Path, bytes] = {}
    readings = []
    for reading in graph.readings:
        if isinstance(reading.form, TextPreprocess):
            named = _beside(path, "tokenizer", reading.form.tokenizer_json.encode(), files)
        elif isinstance(reading.form, TermEncoder):
            form = reading.form
            terms = {"kind": "terms", "terms": form.terms, "rarity": form.rarity.tolist(), "other": form.other}
            data = json.dumps(terms, ensure_ascii=False).encode("utf-8", "surrogatepass")
            named = _beside(path, "preprocess", data, files)
        else:
            named = None
        readings.append(reading._replace(beside=named))
    return graph._replace(readings=tuple(readings)), files


def _beside(path: Path, what: str, data: bytes, files: dict[Path, bytes]) -> FileBeside:
    """A file with this content beside the model, among files that are to be written."""
    name = next((file for file, there in files.items() if there == data), None)
    if name is None:
        number = f".{len(files)}" if files else ""
        name = path.with_name(f"{path.stem}.{what}{number}.json")
        files[name] = data
    from headstart.deployment.formats.reading import FileBeside

    return FileBeside(name.name, hashlib.sha256(data).hexdigest())


def _notes(fitted: Transfer, rows: Any) -> tuple[str, ...]:
    """How far the answers are from those of `predict`, whose engine may calculate otherwise."""
    engine = fitted.model_.engine
    if not engine or (engine["name"], engine["precision"]) == ("torch", "float32"):
        return ()
    import numpy as np

    from headstart.deployment.formats.parity import largest_difference, parts
    from headstart.listener import SILENT
    from headstart.methods.answers import answers_of

    own = fitted.look(rows.task, listener=SILENT)
    kind = fitted.model_.kind
    (p, decided), (q, again) = (parts(answers_of(fitted.model_, each), kind) for each in (own, rows))
    largest = largest_difference(kind, p, q)
    same = f", the same answer to {np.mean(decided == again):.1%}" if kind.has_classes else ""
    return (
        f"the model was fitted on features of {engine['name']} {engine['precision']}, and the export calculates in "
        f"float32: its answers are up to {largest:.2g} from those of predict{same}",
    )
