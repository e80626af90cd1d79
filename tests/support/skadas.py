"""skada, without the setting of scikit-learn that importing it changes for everybody."""

from __future__ import annotations

import sklearn

with sklearn.config_context():
    import skada

__all__ = ["skada"]
