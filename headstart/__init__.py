"""headstart: transfer learning that proves itself.

Public names are loaded when they are first used, so that the command line answers before torch is imported.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from headstart.face import face

if TYPE_CHECKING:
    from headstart.automl.fit import fit
    from headstart.automl.learning_curves.protocol import curve
    from headstart.data.read import read
    from headstart.data.roles import Roles
    from headstart.deployment.formats.export import export
    from headstart.deployment.monitoring.drift_report import drift
    from headstart.errors import (
        ArtefactError,
        BackboneError,
        CacheError,
        ClusterError,
        DataError,
        HeadstartError,
        MissingWeights,
        RaceError,
    )
    from headstart.evidence.evidence import Evidence
    from headstart.explanations.explain import explain
    from headstart.features.cache.cache import Cache
    from headstart.pretraining.pretrain import pretrain
    from headstart.reports.report import report
    from headstart.study.cleaning.protocol import clean
    from headstart.study.distillation import distil
    from headstart.study.few_shot import few_shot
    from headstart.study.methods_compared.protocol import compare
    from headstart.study.multi_task import MultiTask
    from headstart.study.multi_task_protocol import evaluate_tasks, fit_tasks, predict_tasks
    from headstart.study.protocol import check, evaluate, predict
    from headstart.study.shift import shift
    from headstart.tasks.task import Task
    from headstart.transfer import Transfer

__version__ = "0.1.0"

_HOME = {
    "ArtefactError": "errors",
    "BackboneError": "errors",
    "Cache": "features.cache.cache",
    "CacheError": "errors",
    "ClusterError": "errors",
    "DataError": "errors",
    "Evidence": "evidence.evidence",
    "HeadstartError": "errors",
    "MissingWeights": "errors",
    "MultiTask": "study.multi_task",
    "RaceError": "errors",
    "Roles": "data.roles",
    "Task": "tasks.task",
    "Transfer": "transfer",
    "check": "study.protocol",
    "clean": "study.cleaning.protocol",
    "compare": "study.methods_compared.protocol",
    "curve": "automl.learning_curves.protocol",
    "distil": "study.distillation",
    "drift": "deployment.monitoring.drift_report",
    "evaluate": "study.protocol",
    "evaluate_tasks": "study.multi_task_protocol",
    "explain": "explanations.explain",
    "export": "deployment.formats.export",
    "few_shot": "study.few_shot",
    "fit": "automl.fit",
    "fit_tasks": "study.multi_task_protocol",
    "predict": "study.protocol",
    "predict_tasks": "study.multi_task_protocol",
    "pretrain": "pretraining.pretrain",
    "read": "data.read",
    "report": "reports.report",
    "shift": "study.shift",
}

__all__ = [
    "ArtefactError",
    "BackboneError",
    "Cache",
    "CacheError",
    "ClusterError",
    "DataError",
    "Evidence",
    "HeadstartError",
    "MissingWeights",
    "MultiTask",
    "RaceError",
    "Roles",
    "Task",
    "Transfer",
    "check",
    "clean",
    "compare",
    "curve",
    "distil",
    "drift",
    "evaluate",
    "evaluate_tasks",
    "explain",
    "export",
    "few_shot",
    "fit",
    "fit_tasks",
    "predict",
    "predict_tasks",
    "pretrain",
    "read",
    "report",
    "shift",
]


face(__name__, _HOME)
