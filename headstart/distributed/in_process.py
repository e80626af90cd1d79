"""Flower on one machine without Ray: a `Grid` that hands each message to a ClientApp in this process.

The apps are the ones that run behind a SuperLink; only the transport is another. A client that raises is answered for
by an error, as a SuperNode does it; one that takes longer than it may is left behind, and its answer is not taken.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor, wait
from copy import deepcopy
from typing import TYPE_CHECKING

from flwr.app import Context, Error, Message, RecordDict
from flwr.serverapp import Grid
from flwr.supercore.run import Run
from flwr.supercore.task_identity import TaskIdentity

if TYPE_CHECKING:
    from flwr.clientapp import ClientApp
    from flwr.proto.node_pb2 import NodeInfo

__all__ = ["InProcess"]

RUN, SERVER = 1, 1
_RAISED = 1


class InProcess(Grid):  # type: ignore[misc]
    """Nodes by name, each with its app and a thread; node ids count from 2."""

    def __init__(self, apps: Mapping[str, ClientApp]) -> None:
        TaskIdentity.run_id, TaskIdentity.node_id, TaskIdentity.task_id = RUN, SERVER, RUN
        self.names = dict(enumerate(apps, start=2))
        self._apps = {node: apps[name] for node, name in self.names.items()}
        self._contexts = {
            node: Context(RUN, node, {"client": name}, RecordDict(), {}) for node, name in self.names.items()
        }
        self._answers: dict[str, Future[Message]] = {}
        self._pool = ThreadPoolExecutor(len(apps), thread_name_prefix="client")

    def set_run(self, run: Run) -> None:
        """There is one run."""

    @property
    def run(self) -> Run:
        """Its number alone: without a SuperLink nothing else is recorded of it."""
        return Run.create_empty(RUN)

    def get_node_ids(self) -> list[int]:
        return list(self.names)

    def get_nodes(self) -> Iterable[NodeInfo]:
        return list(super().get_nodes())

    def create_message(
        self, content: RecordDict, message_type: str, dst_node_id: int, group_id: str, ttl: float | None = None
    ) -> Message:
        return Message(content, dst_node_id, message_type, group_id=group_id, ttl=ttl)

    def push_messages(self, messages: Iterable[Message]) -> list[str]:
        names = []
        for message in messages:
            name = f"{len(self._answers) + 1}"
            self._answers[name] = self._pool.submit(self._answer, message)
            names.append(name)
        return names

    def pull_messages(self, message_ids: Iterable[str]) -> list[Message]:
        return [self._answers.pop(name).result() for name in message_ids if self._answers[name].done()]

    def send_and_receive(self, messages: Iterable[Message], *, timeout: float | None = None) -> list[Message]:
        waiting = [self._pool.submit(self._answer, message) for message in messages]
        done = wait(waiting, timeout=timeout).done
        for future in waiting:
            future.cancel()
        return [future.result() for future in waiting if future in done]

    def close(self) -> None:
        """Let the thread go, once its client has answered."""
        self._pool.shutdown(wait=True, cancel_futures=True)

    def _answer(self, message: Message) -> Message:
        node = message.metadata.dst_node_id
        try:
            received = Message(
                deepcopy(message.content), metadata=message.metadata
            )  # nothing is shared, as over a wire
            return self._apps[node](received, self._contexts[node])
        except Exception as error:
            return Message(Error(_RAISED, f"{type(error).__name__}: {error}"), reply_to=message)
