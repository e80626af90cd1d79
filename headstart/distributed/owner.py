"""A client's side: its rows, which never leave it, and what it tells of them: sums, losses and scores."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any, Self

import numpy as np

from headstart.backbones.backbone import Backbone
from headstart.data.read import read
from headstart.data.roles import Roles
from headstart.data.splits.split import folds
from headstart.distributed.agreement import Agreement, Description, encoder_json
from headstart.distributed.clients import Client, Federation
from headstart.distributed.kept_inputs import KeptInputs
from headstart.distributed.local_steps import localised
from headstart.errors import DataError
from headstart.evidence.assess import NO_TRANSFER
from headstart.evidence.evidence import Evidence, of_answers
from headstart.evidence.held_out import HeldOut
from headstart.features.extraction import Extraction
from headstart.features.feature_set import FeatureSet
from headstart.heads.calibrate import row_log_losses
from headstart.heads.head import Head
from headstart.heads.sums import Sums, fold_sums
from headstart.listener import Listener
from headstart.methods.answers import answers_of, features_of
from headstart.methods.plan import Plan
from headstart.methods.table import fit_model
from headstart.preprocessing.table_encoder import TableEncoder
from headstart.study.check import report_of
from headstart.study.contenders import answer_cache
from headstart.study.untransferred import Untransferred
from headstart.tasks.kind import kind_named
from headstart.tasks.task import Array
from headstart.training.batches import InputBatches, batches
from headstart.training.device import below, settle
from headstart.training.options import Training

__all__ = ["ALONE", "SHARED", "TEMPERATURES", "TUNED", "Member", "Owner", "varied"]

ALONE = "alone"
"""The probe on the same backbone, fitted to a client's own rows."""
SHARED = "federated"
"""The head of all clients' rows."""
TUNED = "tuned alone"
"""Where weights of the backbone learn: the same training, for as many rounds, on a client's own rows."""
TEMPERATURES = 10.0 ** np.linspace(-4, 4, 161)


@dataclass(frozen=True)
class Owner:
    """The labelled rows of one client, as its backbone sees them. personal: where its own model is written."""

    name: str
    rows: FeatureSet
    backbone: Backbone | None
    how: tuple[Extraction, Listener]
    personal: Path | None = None

    @classmethod
    def of(cls, federation: Federation, client: Client, listener: Listener) -> Self:
        """Read a client's data and look at them. DataError where they cannot be used."""
        from headstart.transfer import Transfer

        roles = Roles(target=federation.target, input=federation.input, group=federation.group)
        task = read(federation.place(client), roles=roles, kind=federation.kind, partly=True)
        looking = Transfer(federation.backbone, "probe", kind=task.kind, seed=federation.seed)
        rows = looking.look(task, listener=listener)
        report = report_of(rows, taught=True)
        rows = replace(rows, blocks=report.blocks).take(report.keep)
        known = np.flatnonzero(rows.task.kind.known(np.asarray(rows.task.targets)))
        rows = rows if len(known) == len(rows) else rows.take(known)
        how = (looking.extraction(rows.engine or None), listener)
        return cls(client.name, rows, looking.backbone_, how, federation.personal(client))

    @cached_property
    def batches(self) -> InputBatches:
        """All inputs as a training of the backbone takes them, decoded once. ValueError where there is no backbone."""
        if self.backbone is None:
            raise ValueError("there is no backbone whose weights could learn")
        device = settle(Training(), self.how[0])[0]
        inputs = list(self.rows.task.inputs)
        return KeptInputs(batches(inputs, self.backbone, device, below(self.rows.engine, self.how[0])))

    def describe(self) -> Description:
        """What the others may know."""
        task, raw = self.rows.task, self.rows.values is None
        present = np.flatnonzero(task.kind.counts(np.asarray(task.targets), len(task.classes)))
        return Description(
            rows=len(self.rows),
            kind=str(task.kind),
            modality=str(task.modality),
            classes=tuple(task.classes[code] for code in present.tolist()),
            columns=tuple(map(str, task.inputs.columns)) if raw else (),  # type: ignore[union-attr]
            encoder=encoder_json(TableEncoder.fit(task.inputs)) if raw and len(task) else None,  # type: ignore[arg-type]
            width=0 if self.rows.values is None else int(self.rows.values.shape[1]),
            weights="" if self.backbone is None else self.backbone.fingerprint,
            backbone="" if self.backbone is None else self.backbone.name,
            engine={} if self.backbone is None else self.rows.engine,
            roles=None if task.columns is None else task.columns._asdict(),
        )

    def under(self, agreement: Agreement) -> Member:
        """The same rows with the classes and the features that were agreed upon."""
        task = self.rows.task
        kind = kind_named(agreement.kind)
        if kind.has_classes:
            place = {label: code for code, label in enumerate(agreement.classes)}
            codes = np.array([place[label] for label in task.classes], dtype=np.int64)
            targets = np.asarray(task.targets)
            if kind.several:
                wide = np.zeros((len(targets), len(agreement.classes)), dtype=np.uint8)
                wide[:, codes] = targets
                targets = wide
            else:
                targets = codes[targets]
            task = replace(task, targets=targets, classes=agreement.classes)
        return Member(self, agreement, replace(self.rows, task=task))


