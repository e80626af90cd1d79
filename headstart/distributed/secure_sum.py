"""The sum of vectors of clients by SecAgg+ (Bell et al., 2020), Flower's own protocol; the server sees the sum alone.

SecAgg+ adds whole numbers: it rounds each number at random to one of 2^b levels between -1 and 1. To lose no digits by
that, a number v with |v| <= B travels as two: the nearest level of v / B, which is sent exactly, and what is left of
it, times 2^(b - 1). The sum is then right to about B 2^(2 - 2b) a client, b = 29 for up to 4 clients, 24 for 128. B is
a power of two, which the clients tell. Every client counts 1, so that no number of rows is told.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from headstart.errors import DataError
from headstart.tasks.task import Array

if TYPE_CHECKING:
    from flwr.app import Message, RecordDict
    from flwr.serverapp import Grid

__all__ = ["asked", "bits_for", "decoded", "encoded", "exponent", "masked_answer", "secure_sum"]

LIMIT = 31
"""Bits of the numbers that Flower's rounding takes."""
MODULUS = 2**32
_MASKED = 2
"""Which of the four stages brings the masked vectors."""


def exponent(vector: Array) -> int:
    """e, where no number of the vector lies beyond 2^e."""
    largest = float(np.abs(vector).max(initial=0.0))
    return max(math.frexp(largest)[1], -1000) if largest else 0


def bits_for(clients: int) -> int:
    """b, so that the sum of so many clients stays below the modulus."""
    return LIMIT - max(1, math.ceil(math.log2(max(clients, 2)))) - 1


def encoded(vector: Array, bound: int, bits: int) -> Array:
    """(2, K) numbers from -1 to 1 of a vector (K,) within 2^bound."""
    scaled = vector / 2.0**bound
    levels = 2.0 ** (bits - 1)
    coarse = np.round(scaled * levels) / levels
    return np.stack([coarse, (scaled - coarse) * levels])


def decoded(total: Array, bound: int, bits: int) -> Array:
    """The sum (K,) of vectors from that (2, K) of what `encoded` made of them."""
    return np.asarray((total[0] + total[1] / 2.0 ** (bits - 1)) * 2.0**bound)


def masked_answer(vector: Array, message: Message) -> RecordDict:
    """A client's answer to what `secure_sum` asks, for Flower's `secaggplus_mod` to mask."""
    from flwr.common import Code, FitRes, Status, ndarrays_to_parameters
    from flwr.compat.common import recorddict_compat as compat

    config = compat.recorddict_to_fitins(message.content, keep_input=True).config
    numbers = encoded(vector, int(config["bound"]), int(config["bits"]))
    done = FitRes(Status(Code.OK, ""), ndarrays_to_parameters([numbers]), 1, {})
    return compat.fitres_to_recorddict(done, keep_input=False)


def asked(message: Message) -> tuple[dict[str, Any], dict[str, Array]]:
    """What a message of `secure_sum` asks: its words, and its arrays."""
    from flwr.common import parameters_to_ndarrays
    from flwr.compat.common import recorddict_compat as compat

    ins = compat.recorddict_to_fitins(message.content, keep_input=True)
    names = str(ins.config.get("arrays", ""))
    arrays = parameters_to_ndarrays(ins.parameters)
    return dict(ins.config), dict(zip(names.split(",") if names else [], arrays, strict=False))


def secure_sum(
    grid: Grid,
    nodes: Mapping[int, str],
    words: Mapping[str, str],
    arrays: Mapping[str, Array],
    *,
    bound: int,
    timeout: float,
) -> tuple[Array, list[str]]:
    """The sum (K,) of the answers of the nodes (id: name) that hold out until the end, and their names.

    words, arrays   what they are asked
    DataError where fewer than two hold out, since what is left would be no sum
    """
    from flwr.app import ConfigRecord, Context, RecordDict
    from flwr.common import ndarrays_to_parameters, parameters_to_ndarrays
    from flwr.compat.common import recorddict_compat as compat
    from flwr.server import LegacyContext, ServerConfig, SimpleClientManager
    from flwr.server.compat.grid_client_proxy import GridClientProxy
    from flwr.server.strategy import FedAvg
    from flwr.server.workflow import SecAggPlusWorkflow
    from flwr.server.workflow.constant import MAIN_CONFIGS_RECORD, MAIN_PARAMS_RECORD, Key

    from headstart.distributed.recording import Recording

    bits, managed = bits_for(len(nodes)), SimpleClientManager()
    for node in nodes:
        managed.register(GridClientProxy(node, grid, 0))
    config = {**words, "bound": bound, "bits": bits, "arrays": ",".join(arrays)}
    counted: list[int] = []

    def count(results: list[tuple[int, Any]]) -> dict[str, Any]:
        counted.append(len(results))
        return {}

    strategy = FedAvg(
        min_fit_clients=2,
        min_available_clients=2,
        on_fit_config_fn=lambda _: config,
        fit_metrics_aggregation_fn=count,
    )
    context = LegacyContext(Context(0, 0, {}, RecordDict(), {}), ServerConfig(1), strategy, managed)
    context.state.config_records[MAIN_CONFIGS_RECORD] = ConfigRecord({Key.CURRENT_ROUND: 1})
    given = ndarrays_to_parameters(list(arrays.values()))
    context.state.array_records[MAIN_PARAMS_RECORD] = compat.parameters_to_arrayrecord(given, keep_input=True)
    recorder = Recording(grid)
    SecAggPlusWorkflow(
        1.0, 0.5, max_weight=1.0, clipping_range=1.0, quantization_range=2**bits, modulus_range=MODULUS, timeout=timeout
    )(recorder, context)
    if not counted:
        raise DataError(
            "fewer clients than secure aggregation needs held out until the end "
            f"({'; '.join(f'{nodes[node]}: {why}' for node, why in recorder.failed.items()) or 'no answer in time'})"
        )
    made = parameters_to_ndarrays(
        compat.arrayrecord_to_parameters(context.state.array_records[MAIN_PARAMS_RECORD], keep_input=True)
    )[0]
    names = [name for node, name in nodes.items() if node in recorder.answered[_MASKED]]
    return decoded(made * counted[0], bound, bits), names
