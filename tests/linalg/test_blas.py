"""The surroundings of linear algebra are put back as they were."""

from __future__ import annotations

import numpy as np
from threadpoolctl import threadpool_info

from headstart.linalg.blas import one_thread


def threads():
    return [library["num_threads"] for library in threadpool_info() if library["user_api"] == "blas"]


def test_one_thread_inside_and_as_before_outside():
    before, errors = threads(), np.geterr()
    with one_thread():
        assert set(threads()) == {1}
        assert np.isnan(np.array([np.inf]) - np.inf).all()
    assert threads() == before
    assert np.geterr() == errors
