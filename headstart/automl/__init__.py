"""Choosing what to transfer from: scores of how well features will serve a task, before anything is trained."""

from __future__ import annotations

from typing import TYPE_CHECKING

from headstart.face import face

if TYPE_CHECKING:
    from headstart.automl.decomposition import Decomposition, decompose
    from headstart.automl.gbc import gbc
    from headstart.automl.h_score import h_score, shrunk_h_score
    from headstart.automl.intervals import bootstrap, difference, jackknife
    from headstart.automl.knn import knn
    from headstart.automl.learning_curves.protocol import curve
    from headstart.automl.learning_curves.record import Curve
    from headstart.automl.leave_one_out import leave_one_out
    from headstart.automl.leep import leep
    from headstart.automl.logme import logme
    from headstart.automl.n_leep import n_leep
    from headstart.automl.nce import nce
    from headstart.automl.parc import parc
    from headstart.automl.rank import rank
    from headstart.automl.ranking import Place, Ranking
    from headstart.automl.scores import SCORES, Score, transferability
    from headstart.automl.sfda import sfda
    from headstart.automl.transrate import transrate

__all__ = [
    "SCORES",
    "Curve",
    "Decomposition",
    "Place",
    "Ranking",
    "Score",
    "bootstrap",
    "curve",
    "decompose",
    "difference",
    "gbc",
    "h_score",
    "jackknife",
    "knn",
    "leave_one_out",
    "leep",
    "logme",
    "n_leep",
    "nce",
    "parc",
    "rank",
    "sfda",
    "shrunk_h_score",
    "transferability",
    "transrate",
]

face(
    __name__,
    {
        "Curve": "learning_curves.record",
        "Decomposition": "decomposition",
        "Place": "ranking",
        "Ranking": "ranking",
        "SCORES": "scores",
        "Score": "scores",
        "bootstrap": "intervals",
        "curve": "learning_curves.protocol",
        "decompose": "decomposition",
        "difference": "intervals",
        "gbc": "gbc",
        "h_score": "h_score",
        "jackknife": "intervals",
        "knn": "knn",
        "leave_one_out": "leave_one_out",
        "leep": "leep",
        "logme": "logme",
        "n_leep": "n_leep",
        "nce": "nce",
        "parc": "parc",
        "rank": "rank",
        "sfda": "sfda",
        "shrunk_h_score": "h_score",
        "transferability": "scores",
        "transrate": "transrate",
    },
)
