"""What the service takes: how much at a time, how large, and for how long."""

from __future__ import annotations

from dataclasses import dataclass

from headstart.checks import at_least

__all__ = ["Limits"]


@dataclass(frozen=True, kw_only=True)
class Limits:
    """Of one worker process. ValueError for numbers that cannot be.

    max_wait_ms   how long the first input of a batch waits for others, in milliseconds
    max_batch     inputs that are answered together; None: by the modality
    queue         requests that may wait; one more is refused (429)
    body          bytes of a request (413)
    rows          inputs of a request (413)
    header_seconds, body_seconds   until the head of a request, and its body, must be there (408)
    answer_seconds   until a request must be answered (504)
    """

    max_wait_ms: float = 5.0
    max_batch: int | None = None
    queue: int = 256
    body: int = 32 << 20
    rows: int = 10_000
    header_seconds: float = 30.0
    body_seconds: float = 30.0
    answer_seconds: float = 60.0

    def __post_init__(self) -> None:
        at_least("max_wait_ms", self.max_wait_ms, 0)
        at_least("queue", self.queue, 1)
        at_least("body", self.body, 1)
        at_least("rows", self.rows, 1)
        for name in ("header_seconds", "body_seconds", "answer_seconds"):
            if not getattr(self, name) > 0:
                raise ValueError(f"{name} = {getattr(self, name)!r}: expected more than 0")
        if self.max_batch is not None:
            at_least("max_batch", self.max_batch, 1, ", or None")
