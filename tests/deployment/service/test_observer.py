"""What watches a service is told of every batch, and cannot stop it."""

from __future__ import annotations

import asyncio

import numpy as np
from serving import loaded

from headstart.deployment.service.limits import Limits
from headstart.deployment.service.metrics import Metrics
from headstart.deployment.service.service import Service


class Failing:
    """An observer that is told and fails."""

    def __init__(self):
        self.told, self.stopped = [], False

    def __call__(self, features, values):
        self.told.append((features, values))
        raise RuntimeError

    def stop(self):
        self.stopped = True


def test_an_observer_is_told_features_and_predictions_and_cannot_stop_the_service(saved):
    observer = Failing()
    served = loaded(saved["array"])
    service = Service(served, Limits(), Metrics(), observer)
    answers = asyncio.run(service.ask([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]]))
    service.stop()
    assert len(answers) == 2
    rows = np.array([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]])
    features, values = observer.told[0]
    np.testing.assert_array_equal(features, served.fitted.transform(rows))
    np.testing.assert_array_equal(values, served.fitted.predict(rows))
    assert observer.stopped
    assert b"headstart_observer_errors_total 1.0" in service.metrics.page()
