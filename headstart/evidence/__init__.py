"""What rows that were held out say of a model: scores with intervals, baselines, verdict."""
