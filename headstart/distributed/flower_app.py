"""The Flower app behind a SuperLink: what `flwr run` starts at the server, and a SuperNode at each client.

The run's config names the `clients.toml` of the server and where the model is to be saved; a node's config names the
client and its own `clients.toml`, of which only its own data are read. Nothing of a client's file is sent.
"""

from __future__ import annotations

import json
import time
import traceback
from pathlib import Path
from typing import TYPE_CHECKING

from flwr.app import Context, Message
from flwr.serverapp import Grid, ServerApp

from headstart.distributed.client_app import client_app as app_for
from headstart.distributed.clients import Federation, read_federation
from headstart.distributed.federate import Owners, Working, concluded
from headstart.distributed.payload import record, text_of
from headstart.distributed.server import Server
from headstart.errors import DataError, HeadstartError
from headstart.linalg.blas import one_thread
from headstart.listener import LOGGED

if TYPE_CHECKING:
    from headstart.distributed.owner import Owner
    from headstart.distributed.privacy import Release

__all__ = ["RESULT", "client_app", "server_app"]

RESULT = "result"
"""In the run's config: the file to which the server writes what came of it, as JSON."""
_LOOK = 0.5
_owners: dict[str, Owners] = {}


def _owner_of(context: Context) -> tuple[Owner, Release | None]:
    """From the node's config; the rows are read once in a process."""
    file, name = str(context.node_config["clients"]), str(context.node_config["client"])
    federation = read_federation(file)
    client = next((each for each in federation.clients if each.name == name), None)
    if client is None:
        raise DataError(f"{file} has no client {name!r}")
    return _owners.setdefault(file, Owners(federation, LOGGED))(client)


client_app = app_for(_owner_of)
server_app = ServerApp()


@server_app.main()  # type: ignore[untyped-decorator]
def main(grid: Grid, context: Context) -> None:
    """Wait for the clients, learn, save the model, and write what came of it."""
    config = context.run_config
    federation, out = read_federation(str(config["clients"])), Path(str(config["out"]))
    try:
        with Working(out, federation) as journal, one_thread():
            nodes = _nodes(grid, federation)
            server = Server(federation, grid, nodes, journal, LOGGED)
            for client in federation.clients:
                if client.name not in nodes.values():
                    server.leave_out(client.name, "it did not join in time")
            result = concluded(federation, server.run(), out, bool(config["overwrite"]))
        answer: dict[str, object] = {"words": str(result), "json": result.to_json()}
    except HeadstartError as error:
        answer = {"error": str(error), "code": error.exit_code}
    except Exception as error:
        answer = {"error": f"{type(error).__name__}: {error}\n{traceback.format_exc()}", "code": 1}
    part = Path(f"{config[RESULT]}.part")
    part.write_text(json.dumps(answer), encoding="utf-8")
    part.replace(str(config[RESULT]))


def _nodes(grid: Grid, federation: Federation) -> dict[int, str]:
    """The nodes that joined, by the names that they gave; waits until all of the file are there, or the time is up."""
    until = time.monotonic() + federation.timeout
    expected, nodes = {client.name for client in federation.clients}, dict[int, str]()
    while set(nodes.values()) < expected and time.monotonic() < until:
        new = [node for node in grid.get_node_ids() if node not in nodes]
        if not new:
            time.sleep(_LOOK)
            continue
        asked = [Message(record(), node, "query.name") for node in new]
        for reply in grid.send_and_receive(asked, timeout=max(1.0, until - time.monotonic())):
            if not reply.has_error() and text_of(reply.content, "name") in expected - set(nodes.values()):
                nodes[reply.metadata.src_node_id] = text_of(reply.content, "name")
    return nodes
