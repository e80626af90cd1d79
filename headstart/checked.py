"""What the check of the data leaves to learn from."""

from __future__ import annotations

from dataclasses import replace

from headstart.data.check import Report, check
from headstart.listener import Listener
from headstart.seen import Seen

__all__ = ["checked", "report_of"]


def report_of(seen: Seen, taught: bool = False, allow_losses: bool = True) -> Report:
    truncated = None if seen.features is None else seen.features.truncated
    return check(
        seen.task, keys=seen.keys, thumbs=seen.thumbs, truncated=truncated, taught=taught, allow_losses=allow_losses
    )


def checked(seen: Seen, listener: Listener, *, taught: bool = False) -> tuple[Seen, Report]:
    """The rows that the check leaves, and what it found; raises DataError where there is nothing to fit."""
    report = report_of(seen, taught)
    for finding in report.findings:
        listener.say(str(finding))
    report.raise_if_error()
    return replace(seen, blocks=report.blocks).take(report.keep), report
