"""One fit on many machines (Ray), and of many owners whose rows stay where they are (Flower)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from headstart.face import face

if TYPE_CHECKING:
    from headstart.distributed.cluster import Cluster, cluster
    from headstart.distributed.federate import federate

__all__ = ["Cluster", "cluster", "federate"]

face(__name__, {"Cluster": "cluster", "cluster": "cluster", "federate": "federate"})
