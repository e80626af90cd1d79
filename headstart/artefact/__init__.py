"""The artefact: the folder that holds a fitted model, written whole or not at all and checked before it is believed.

    flowers/
      config.json          everything but the tensors; the size and BLAKE3 hash of every file below but the card
      model.safetensors    head.*, encoder.*, uncertainty.* and, unless slim, backbone.* tensors
      tokenizer.json       the tokenizer, where a stored backbone reads text
      evidence.json        what held-out data said, where there is evidence
      README.md            the model card: for people, never read back, so it may be edited

`write` saves a `Model`, `read` loads one, `verify` checks a folder without building the backbone, `check_target` tells
before a long fit whether a model may be written somewhere; `pack` and `unpack` are `write` and `read` in memory, for
another process. `write_backbone`, `read_backbone` and `read_pretraining` are for a backbone without a head,
`write_multi_task` and `read_multi_task` for a model of several targets. Files of other names in the folder are never
opened.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from headstart.face import face

if TYPE_CHECKING:
    from headstart.artefact.backbone_folder import Pretraining, read_backbone, read_pretraining, write_backbone
    from headstart.artefact.model import Member, Model
    from headstart.artefact.multi_task_folder import (
        MultiTaskModels,
        holds_multi_task,
        read_multi_task,
        write_multi_task,
    )
    from headstart.artefact.packing import pack, unpack
    from headstart.artefact.place import check_target
    from headstart.artefact.reading import read, verify
    from headstart.artefact.writing import write

__all__ = [
    "Member",
    "Model",
    "MultiTaskModels",
    "Pretraining",
    "check_target",
    "holds_multi_task",
    "pack",
    "read",
    "read_backbone",
    "read_multi_task",
    "read_pretraining",
    "unpack",
    "verify",
    "write",
    "write_backbone",
    "write_multi_task",
]

face(
    __name__,
    {
        "Member": "model",
        "Model": "model",
        "MultiTaskModels": "multi_task_folder",
        "Pretraining": "backbone_folder",
        "check_target": "place",
        "holds_multi_task": "multi_task_folder",
        "pack": "packing",
        "read": "reading",
        "read_backbone": "backbone_folder",
        "read_multi_task": "multi_task_folder",
        "read_pretraining": "backbone_folder",
        "unpack": "packing",
        "verify": "reading",
        "write": "writing",
        "write_backbone": "backbone_folder",
        "write_multi_task": "multi_task_folder",
    },
)
