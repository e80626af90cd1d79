"""A `Grid` in front of another that notes who answered each batch of messages, and why others did not."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from flwr.serverapp import Grid

if TYPE_CHECKING:
    from flwr.app import Message, RecordDict
    from flwr.supercore.run import Run

__all__ = ["Recording", "reason_of"]


class Recording(Grid):  # type: ignore[misc]
    """answered   of each batch, the nodes that answered it
    failed     node -> why, of those that once did not
    """

    def __init__(self, grid: Grid) -> None:
        self._grid = grid
        self.answered: list[set[int]] = []
        self.failed: dict[int, str] = {}

    def failed_first(self, nodes: Iterable[int]) -> set[int]:
        """Those of the nodes that did not answer the first batch that not all of them answered."""
        missing = (set(nodes) - answered for answered in self.answered)
        return next((each for each in missing if each), set())

    def set_run(self, run: Run) -> None:
        self._grid.set_run(run)

    @property
    def run(self) -> Run:
        return self._grid.run

    def create_message(
        self, content: RecordDict, message_type: str, dst_node_id: int, group_id: str, ttl: float | None = None
    ) -> Message:
        return self._grid.create_message(content, message_type, dst_node_id, group_id, ttl)

    def get_node_ids(self) -> Iterable[int]:
        return list(self._grid.get_node_ids())

    def push_messages(self, messages: Iterable[Message]) -> Iterable[str]:
        return list(self._grid.push_messages(messages))

    def pull_messages(self, message_ids: Iterable[str]) -> Iterable[Message]:
        return list(self._grid.pull_messages(message_ids))

    def send_and_receive(self, messages: Iterable[Message], *, timeout: float | None = None) -> list[Message]:
        asked = list(messages)
        replies = list(self._grid.send_and_receive(asked, timeout=timeout))
        good = {reply.metadata.src_node_id for reply in replies if not reply.has_error()}
        why = {reply.metadata.src_node_id: reason_of(reply) for reply in replies if reply.has_error()}
        for message in asked:
            node = message.metadata.dst_node_id
            if node not in good and node not in self.failed:
                self.failed[node] = why.get(node, "no answer in time")
        self.answered.append(good)
        return replies


def reason_of(reply: Message) -> str:
    """Why a client did not answer as it was asked, in one line."""
    words = (reply.error.reason or "").strip().splitlines()
    return words[-1] if words else f"error {reply.error.code}"
