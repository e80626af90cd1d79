"""Which versions of libraries are installed. Each is looked up once, since it is read from a file of the library."""

from __future__ import annotations

from functools import cache
from importlib.metadata import PackageNotFoundError, version

__all__ = ["installed_version"]


@cache
def installed_version(library: str) -> str:
    """The version as text, "" where the library, by its name on the package index, is not installed."""
    try:
        return version(library)
    except PackageNotFoundError:
        return ""
