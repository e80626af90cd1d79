"""The command line: `main` runs it."""

from headstart.cli.app import main

__all__ = ["main"]
