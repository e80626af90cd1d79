"""What clients of a federation answer that are out of order: (message, the answer as it should be) -> another."""

from __future__ import annotations

import numpy as np
from flwr.app import Message

from headstart.distributed.payload import arrays_of, record


def dies(message, answer):
    raise ConnectionResetError("the line is dead")


def too_short(message, answer):
    return Message(record({"vector": np.zeros(7)}), reply_to=message)


def not_a_number(message, answer):
    vector = arrays_of(answer().content)["vector"].copy()
    vector[5] = np.nan
    return Message(record({"vector": vector}), reply_to=message)
