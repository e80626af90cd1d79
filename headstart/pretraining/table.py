"""The table of pretraining: a name -> a row that knows what it is for, its options, and how a backbone learns by it."""

from __future__ import annotations

from headstart.messages import nearest_hint
from headstart.pretraining.labelled import Labelled
from headstart.pretraining.objective import Objective
from headstart.pretraining.objectives.barlow import BarlowTwins
from headstart.pretraining.objectives.byol import BYOL
from headstart.pretraining.objectives.dino import DINO
from headstart.pretraining.objectives.jigsaw import Jigsaw
from headstart.pretraining.objectives.mae import MAE
from headstart.pretraining.objectives.masked_frames import MaskedFrames
from headstart.pretraining.objectives.mlm import MLM
from headstart.pretraining.objectives.moco import MoCo
from headstart.pretraining.objectives.next_sample import NextSample
from headstart.pretraining.objectives.rotation import Rotation
from headstart.pretraining.objectives.scarf import SCARF
from headstart.pretraining.objectives.simclr import SimCLR
from headstart.pretraining.objectives.simcse import SimCSE
from headstart.pretraining.objectives.simsiam import SimSiam
from headstart.pretraining.objectives.vicreg import VICReg
from headstart.pretraining.objectives.vime import VIME
from headstart.pretraining.row import Row
from headstart.pretraining.unlabelled import Unlabelled
from headstart.tasks import AUDIO, IMAGE, TABLE, TEXT, Modality
from headstart.training.options import Training

__all__ = ["DEFAULTS", "PRETRAINING", "row_named"]


def _row(about: str, objective: Objective, *, epochs: int = 30, batch: int = 64, lr: float = 1e-4) -> Unlabelled:
    training = Training(epochs=epochs, batch=batch, lr=lr, statistics="batch")
    return Unlabelled(about=about, objective=objective, training=training)


PRETRAINING: dict[str, Row] = {
    "simclr": _row("pictures: two views of one are told from those of all others in a batch", SimCLR()),
    "moco": _row("pictures: the same with the views of earlier batches, where batches are small", MoCo(), batch=32),
    "vicreg": _row("pictures: views agree, dimensions vary and do not repeat each other", VICReg()),
    "barlow": _row("pictures: the cross-correlation of two views is drawn to the identity", BarlowTwins()),
    "byol": _row("pictures: one view foretells what a slow teacher makes of the other", BYOL()),
    "simsiam": _row("pictures: the same without a teacher", SimSiam()),
    "dino": _row("pictures: the answers of a slow teacher, centred and sharpened, are learnt", DINO()),
    "mae": _row("pictures, vision transformers: hidden patches are drawn from those seen", MAE(), epochs=100),
    "rotation": _row("pictures: by how much one is turned is told", Rotation(), batch=32),
    "jigsaw": _row("pictures: the order of nine tiles is told", Jigsaw(), batch=32),
    "mlm": _row(
        "texts, networks like BERT: hidden tokens are told from the others", MLM(), epochs=5, batch=32, lr=5e-5
    ),
    "simcse": _row("texts: one is told from the others of a batch though dropout differs", SimCSE(), epochs=2, lr=3e-5),
    "scarf": _row("tables: a row is told from others though most of its cells are", SCARF(), epochs=50, batch=128),
    "vime": _row("tables: which cells are of other rows, and what stood there", VIME(), epochs=50, batch=128),
    "next-sample": _row(
        "sounds, WaveNets: the next sample is told from those before it", NextSample(), batch=16, lr=1e-3
    ),
    "masked-frames": _row(
        "sounds, encoders of Tacotron: hidden mel frames are told from the others", MaskedFrames(), batch=16, lr=1e-3
    ),
    "supervised": Labelled(
        about="pictures or texts with labels of another task: these are learnt, and the head is thrown away",
        training=Training(epochs=15, batch=32, statistics="batch"),
    ),
}

DEFAULTS: dict[Modality, str] = {IMAGE: "simclr", TEXT: "mlm", TABLE: "scarf", AUDIO: "next-sample"}
"""By modality, the method where none is named."""


def row_named(name: str) -> Row:
    """The row of this name. ValueError where there is none, naming the nearest."""
    if name not in PRETRAINING:
        hint = nearest_hint(name, PRETRAINING)
        raise ValueError(f"method {name!r} is unknown to pretrain{hint}; expected one of: {', '.join(PRETRAINING)}")
    return PRETRAINING[name]
