"""Whom a model must beat."""
