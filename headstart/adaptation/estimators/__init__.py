"""scikit-learn estimators that learn from two tasks at once."""

from __future__ import annotations

from typing import TYPE_CHECKING

from headstart.face import face

if TYPE_CHECKING:
    from headstart.adaptation.estimators.adapted import Adapted
    from headstart.adaptation.estimators.domain_adaptive_regression import DomainAdaptiveRegressor
    from headstart.adaptation.estimators.l2_sp import L2SPClassifier, L2SPRegressor
    from headstart.adaptation.estimators.manifold import LaplacianRegularisedClassifier, LaplacianRegularisedRegressor
    from headstart.adaptation.estimators.self_training import SelfTraining
    from headstart.adaptation.estimators.string_kernel import StringKernel
    from headstart.adaptation.estimators.tradaboost import TrAdaBoost, TrAdaBoostR2
    from headstart.adaptation.estimators.two_stage_tradaboost import TwoStageTrAdaBoostR2

__all__ = [
    "Adapted",
    "DomainAdaptiveRegressor",
    "L2SPClassifier",
    "L2SPRegressor",
    "LaplacianRegularisedClassifier",
    "LaplacianRegularisedRegressor",
    "SelfTraining",
    "StringKernel",
    "TrAdaBoost",
    "TrAdaBoostR2",
    "TwoStageTrAdaBoostR2",
]

face(
    __name__,
    {
        "Adapted": "adapted",
        "DomainAdaptiveRegressor": "domain_adaptive_regression",
        "L2SPClassifier": "l2_sp",
        "L2SPRegressor": "l2_sp",
        "LaplacianRegularisedClassifier": "manifold",
        "LaplacianRegularisedRegressor": "manifold",
        "SelfTraining": "self_training",
        "StringKernel": "string_kernel",
        "TrAdaBoost": "tradaboost",
        "TrAdaBoostR2": "tradaboost",
        "TwoStageTrAdaBoostR2": "two_stage_tradaboost",
    },
)
