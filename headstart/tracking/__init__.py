"""Where a fit is written down beside the model: in MLflow or TensorBoard, and only where it is asked for."""

from __future__ import annotations

from typing import TYPE_CHECKING

from headstart.face import face

if TYPE_CHECKING:
    from headstart.tracking.destination import Destination, destination_of
    from headstart.tracking.tracked import Tracked, trackable, tracked

__all__ = ["Destination", "Tracked", "destination_of", "trackable", "tracked"]

face(
    __name__,
    {
        "Destination": "destination",
        "Tracked": "tracked",
        "destination_of": "destination",
        "trackable": "tracked",
        "tracked": "tracked",
    },
)
