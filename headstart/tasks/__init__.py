"""The task: data and a question about it, whose kind and modality are values."""

from headstart.tasks.array import ARRAY
from headstart.tasks.audio import AUDIO, Clip
from headstart.tasks.classification import CLASSIFICATION
from headstart.tasks.image import IMAGE
from headstart.tasks.kind import KINDS, Kind, kind_named, register_kind
from headstart.tasks.modality import MODALITIES, Modality, modality_named, register_modality
from headstart.tasks.multilabel import MULTILABEL
from headstart.tasks.regression import REGRESSION
from headstart.tasks.table import TABLE
from headstart.tasks.task import Task
from headstart.tasks.text import TEXT

__all__ = [
    "ARRAY",
    "AUDIO",
    "CLASSIFICATION",
    "IMAGE",
    "KINDS",
    "MODALITIES",
    "MULTILABEL",
    "REGRESSION",
    "TABLE",
    "TEXT",
    "Clip",
    "Kind",
    "Modality",
    "Task",
    "kind_named",
    "modality_named",
    "register_kind",
    "register_modality",
]

for _kind in (CLASSIFICATION, REGRESSION, MULTILABEL):  # not `kind`, which is a module here
    register_kind(_kind)
for _modality in (IMAGE, TEXT, TABLE, ARRAY, AUDIO):
    register_modality(_modality)
