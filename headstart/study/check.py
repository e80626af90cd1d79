"""What the check of the data leaves to learn from."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from headstart.data.quality.check import Finding, Report, check
from headstart.data.read import read
from headstart.data.roles import Roles
from headstart.features.cache.cache import Cache
from headstart.features.extraction import Extraction
from headstart.features.feature_set import FeatureSet, glance
from headstart.features.unknown import MUCH, unknown_advice
from headstart.listener import Listener
from headstart.study.answering import say_read

__all__ = ["check_data", "checked", "report_of"]


def check_data(data: Any, *, roles: Roles, kind: str | None, cache: bool, listener: Listener) -> Report:
    """What is wrong with the data, see `study.protocol.check`; torch is loaded for pictures and recordings alone."""
    task = read(data, roles=roles, kind=kind)
    say_read(task, listener)
    feature_set = glance(task, Extraction(cache=Cache() if cache else None), listener)
    return report_of(feature_set, allow_losses=False)


def report_of(feature_set: FeatureSet, taught: bool = False, allow_losses: bool = True) -> Report:
    features = feature_set.features
    truncated = None if features is None else features.truncated
    unknown = None if features is None else features.unknown
    report = check(
        feature_set.task,
        keys=feature_set.keys,
        thumbs=feature_set.thumbs,
        truncated=truncated,
        taught=taught,
        allow_losses=allow_losses,
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


def checked(feature_set: FeatureSet, listener: Listener, *, taught: bool = False) -> tuple[FeatureSet, Report]:
    """The rows that the check leaves, and what it found; raises DataError where there is nothing to fit."""
    report = report_of(feature_set, taught)
    for finding in report.findings:
        listener.say(str(finding))
    report.raise_if_error()
    return replace(feature_set, blocks=report.blocks).take(report.keep), report
