"""The task: data and a question about it, whose modality is a value."""

from headstart.tasks.array import ARRAY
from headstart.tasks.image import IMAGE
from headstart.tasks.modality import MODALITIES, Modality, modality_named, register_modality
from headstart.tasks.table import TABLE
from headstart.tasks.task import Task
from headstart.tasks.text import TEXT

__all__ = ["ARRAY", "IMAGE", "MODALITIES", "TABLE", "TEXT", "Modality", "Task", "modality_named", "register_modality"]

for modality in (IMAGE, TEXT, TABLE, ARRAY):
    register_modality(modality)
