"""Choosing among models without target labels: a criterion a file."""
