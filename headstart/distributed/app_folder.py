"""The folder of the app that `flwr run` takes; all it does is to name the apps of `flower_app.py`."""

from __future__ import annotations

from pathlib import Path

__all__ = ["written_app"]

_APP = """\
[project]
name = "headstart-federated"
version = "1.0.0"
dependencies = []

[tool.hatch.build.targets.wheel]
packages = ["."]

[tool.flwr.app]
publisher = "headstart"

[tool.flwr.app.components]
serverapp = "headstart_federated:server_app"
clientapp = "headstart_federated:client_app"

[tool.flwr.app.config]
clients = ""
out = ""
overwrite = false
result = ""
"""
_MODULE = """\
from headstart.distributed import flower_app

server_app = flower_app.server_app
client_app = flower_app.client_app
"""


def written_app(folder: Path) -> Path:
    """Make the folder, and give it back."""
    folder.mkdir()
    (folder / "pyproject.toml").write_text(_APP, "utf-8")
    (folder / "headstart_federated.py").write_text(_MODULE, "utf-8")
    return folder
