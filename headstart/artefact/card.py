"""The model card: README.md of a model folder, written from the model's own facts.

After Mitchell et al., "Model Cards for Model Reporting" (2019): what it is, on what data, how good, for what, how to
use it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

from headstart.artefact.model import Model
from headstart.backbones.backbone import Backbone
from headstart.evidence.facts import left_out_in_words
from headstart.evidence.facts_record import left_out, transfer_untold
from headstart.tasks.goal import Goal

__all__ = ["backbone_card", "card", "multi_task_card"]

SHOWN = 40
NO_PRETRAINING = "no-pretraining"
_NO_EVIDENCE = "## Evidence\n\nNone: no rows were held out, so nothing is known about how well it predicts."


def card(model: Model, name: str, config: dict[str, Any]) -> str:
    """The card of `model`, saved as the folder `name`; `config` is what config.json holds."""
    parts = [f"# {_safe(name)}", _summary(model), _facts(model, config), _evidence(model), _use(model, name)]
    if model.notes:
        parts.append("## Notes\n\n" + "\n".join(f"- {_safe(note)}" for note in model.notes))
    return "\n\n".join(part for part in parts if part) + "\n"


def backbone_card(backbone: Backbone, page: str, name: str, config: dict[str, Any]) -> str:
    """The card of a pretrained backbone, saved as the folder `name`; `page` is what is known of it."""
    folder = name if re.fullmatch(r"[\w.-]+", name) else "FOLDER"
    rows = [
        ("backbone", f"`{_safe(backbone.name)}`, fingerprint `{backbone.fingerprint:.16}`"),
        ("features", f"{backbone.dim} of {backbone.modality.card_noun}"),
        ("licence of the backbone", _safe(backbone.licence) or "not stated: ask its publisher"),
        ("made by", f"headstart {config['headstart']}, Python {config['libraries']['python']}"),
    ]
    lines = "\n".join(f"    {line}" for line in page.splitlines())
    parts = [
        f"# {_safe(name)}",
        f"A pretrained backbone: made by `{_safe(config['method'])}`. It has no head of its own.",
        _table(["", ""], rows),
        f"## What is known of it\n\n{lines}",
        f"## Use\n\n```\nheadstart fit LABELLED_DATA --backbone file:{folder} --out MODEL\n```",
    ]
    return "\n\n".join(parts) + "\n"


def multi_task_card(models: Mapping[str, Model], method: str, page: str, name: str, config: dict[str, Any]) -> str:
    """The card of a model of several targets, saved as the folder `name`; `page` is what held-out data said."""
    first = next(iter(models.values()))
    folder = name if re.fullmatch(r"[\w.-]+", name) else "FOLDER"
    rows = [
        (
            f"`{_safe(target)}`",
            _safe(model.kind.task(model.modality.card_noun, len(model.classes))),
            f"`{_safe(model.method)}`",
            _below(model),
        )
        for target, model in models.items()
    ]
    lines = "\n".join(f"    {line}".rstrip() for line in page.splitlines())
    evidence = f"## Evidence\n\n{lines}\n\nThe complete record is in `evidence.json`." if page else _NO_EVIDENCE
    shell, python = first.modality.card_example
    load = f'import headstart as hs{first.modality.card_import}\n\nmodel = hs.MultiTask.load("{folder}")'
    parts = [
        f"# {_safe(name)}",
        f"A model of {len(models)} targets of {_safe(_input(first))}, learnt by `{_safe(method)}`.",
        _table(["target", "what its head does", "learnt by", "on"], rows),
        f"Made by headstart {config['headstart']}, Python {config['libraries']['python']}.",
        evidence,
        f"## Use\n\n```\nheadstart predict {folder} {shell}\nheadstart evaluate {folder} LABELLED_DATA\n```",
        f"```python\n{load}\nmodel.predict({python})\n```",
    ]
    return "\n\n".join(parts) + "\n"


def _below(model: Model) -> str:
    if model.backbone is not None:
        return f"features of `{_safe(model.backbone.name)}`"
    return "the columns themselves" if model.modality.has_columns else "what the inputs hold, without a backbone"


def _summary(model: Model) -> str:
    what = model.kind.task(model.modality.card_noun, len(model.classes))
    if model.beside:
        parts = "; ".join(
            f"{member.weight:.2f} of method `{_safe(member.model.method)}`, head `{_safe(member.model.head.name)}` on "
            f"{_below(member.model)}"
            for member in model.members
        )
        return f"A model that {what}: an average of {len(model.members)}: {parts}."
    return f"A model that {what}: method `{_safe(model.method)}`, head `{_safe(model.head.name)}` on {_below(model)}."


def _facts(model: Model, config: dict[str, Any]) -> str:
    rows = [("input", _input(model)), ("classes", _listed(model.classes)), ("rows", _counts(model.evidence or {}))]
    if (goal := Goal.from_json(model.options.get("goal"))) is not None:
        rows.append(("goal", f"{_safe(goal.words)}: heads are chosen, and answers decided, for it"))
    if model.columns is not None:
        roles = model.columns._asdict() | {"input": ", ".join(model.columns.input)}
        roles.pop("types")
        rows.append(("columns", "; ".join(f"{role}: {_safe(value)}" for role, value in roles.items() if value)))
    if (backbone := model.backbone) is not None:
        stored = "" if config["backbone"]["stored"] else "; its weights are not in this folder"
        rows.append(("backbone", f"`{_safe(backbone.name)}`, fingerprint `{backbone.fingerprint:.16}`{stored}"))
        engine = " ".join(_safe(model.engine[key]) for key in ("name", "precision") if key in model.engine)
        engine += f" on {_safe(model.engine['device'])}" if "device" in model.engine else ""
        rows.append(("its features from", engine))
        rows.append(("licence of the backbone", _safe(backbone.licence) or "not stated: ask its publisher"))
    rows.append(("made by", f"headstart {config['headstart']}, Python {config['libraries']['python']}"))
    return _table(["", ""], [row for row in rows if row[1]])


def _input(model: Model) -> str:
    what = model.modality.card_noun
    preprocess = model.backbone.preprocess if model.backbone else None
    return what if preprocess is None else preprocess.described(what)


def _counts(evidence: dict[str, Any]) -> str:
    fields = (("n_train", "fitted on"), ("n_test", "held out"))
    return ", ".join(f"{evidence[key]} {words}" for key, words in fields if key in evidence)


def _evidence(model: Model) -> str:
    evidence = model.evidence or {}
    metrics = evidence.get("metrics")
    if not isinstance(metrics, dict) or not metrics:
        return _NO_EVIDENCE
    baselines = evidence.get("baselines")
    compared = {"this model": metrics} | (baselines if isinstance(baselines, dict) else {})
    lines = [[_safe(who), *(_scored(scores, name) for name in metrics)] for who, scores in compared.items()]
    table = _table(["on held-out rows", *(name.replace("_", " ") for name in metrics)], lines)
    words = "In brackets: 95 % intervals. The complete record is in `evidence.json`."
    names = [_safe(name) for name in left_out(evidence)]
    missing = [f"{left_out_in_words(names).capitalize()}."] if names else []
    return "\n\n".join(["## Evidence", table, *missing, *_verdict(evidence), words])


def _verdict(evidence: dict[str, Any]) -> Iterable[str]:
    gain, verdict = evidence.get("gain"), evidence.get("verdict")
    what = "Pretraining" if isinstance(gain, dict) and gain.get("over") == NO_PRETRAINING else "Transfer"
    yield from _judged(what, verdict, gain, transfer_untold(evidence))
    adaptation = evidence.get("adaptation")
    if isinstance(adaptation, dict):
        yield from _judged("Adaptation", adaptation.get("verdict"), adaptation.get("gain"), adaptation.get("why"))
    distillation = evidence.get("distillation")
    if isinstance(distillation, dict):
        yield from _distilled(distillation)


def _distilled(distillation: dict[str, Any]) -> Iterable[str]:
    """Whether the teacher helped, and accuracy against cost."""
    gain, why = distillation.get("gain"), distillation.get("why")
    yield from _judged("The teacher", distillation.get("verdict"), gain, why)
    compared = distillation.get("compared")
    rows = [row for row in compared if isinstance(row, dict)] if isinstance(compared, list) else []
    header = ["", _safe(distillation.get("metric", "")).replace("_", " "), "answers as the teacher does"]
    header += ["calibration error", "MB", "figures", "ms an input"]
    names = ("score", "agreement", "calibration")
    yield _table(
        header,
        [
            [
                _safe(row.get("name", "")),
                *(_score(row.get(name)) for name in names),
                *(_figure(row.get(name)) for name in ("megabytes", "parameters", "milliseconds")),
            ]
            for row in rows
        ],
    )


def _figure(value: Any) -> str:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return ""
    return f"{value:,}" if isinstance(value, int) else f"{value:,.1f}"


def _judged(what: str, verdict: Any, gain: Any, why: Any) -> Iterable[str]:
    """Whether it helped, or why that is not known."""
    if isinstance(verdict, str) and isinstance(gain, dict) and "value" in gain:
        metric, over = _safe(gain.get("metric", "")).replace("_", " "), _safe(gain.get("over", ""))
        yield f"{what}: **{_safe(verdict)}**. Gain in {metric} over {over}: {_score(gain, sign='+')}."
    elif isinstance(why, str):
        yield f"{what}: not judged, {_safe(why)}."


def _scored(scores: Any, name: str) -> str:
    return _score(scores.get(name)) if isinstance(scores, dict) else ""


def _score(score: Any, *, sign: str = "") -> str:
    """A value and its interval, as far as they are known."""
    if not isinstance(score, dict) or not isinstance(score.get("value"), int | float):
        return ""
    ends = [score.get("low"), score.get("high")]
    interval = [f"{end:{sign}.3f}" for end in ends if isinstance(end, int | float)]
    return f"{score['value']:{sign}.3f}" + (f" [{', '.join(interval)}]" if len(interval) == 2 else "")


def _use(model: Model, name: str) -> str:
    shell, python = model.modality.card_example
    folder = name if re.fullmatch(r"[\w.-]+", name) else "FOLDER"
    limits = f"Meant for {model.modality.card_noun} like those it was fitted on. "
    if model.kind.exclusive:
        limits += "It answers with one of its classes for every input, also where none of them fits. "
    limits += "On other data it can be worse than the evidence says: `headstart evaluate` measures it."
    shell_block = f"```\nheadstart predict {folder} {shell}\nheadstart evaluate {folder} LABELLED_DATA\n```"
    more = model.modality.card_import
    load = f'import headstart as hs{more}\n\nmodel = hs.Transfer.load("{folder}")\nmodel.predict({python})'
    return f"## Use\n\n{limits}\n\n{shell_block}\n\n```python\n{load}\n```"


def _listed(classes: tuple[Any, ...]) -> str:
    more = f" and {len(classes) - SHOWN} more" if len(classes) > SHOWN else ""
    return ", ".join(_safe(label) for label in classes[:SHOWN]) + more


def _table(header: list[str], rows: Iterable[Iterable[str]]) -> str:
    lines = [header, ["---"] * len(header), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def _safe(value: Any) -> str:
    """Text that Markdown and HTML leave as it is, on one line."""
    return re.sub(r"([\\`*_\[\]<>|#])", r"\\\1", " ".join(str(value).split()))
