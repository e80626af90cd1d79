"""A model as a service: fit on a table, serve it, ask it, and end it.

python examples/serve.py [FOLDER]
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path
from urllib.request import Request, urlopen

from sklearn.datasets import load_wine

import headstart as hs


def ask(address: str, path: str, body: object = None) -> object:
    """The JSON of an answer."""
    data = None if body is None else json.dumps(body).encode()
    request = Request(address + path, data, {"content-type": "application/json"})  # noqa: S310 - this machine
    with urlopen(request, timeout=60) as reply:  # noqa: S310
        return json.load(reply)


def main(out: Path) -> None:
    wine = load_wine(as_frame=True)
    table = wine.data.assign(grape=wine.target.map(lambda code: f"grape {code}"))
    hs.fit(table, roles=hs.Roles(target="grape"), control=False).save(out / "wine", overwrite=True)

    words = [sys.executable, "-m", "headstart", "serve", str(out / "wine"), "--port", "0", "--workers", "1"]
    with subprocess.Popen(words, stderr=subprocess.PIPE, text=True) as service:
        try:
            started = service.stderr.readline() if service.stderr else ""
            address = re.search(r"http://\S+:\d+", started)
            if address is None:
                raise SystemExit(f"the service did not start: {started}")
            rows = wine.data.iloc[[0, 70, 150]].to_dict("records")
            answer = ask(address[0], "/predict?coverage=.9", {"rows": rows})
            for row in answer["predictions"]:
                sys.stdout.write(f"{row['label']}  {max(row['probabilities'].values()):.2f}  set {row['set']}\n")
            sys.stdout.write(f"ready: {ask(address[0], '/ready')['ready']}\n")
        finally:
            service.terminate()


if __name__ == "__main__":
    main(Path(sys.argv[1] if len(sys.argv) > 1 else "demo-out/serve"))
