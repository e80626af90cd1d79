"""The verdict of the evidence in sentences, in the language of the reader."""

from __future__ import annotations

from collections.abc import Iterator

from headstart.evidence.assess import NO_PRETRAINING, NO_TRANSFER, Gain
from headstart.evidence.record import Record
from headstart.evidence.verdict import figure, signed, spread
from headstart.reports.words import Words

__all__ = ["verdict_in"]


def verdict_in(words: Words, evidence: Record) -> tuple[str, str]:
    """What is answered, and the figures behind it: two strings without a stop at their end."""
    answers = [_transfer(words, evidence), *_adaptation(words, evidence), *_teacher(words, evidence)]
    figures = words("semicolon").join(_figures(words, evidence))
    return words("stop").join(answers), figures[:1].upper() + figures[1:]


def _transfer(words: Words, evidence: Record) -> str:
    gain, facts = evidence.gain, evidence.facts
    if gain is not None and facts.instead is not None:
        return words(f"verdict.instead.{'helps' if evidence.verdict == 'helps' else 'does not help'}")
    if gain is not None:
        what = "pretraining" if gain.over == NO_PRETRAINING else "transfer"
        return words(f"verdict.{what if facts.carried else 'model'}.{evidence.verdict}")
    if facts.transfer_untold:
        return words("verdict.untold", why=facts.transfer_untold)
    if facts.model is not None and facts.model.method == NO_TRANSFER:
        return words("verdict.untransferred")
    return words("verdict.none")


def _adaptation(words: Words, evidence: Record) -> Iterator[str]:
    adaptation = evidence.adaptation
    if adaptation is None or adaptation.why == evidence.facts.transfer_untold != "":
        return
    if adaptation.gain is None:
        yield words("verdict.adaptation.none", why=adaptation.why)
    else:
        yield words(f"verdict.adaptation.{adaptation.verdict}")


def _teacher(words: Words, evidence: Record) -> Iterator[str]:
    taught = evidence.distillation
    if taught is not None and taught.gain is None:
        yield words("verdict.teacher.none", why=taught.why)
    elif taught is not None:
        yield words(f"verdict.teacher.{taught.verdict}")


def _figures(words: Words, evidence: Record) -> Iterator[str]:
    metric, gain = evidence.headline, evidence.gain
    name = words.metric(metric) if evidence.goal is None or metric != "f1" else evidence.goal.words
    score = evidence.metrics[metric]
    common = {"metric": name, "score": figure(score.value), "interval": spread(score), "rows": f"{evidence.n_test:,}"}
    if gain is None:
        yield words("verdict.score", **common)
    else:
        without = figure(evidence.baselines[gain.over][metric].value)
        known = f"other.{gain.over}"
        other = words(known) if known in words.sentences else words("other.with", name=words.model(gain.over))
        yield words("verdict.against", **common, without=without, other=other, **_gain(gain))
    if evidence.adaptation is not None and (over := evidence.adaptation.gain) is not None:
        yield words("verdict.over", over=words.model(over.over), **_gain(over))
    if evidence.distillation is not None and (taught := evidence.distillation.gain) is not None:
        yield words("verdict.over.teacher", **_gain(taught))


def _gain(gain: Gain) -> dict[str, str]:
    return {"gain": signed(gain.value), "gain_interval": spread(gain.interval)}
