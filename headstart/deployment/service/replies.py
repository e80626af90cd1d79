"""Answers as JSON: of each input what the model says, and how sure it is."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from starlette.requests import Request
from starlette.responses import Response

from headstart.artefact.model import Model
from headstart.deployment.service.refusal import Refusal
from headstart.deployment.service.served import Answer
from headstart.deployment.service.training_examples import MOST
from headstart.errors import DataError
from headstart.methods.doubts import scores_for

__all__ = ["Wish", "prediction_rows", "reply", "wish_of"]


class Wish(NamedTuple):
    """What a request asks for beside predictions.

    coverage   of sets and intervals; None: none
    nearest    how many training rows of each input; 0: none
    """

    coverage: float | None = None
    nearest: int = 0


def wish_of(request: Request, model: Model) -> Wish:
    """What the address of a request asks for. Raises Refusal (422)."""
    if not request.scope["query_string"]:
        return Wish()
    asked = request.query_params
    if others := set(asked) - set(Wish._fields):
        raise Refusal(422, f"{sorted(others)[0]!r:.40} is nothing to ask for: expected coverage or nearest")
    wish = Wish(_number(asked.get("coverage"), "coverage"), _count(asked.get("nearest", "0")))
    if wish.coverage is not None:
        try:
            scores_for(model, wish.coverage)
        except (DataError, ValueError) as error:
            raise Refusal(422, str(error)) from None
    return wish


def _number(word: str | None, name: str) -> float | None:
    try:
        number = None if word is None else float(word)
    except ValueError:
        number = math.nan
    if number is not None and not math.isfinite(number):
        raise Refusal(422, f"{name} is {word!r:.20}: expected a number")
    return number


def _count(word: str) -> int:
    """How many nearest rows."""
    if not (word.isascii() and word.isdigit() and int(word[:4]) <= MOST):
        raise Refusal(422, f"nearest is {word!r:.20}: expected a whole number up to {MOST}")
    return int(word)


def prediction_rows(
    model: Model, answers: Sequence[Answer], wish: Wish, nearest: Sequence[Any] | None = None
) -> list[dict[str, Any]]:
    """One object an input, in order; one that could not be read has its reason as "error".

    nearest   of each input its nearest training rows, as JSON
    """
    rows = [_unread(model, answer) if answer.values is None else _row(model, answer, wish) for answer in answers]
    for row, near in zip(rows, nearest or (), strict=bool(nearest)):
        row["nearest"] = near
    return rows


def _unread(model: Model, answer: Answer) -> dict[str, Any]:
    empty = {"label": None, "probabilities": None, "set": None} if model.kind.has_classes else _number_row(None, None)
    return {**empty, "outlier": None, "nearest": None, "error": answer.why}


def _number_row(value: float | None, interval: list[float] | None) -> dict[str, Any]:
    return {"value": value, "interval": interval}


def _row(model: Model, answer: Answer, wish: Wish) -> dict[str, Any]:
    values = np.asarray(answer.values)
    scores = None if wish.coverage is None else scores_for(model, wish.coverage)
    row: dict[str, Any]
    if model.kind.has_classes:
        inside = None if scores is None or wish.coverage is None else scores.sets(values[None], wish.coverage)[0]
        row = {
            "label": model.kind.in_words(model.head.decide(values), model.classes),
            "probabilities": {str(label): float(p) for label, p in zip(model.classes, values, strict=True)},
            "set": None if inside is None else [c for c, there in zip(model.classes, inside, strict=True) if there],
        }
    else:
        ends = None if scores is None or wish.coverage is None else scores.intervals(values[None], wish.coverage)[0]
        row = _number_row(float(values), None if ends is None else ends.tolist())
    return {**row, "outlier": answer.outlier, "nearest": None}


def reply(content: Any, status: int = 200, headers: dict[str, str] | None = None) -> Response:
    """JSON, in which no number is NaN or infinite."""
    body = json.dumps(content, ensure_ascii=False, allow_nan=False, separators=(",", ":")).encode()
    return Response(body, status, headers, "application/json")
