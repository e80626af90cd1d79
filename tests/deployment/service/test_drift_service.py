"""A service whose drift is told to Prometheus and to a log."""

from __future__ import annotations

import asyncio
import math
import re
from dataclasses import replace

import pytest
from drifting import clouds

import headstart as hs
from headstart.deployment.monitoring.drift import Question, WindowDrift, fingerprint_of
from headstart.deployment.monitoring.drift_log import read_log
from headstart.deployment.service.drift_gauges import DriftGauges, watching
from headstart.deployment.service.limits import Limits
from headstart.deployment.service.metrics import Metrics
from headstart.deployment.service.served import load_served
from headstart.deployment.service.service import Service
from headstart.errors import DataError


def gauges(metrics: Metrics) -> dict[str, float]:
    """By name without the beginning."""
    lines = re.findall(r"^headstart_drift_(\w+) (\S+)$", metrics.page().decode(), re.M)
    return {name: float(value) for name, value in lines}


def test_what_is_served_is_compared_told_and_logged(cloud_folder, tmp_path):
    served, metrics, log = load_served(cloud_folder), Metrics(), tmp_path / "log"
    service = Service(served, Limits(), metrics, watching(served.fitted, metrics, log=log, window=60))
    same, other = clouds(60, 1)[0].to_dict("records"), clouds(60, 2, shift=1.5)[0].to_dict("records")
    asyncio.run(service.ask(same))
    before = gauges(metrics)
    asyncio.run(service.ask(other))
    after = gauges(metrics)
    service.stop()
    assert before["rows"] == after["rows"] == 60
    assert before["p"] > 0.01
    assert after["p"] < 1e-6
    assert after["mmd"] > before["mmd"]
    assert after["mmd_p"] < 1e-6
    assert b"headstart_observer_errors_total 0.0" in metrics.page()
    assert [each.sums.rows for each in read_log(log, fingerprint_of(served.model)).windows] == [60, 60]
    assert "oak" not in log.read_text()


def test_a_model_that_stores_nothing_is_served_without_and_not_logged(cloud_model, tmp_path):
    bare = hs.Transfer().hold(replace(cloud_model.model_, uncertainty=None))
    assert watching(bare, Metrics()) is None
    with pytest.raises(DataError, match="stores nothing that served rows could be compared with"):
        watching(bare, Metrics(), log=tmp_path / "log")


def test_a_question_without_an_answer_is_no_number():
    metrics = Metrics()
    DriftGauges(metrics.registry)(WindowDrift(40, None, Question(0.1, 0.2), None))
    told = gauges(metrics)
    assert math.isnan(told["mmd"])
    assert math.isnan(told["class_shares_p"])
    assert told["out_of_distribution"] == 0.1
    assert told["p"] == 0.2
