"""What a request is refused with: a status of HTTP and words."""

from __future__ import annotations

__all__ = ["QueueFull", "Refusal", "too_large", "too_late", "wrong_form"]


class Refusal(Exception):
    """A request that is not answered. `status` of HTTP; `headers` beside the words."""

    def __init__(self, status: int, words: str, headers: dict[str, str] | None = None) -> None:
        super().__init__(words)
        self.status, self.words, self.headers = status, words, headers or {}


class QueueFull(Refusal):
    """So many wait already; `seconds` until it may be worth to ask again."""

    def __init__(self, waiting: int, seconds: int) -> None:
        words = f"{waiting:,} requests wait already: ask again in {seconds} s"
        super().__init__(429, words, {"retry-after": str(seconds)})


def too_large(what: str, limit: str) -> Refusal:
    """More than is taken."""
    return Refusal(413, f"{what} is more than the limit of {limit} a request: send less at a time")


def too_late(what: str, seconds: float) -> Refusal:
    """A client that does not send."""
    return Refusal(408, f"{what} did not come within {seconds:g} s")


def wrong_form(got: str, expected: str) -> Refusal:
    """A body of another modality, or of none."""
    return Refusal(415, f"{got} cannot be read here: {expected}")
