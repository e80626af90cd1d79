"""Kernels that stand on a few target rows: how far every row is from these, and what that takes."""

from __future__ import annotations

from headstart.adaptation.alignment.step import Domains
from headstart.adaptation.reweighting.weights import drawn
from headstart.checks import affordable
from headstart.linalg.distances import squared_distances
from headstart.tasks.task import Array

__all__ = ["affordable_kernels", "to_centres"]


def affordable_kernels(domains: Domains, centres: int, needed: float, limit: float) -> None:
    """ValueError where kernels on at most so many centres would take more than `limit` GB; needed in bytes."""
    n, m = len(domains.source), len(domains.target)
    what = f"kernels between {n + m} rows and {min(centres, m)} centres"
    affordable(needed, limit, what, "set centres= lower, such as centres=100")


def to_centres(domains: Domains, centres: int, seed: int) -> tuple[Array, Array]:
    """(n, b) and (m, b) squared distances of source and target rows to the centres, target rows drawn by the seed."""
    rows = drawn(domains.target, centres, seed)
    return squared_distances(domains.source, rows), squared_distances(domains.target, rows)
