"""The command line: `main` runs it."""

from headstart.cli.app import app, main

__all__ = ["app", "main"]
