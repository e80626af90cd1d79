"""The loss of pairs left out, against leaving them out."""

from __future__ import annotations

import numpy as np
import pytest

from headstart.adaptation.reweighting.left_out import left_out_losses


@pytest.mark.parametrize("alpha", [0.0, 0.3])
@pytest.mark.parametrize(("n", "m"), [(9, 6), (5, 8)])
def test_loss_of_pairs_left_out_is_that_of_leaving_them_out(alpha: float, n: int, m: int) -> None:
    draw = np.random.default_rng(1)
    k_p, k_q = draw.random((n, 4)), draw.random((m, 4))
    losses = []
    for i in range(min(n, m)):
        p, q = np.delete(k_p, i, axis=0), np.delete(k_q, i, axis=0)
        H = (1 - alpha) * p.T @ p / len(p) + alpha * q.T @ q / len(q)
        theta = np.linalg.solve(H + 0.1 * np.eye(4), q.mean(axis=0))
        losses.append((1 - alpha) / 2 * (k_p[i] @ theta) ** 2 + alpha / 2 * (k_q[i] @ theta) ** 2 - k_q[i] @ theta)
    assert left_out_losses(k_p, k_q, alpha, (3.0, 0.1))[1] == pytest.approx(np.mean(losses), rel=1e-10)
