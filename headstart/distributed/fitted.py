"""A head that clients agreed upon, as a fitted model."""

from __future__ import annotations

from dataclasses import replace

from headstart.artefact import Model
from headstart.backbones.backbone import Backbone
from headstart.distributed.agreement import Agreement
from headstart.evidence.evidence import Evidence
from headstart.evidence.facts import EvidenceFacts, ModelFacts
from headstart.heads.head import Head
from headstart.tasks.kind import kind_named
from headstart.tasks.modality import modality_named
from headstart.transfer import Transfer

__all__ = ["conclude"]


def conclude(agreement: Agreement, head: Head, evidence: Evidence, backbone: Backbone | None) -> Transfer:
    """The model with this head and what was seen of it on held-out rows."""
    encoder, method = (
        agreement.table_encoder,
        agreement.how.train if agreement.how and agreement.moves_weights else "probe",
    )
    model = Model(
        modality=modality_named(agreement.modality),
        kind=kind_named(agreement.kind),
        classes=agreement.classes,
        columns=agreement.columns,
        backbone=backbone,
        encoder=None if encoder is None else encoder.state(),
        head=head,
        method=method,
        options={"class_weight": None, "seed": agreement.seed, "goal": None, "method": {}},
        engine=agreement.engine,
    )
    facts = ModelFacts(backbone=agreement.backbone or None, n_set_aside=0, set_aside=(), method=method)
    transfer = Transfer(agreement.backbone or None, method, kind=agreement.kind, seed=agreement.seed)
    return transfer.conclude(model, replace(evidence, facts=EvidenceFacts(model=facts)), None)
