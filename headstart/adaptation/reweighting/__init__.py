"""Weights of source rows, and shares of classes in the target."""
