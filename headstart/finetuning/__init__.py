"""Which weights move, and when: one file a tune."""

from __future__ import annotations

from typing import TYPE_CHECKING

from headstart.face import face

if TYPE_CHECKING:
    from headstart.finetuning.bitfit import BitFit
    from headstart.finetuning.full import Full
    from headstart.finetuning.gradual import Gradual
    from headstart.finetuning.head import HeadOnly
    from headstart.finetuning.ia3 import IA3
    from headstart.finetuning.lora import LoRA
    from headstart.finetuning.lp_ft import LPFT
    from headstart.finetuning.soup import Soup
    from headstart.finetuning.stage import Progress, Stage, Tune
    from headstart.finetuning.top import Top
    from headstart.finetuning.wise_ft import WiSEFT

__all__ = [
    "IA3",
    "LPFT",
    "BitFit",
    "Full",
    "Gradual",
    "HeadOnly",
    "LoRA",
    "Progress",
    "Soup",
    "Stage",
    "Top",
    "Tune",
    "WiSEFT",
]

face(
    __name__,
    {
        "BitFit": "bitfit",
        "Full": "full",
        "Gradual": "gradual",
        "HeadOnly": "head",
        "IA3": "ia3",
        "LPFT": "lp_ft",
        "LoRA": "lora",
        "Progress": "stage",
        "Soup": "soup",
        "Stage": "stage",
        "Top": "top",
        "Tune": "stage",
        "WiSEFT": "wise_ft",
    },
)
