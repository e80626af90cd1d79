"""From the body of a request, by its content type, to inputs of the modality that the model reads."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any, NamedTuple

from starlette.formparsers import MultiPartException, MultiPartParser
from starlette.requests import Request

from headstart.artefact.model import Model
from headstart.deployment.service.inputs import check_rows, expected_by, unknown_columns
from headstart.deployment.service.limits import Limits
from headstart.deployment.service.refusal import Refusal, too_large, wrong_form
from headstart.errors import DataError
from headstart.messages import few
from headstart.tasks import AUDIO, IMAGE, TEXT

__all__ = ["Content", "content_of", "json_of"]

_FILES = (IMAGE, AUDIO)


class Content(NamedTuple):
    """items   inputs, as `inputs.task_of` takes them
    notes   what else was sent and is not used
    """

    items: Sequence[Any]
    notes: tuple[str, ...] = ()


async def content_of(request: Request, model: Model, limits: Limits) -> Content:
    """The inputs of a request. Raises Refusal: 400 for what is no JSON or no form, 413 for too many, 415 and 422 for
    what the model does not read."""
    form = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if form == "multipart/form-data":
        content = await _of_form(request, model, limits)
    elif form == "application/json":
        content = _of_json(await json_of(request), model)
    else:
        content = _of_body(await request.body(), form, model)
    if not content.items:
        raise Refusal(422, f"the request holds no input: {expected_by(model)}")
    if len(content.items) > limits.rows:
        raise too_large(f"{len(content.items):,} inputs", f"{limits.rows:,}")
    return content


async def json_of(request: Request) -> Any:
    """The JSON of a body. Raises Refusal (400)."""
    try:
        return json.loads(await request.body())
    except (ValueError, RecursionError) as error:
        raise Refusal(400, f"the body is no JSON: {_where(error)}") from None


def _where(error: Exception) -> str:
    """Where JSON breaks off, and nothing of what it holds."""
    if isinstance(error, json.JSONDecodeError):
        return f"{error.msg} in line {error.lineno}, column {error.colno}"
    return "it is nested too deeply" if isinstance(error, RecursionError) else "it is not UTF-8"


async def _of_form(request: Request, model: Model, limits: Limits) -> Content:
    """Files of a form, in their order, in memory; of a model of texts, fields called text."""
    parser = MultiPartParser(request.headers, request.stream(), max_files=limits.rows, max_part_size=limits.body)
    parser.spool_max_size = limits.body
    try:
        form = await parser.parse()
    except (MultiPartException, KeyError) as error:
        raise Refusal(400, f"the body is no multipart/form-data: {getattr(error, 'message', error)}") from None
    try:
        parts = [value for _, value in form.multi_items()]
        items: list[Any] = [part if isinstance(part, str) else await part.read() for part in parts]
    finally:
        await form.close()
    if model.modality in _FILES:
        return Content([item for item in items if not isinstance(item, str)])
    if model.modality == TEXT:
        return Content([item if isinstance(item, str) else _text(item) for item in items])
    raise wrong_form("a form of files", expected_by(model))


def _of_json(body: Any, model: Model) -> Content:
    modality = model.modality
    if isinstance(body, dict) and modality == TEXT and "texts" in body:
        texts = body["texts"]
        if not isinstance(texts, list) or not all(isinstance(text, str | None) for text in texts):
            raise Refusal(422, '"texts" is to be a list of strings')
        return Content(texts)
    if isinstance(body, dict) and "rows" in body and (modality.has_columns or modality == TEXT):
        try:
            rows = check_rows(body["rows"])
        except DataError as error:
            raise Refusal(422, str(error)) from None
        others = unknown_columns(model, rows)
        notes = (f"columns that the model does not read: {few(others)}",) if others else ()
        return Content(_texts_of(rows, model) if modality == TEXT else rows, notes)
    keys = few(body) if isinstance(body, dict) else type(body).__name__
    raise Refusal(415 if modality in _FILES else 422, f"JSON with {keys} cannot be read here: {expected_by(model)}")


def _texts_of(rows: list[Any], model: Model) -> list[Any]:
    """The columns that a model of texts was fitted on."""
    columns = () if model.columns is None else model.columns.input
    missing = [name for name in columns if not all(isinstance(row, dict) and name in row for row in rows)]
    if not columns or missing:
        raise Refusal(422, f"rows lack {few(missing or ['names of columns'])}: {expected_by(model)}")
    return [tuple(row[name] for name in columns) if len(columns) > 1 else row[columns[0]] for row in rows]


def _of_body(body: bytes, form: str, model: Model) -> Content:
    modality = model.modality
    family = form.partition("/")[0]
    named = f"a body of {form!r}" if form else "a body without a content type"
    families = {IMAGE: "image", AUDIO: "audio", TEXT: "text"}
    if modality not in families or (form not in ("", "application/octet-stream") and family != families[modality]):
        raise wrong_form(named, expected_by(model))
    if not body:
        return Content([])
    return Content([_text(body) if modality == TEXT else body])


def _text(body: bytes) -> str:
    try:
        return body.decode("utf-8")
    except UnicodeDecodeError:
        raise Refusal(422, "the text is not UTF-8") from None
