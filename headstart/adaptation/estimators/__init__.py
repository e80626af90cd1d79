"""scikit-learn estimators that learn from two tasks at once."""
