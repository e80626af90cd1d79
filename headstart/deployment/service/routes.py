"""The plain routes: /predict, /health, /ready, /metrics, /model."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response

from headstart.deployment.service.content import content_of
from headstart.deployment.service.guard import Endpoint
from headstart.deployment.service.inputs import expected_by
from headstart.deployment.service.replies import prediction_rows, reply, wish_of
from headstart.deployment.service.service import Service

__all__ = ["plain_routes"]


def plain_routes(service: Service) -> list[tuple[str, str, Endpoint]]:
    """Of each its method, path and endpoint."""
    return [
        ("POST", "/predict", _predict(service)),
        ("GET", "/health", _health(service)),
        ("GET", "/ready", _ready(service)),
        ("GET", "/metrics", _metrics(service)),
        ("GET", "/model", _model(service)),
    ]


def _predict(service: Service) -> Endpoint:
    async def predict(request: Request) -> Response:
        """What the model says of each input of the body, in their order."""
        model = service.served.model
        wish = wish_of(request, model)
        content = await content_of(request, model, service.limits)
        answers = await service.ask(content.items)
        rows = prediction_rows(model, answers, wish, await service.nearest(answers, wish.nearest))
        fingerprint = service.served.fingerprint
        notes = {"notes": list(content.notes)} if content.notes else {}
        status = 422 if all(answer.values is None for answer in answers) else 200
        error = {"error": f"no input could be read; the first: {answers[0].why}"} if status != 200 else {}
        return reply({"predictions": rows, "model": fingerprint, **notes, **error}, status)

    return predict


def _health(service: Service) -> Endpoint:
    async def health(request: Request) -> Response:
        """Whether the process lives."""
        return reply({"status": "ok"})

    return health


def _ready(service: Service) -> Endpoint:
    async def ready(request: Request) -> Response:
        """Whether requests are to be sent here (200), or not (503)."""
        state = {"ready": service.ready, "model": service.served.fingerprint}
        return reply(state, 200 if service.ready else 503)

    return ready


def _metrics(service: Service) -> Endpoint:
    async def metrics(request: Request) -> Response:
        """What Prometheus is told."""
        return Response(service.metrics.page(), media_type="text/plain; version=0.0.4; charset=utf-8")

    return metrics


def _model(service: Service) -> Endpoint:
    async def model(request: Request) -> Response:
        """What is known of the model: its card, what held-out data said, its classes, what it reads."""
        served, own = service.served, service.served.model
        examples = 0 if served.examples is None else len(served.examples)
        return reply(
            {
                "model": served.fingerprint,
                "modality": str(own.modality),
                "kind": str(own.kind),
                "classes": list(own.classes),
                "columns": [] if own.columns is None else list(own.columns.input),
                "types": {} if own.columns is None else dict(own.columns.types),
                "expects": expected_by(own),
                "method": own.method,
                "backbone": None if own.backbone is None else own.backbone.name,
                "nearest": {"rows": examples} if examples else {"rows": 0, "why": served.no_examples},
                "card": served.card,
                "evidence": own.evidence,
            }
        )

    return model