@dataclass(frozen=True)
class Member:
    """An owner under an agreement."""

    owner: Owner
    agreement: Agreement
    rows: FeatureSet

    @cached_property
    def fold(self) -> Array:
        """(N,) in which fold each row is held out. DataError where there are too few rows for two."""
        rows = self.rows
        targets, seed = np.asarray(rows.task.targets), self.agreement.seed
        return folds(targets, rows.task.kind, rows.blocks, rows.keys, k=self.agreement.folds, seed=seed)

    @cached_property
    def features(self) -> Array:
        """(N, D) float32."""
        return features_of(self.rows, self.agreement.table_encoder)

    @property
    def classes(self) -> int:
        return max(1, len(self.agreement.classes))

    def sums(self) -> list[Sums]:
        """Of each fold."""
        targets, kind = np.asarray(self.rows.task.targets), self.rows.task.kind
        count = self.agreement.folds
        return fold_sums(self.features, targets, self.fold, kind=kind, classes=self.classes, count=count)

    def out_of_fold(self, heads: list[Head]) -> Array:
        """(N, C) logits, each row's by the head that was fitted without its fold, at that head's temperature."""
        out = np.empty((len(self.rows), self.rows.task.kind.outputs(self.classes)))
        for fold, head in enumerate(localised(self, heads)):
            rows_out = np.flatnonzero(self.fold == fold)
            out[rows_out] = head.logits(self.features[rows_out]) / head.temperature
        return out

    def losses(self, heads: list[Head]) -> Array:
        """(F, T) the log loss of the rows of each fold, summed, at each of `TEMPERATURES`."""
        kind, targets = self.rows.task.kind, np.asarray(self.rows.task.targets)
        logits, total = self.out_of_fold(heads), np.zeros((len(heads), len(TEMPERATURES)))
        for fold in range(len(heads)):
            rows_out = np.flatnonzero(self.fold == fold)
            if len(rows_out):
                ones = np.ones(len(rows_out))
                for at, temperature in enumerate(TEMPERATURES):
                    rows, _ = row_log_losses(logits[rows_out] / temperature, targets[rows_out], kind, ones)
                    total[fold, at] = rows.sum()
        return total

    def evidence(self, heads: list[Head], personal: Array) -> tuple[Evidence, Evidence]:
        """What its own rows, each held out once, say of the heads of all, beside its own data and backbone alone; and
        of its own heads, of which `personal` holds the logits (N, C), beside all of these."""
        kind, task = self.rows.task.kind, self.rows.task
        count = int(self.fold.max()) + 1
        held_out = HeldOut.of(task)._replace(group=self.rows.blocks, folds=count)
        shared = kind.probabilities(self.out_of_fold(heads), 1.0)
        others = dict(self.alone())
        both = (
            of_answers(held_out, shared, others, seed=self.agreement.seed),
            of_answers(
                held_out, kind.probabilities(personal, 1.0), others | {SHARED: shared}, seed=self.agreement.seed
            ),
        )
        words = f"{count}-fold cross-validation at each client"
        first, second = (replace(each, n_train=len(self.rows), protocol=words) for each in both)
        return first, second

    def alone(self) -> Mapping[str, Array]:
        """Answers to the same held-out rows by what its own other rows teach: without transfer, and by the probe."""
        folds = range(int(self.fold.max()) + 1)
        tests = [np.flatnonzero(self.fold == fold) for fold in folds]
        parts = [self.alone_without(np.flatnonzero(self.fold != fold), tests[fold]) for fold in folds]
        back = np.argsort(np.concatenate(tests))
        return {name: np.concatenate([part[name] for part in parts])[back] for name in parts[0]}

    def alone_without(self, train: Array, test: Array) -> dict[str, Array]:
        """The same to the rows `test`, by what the rows `train` teach."""
        plan = Plan("probe", seed=self.agreement.seed)
        learnt, asked = self.rows.take(train), self.rows.take(test)
        answers = dict.fromkeys(("majority", NO_TRANSFER, ALONE), self.constant(learnt, len(test)))
        if varied(learnt):
            untransferred = Untransferred(plan, answer_cache(*self.owner.how))
            answers[NO_TRANSFER] = _predictions(untransferred.answer(learnt, asked))
            answers[ALONE] = self.probed(learnt, asked, plan)
        return answers

    def probed(self, learnt: FeatureSet, asked: FeatureSet, plan: Plan) -> Array:
        """What the probe on some of its rows answers to others."""
        try:
            model = fit_model(learnt, self.owner.backbone, plan)
        except (DataError, ValueError) as error:
            self.owner.how[1].say(f"{self.owner.name}: the probe on its rows alone cannot be fitted: {error}")
            return self.constant(learnt, len(asked))
        return np.asarray(_predictions(answers_of(model, asked)))

    def constant(self, learnt: FeatureSet, rows: int) -> Array:
        """What answers the same to so many rows, by the answers of others."""
        task = learnt.task
        return task.kind.constant(np.asarray(task.targets), len(task.classes), rows)


def varied(rows: FeatureSet) -> bool:
    """Whether rows have more than one answer."""
    return len(np.unique(np.asarray(rows.task.targets), axis=0)) > 1


def _predictions(answers: Any) -> Array:
    return np.asarray(getattr(answers, "predictions", answers))
