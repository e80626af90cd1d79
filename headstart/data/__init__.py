"""Readers: from a path or an object to a task."""
