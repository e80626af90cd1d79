"""The V2 inference protocol (Open Inference Protocol), over HTTP: what KServe, Triton and their clients speak."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import numpy as np
from starlette.requests import Request
from starlette.responses import Response

from headstart.artefact.model import Model
from headstart.data.installed import installed_version
from headstart.deployment.service.guard import Endpoint
from headstart.deployment.service.refusal import Refusal, too_large
from headstart.deployment.service.replies import reply
from headstart.deployment.service.served import Answer
from headstart.deployment.service.service import Service
from headstart.deployment.service.tensors import Tensor, asked_tensors, reply_body
from headstart.deployment.service.v2_inputs import described_inputs, items_of

__all__ = ["v2_routes"]

_HEADER = "inference-header-content-length"


def v2_routes(service: Service) -> list[tuple[str, str, Endpoint]]:
    """Of each its method, path and endpoint."""
    one, version = "/v2/models/{name}", "/v2/models/{name}/versions/{version}"
    state = _State(service)
    return [
        ("GET", "/v2", state.server),
        ("GET", "/v2/health/live", state.live),
        ("GET", "/v2/health/ready", state.ready),
        *[("GET", path, state.metadata) for path in (one, version)],
        *[("GET", f"{path}/ready", state.model_ready) for path in (one, version)],
        *[("POST", f"{path}/infer", state.infer) for path in (one, version)],
    ]


class _State:
    """The endpoints of a service."""

    def __init__(self, service: Service) -> None:
        self._service = service

    async def server(self, request: Request) -> Response:
        """Who answers, and what beside the protocol."""
        version = installed_version("headstart")
        return reply({"name": "headstart", "version": version, "extensions": ["binary_tensor_data"]})

    async def live(self, request: Request) -> Response:
        """Whether the process lives."""
        return reply({"live": True})

    async def ready(self, request: Request) -> Response:
        """Whether requests are to be sent here."""
        return reply({"ready": self._service.ready}, 200 if self._service.ready else 503)

    async def model_ready(self, request: Request) -> Response:
        """The same of the model."""
        self._check_name(request)
        state = {"name": self._service.served.name, "ready": self._service.ready}
        return reply(state, 200 if self._service.ready else 503)

    async def metadata(self, request: Request) -> Response:
        """The tensors that go in and come out."""
        self._check_name(request)
        served = self._service.served
        return reply(
            {
                "name": served.name,
                "versions": [served.fingerprint],
                "platform": "headstart",
                "inputs": described_inputs(served.model),
                "outputs": _described_outputs(served.model),
            }
        )

    async def infer(self, request: Request) -> Response:
        """What the model says of the rows of some tensors."""
        self._check_name(request)
        service, served = self._service, self._service.served
        body, binary = _parted(await request.body(), request.headers.get(_HEADER))
        described = body.get("inputs")
        if not isinstance(described, list) or not described:
            raise Refusal(400, '"inputs" is to be a list of at least one tensor')
        parameters = body.get("parameters") or {}
        items = items_of(served.model, asked_tensors(described, binary), parameters)
        if len(items) > service.limits.rows:
            raise too_large(f"{len(items):,} inputs", f"{service.limits.rows:,}")
        answers = await service.ask(items)
        for place, answer in enumerate(answers):
            if answer.values is None:
                raise Refusal(422, f"input {place}: {answer.why}")
        outputs = _asked_outputs(body, parameters, _outputs(served.model, answers))
        head = {"model_name": served.name, "model_version": served.fingerprint}
        head |= {"id": str(body["id"])} if "id" in body else {}
        content, length = reply_body(head, outputs)
        headers = {} if length is None else {_HEADER: str(length)}
        media = "application/json" if length is None else "application/octet-stream"
        return Response(content, 200, headers, media)

    def _check_name(self, request: Request) -> None:
        served, path = self._service.served, request.path_params
        if path["name"] != served.name:
            raise Refusal(404, f"there is no model of this name: it is {served.name!r}")
        if path.get("version", served.fingerprint) != served.fingerprint:
            raise Refusal(404, f"there is no such version: it is {served.fingerprint!r}")


def _parted(body: bytes, length: str | None) -> tuple[dict[str, Any], bytes]:
    """The JSON of a body, and the bytes behind it."""
    if length is not None and not (length.isdigit() and int(length) <= len(body)):
        raise Refusal(400, f"the header {_HEADER} is no length of this body")
    size = len(body) if length is None else int(length)
    try:
        content = json.loads(body[:size])
    except (ValueError, RecursionError):
        raise Refusal(400, "the body is no JSON") from None
    if not isinstance(content, dict):
        raise Refusal(400, 'the body is to be an object with "inputs"')
    return content, body[size:]


def _outputs(model: Model, answers: Sequence[Answer]) -> list[Tensor]:
    values = np.array([answer.values for answer in answers], dtype=np.float64)
    outputs = []
    if not model.kind.has_classes:
        outputs.append(Tensor("value", "FP64", values))
    elif model.kind.exclusive:
        labels = np.array([str(model.classes[code]) for code in model.head.decide(values)], dtype=object)
        outputs += [Tensor("label", "BYTES", labels), Tensor("probabilities", "FP64", values)]
    else:
        decided = np.asarray(model.head.decide(values), np.uint8)
        outputs += [Tensor("decided", "UINT8", decided), Tensor("probabilities", "FP64", values)]
    flags = [answer.outlier for answer in answers]
    return outputs if None in flags else [*outputs, Tensor("outlier", "BOOL", np.array(flags, bool))]


def _described_outputs(model: Model) -> list[dict[str, Any]]:
    """As `_outputs` makes them."""
    classes = len(model.classes)
    described: list[tuple[str, str, list[int]]]
    if not model.kind.has_classes:
        described = [("value", "FP64", [-1])]
    else:
        first = ("label", "BYTES", [-1]) if model.kind.exclusive else ("decided", "UINT8", [-1, classes])
        described = [first, ("probabilities", "FP64", [-1, classes])]
    if model.uncertainty is not None and model.uncertainty.distribution is not None:
        described.append(("outlier", "BOOL", [-1]))
    return [{"name": name, "datatype": datatype, "shape": shape} for name, datatype, shape in described]


def _asked_outputs(body: dict[str, Any], parameters: Any, outputs: list[Tensor]) -> list[tuple[Tensor, bool]]:
    """Those that a request names, or all; each with whether its bytes go behind the JSON."""
    everything = bool(isinstance(parameters, dict) and parameters.get("binary_data_output"))
    asked = body.get("outputs")
    if not asked:
        return [(tensor, everything) for tensor in outputs]
    by_name = {tensor.name: tensor for tensor in outputs}
    result = []
    for entry in asked:
        name = entry.get("name") if isinstance(entry, dict) else None
        if name not in by_name:
            raise Refusal(400, f"there is no output {name!r:.40}: expected {', '.join(by_name)}")
        own = entry.get("parameters") or {}
        result.append((by_name[name], bool(own.get("binary_data", everything))))
    return result
