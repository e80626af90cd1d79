"""What the check of the data leaves to learn from."""

from __future__ import annotations

from dataclasses import replace

from headstart.data.quality.check import Finding, Report, check
from headstart.features.feature_set import FeatureSet
from headstart.features.unknown import MUCH, unknown_advice
from headstart.listener import Listener

__all__ = ["checked", "report_of"]


def report_of(seen: FeatureSet, taught: bool = False, allow_losses: bool = True) -> Report:
    features = seen.features
    truncated = None if features is None else features.truncated
    unknown = None if features is None else features.unknown
    report = check(
        seen.task, keys=seen.keys, thumbs=seen.thumbs, truncated=truncated, taught=taught, allow_losses=allow_losses
    )
    if unknown is None or unknown < MUCH:
        return report
    finding = Finding(
        "per cent of tokens that the backbone does not know",
        round(100 * unknown),
        (),
        unknown_advice(unknown),
        "warning",
    )
    return replace(report, findings=(*report.errors, finding, *report.findings[len(report.errors) :]))


def checked(seen: FeatureSet, listener: Listener, *, taught: bool = False) -> tuple[FeatureSet, Report]:
    """The rows that the check leaves, and what it found; raises DataError where there is nothing to fit."""
    report = report_of(seen, taught)
    for finding in report.findings:
        listener.say(str(finding))
    report.raise_if_error()
    return replace(seen, blocks=report.blocks).take(report.keep), report
