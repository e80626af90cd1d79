"""What the processes of a cluster must have in common, so that they calculate the same numbers and take each other's
objects: Python, Ray, headstart down to its source, and the libraries that calculate."""

from __future__ import annotations

from typing import Any

from headstart.errors import ClusterError

__all__ = ["check_versions"]


def check_versions(ray: Any, timeout: float) -> None:
    """Raises ClusterError where a machine of the cluster has other versions than this process, and where none starts a
    process within `timeout` seconds."""
    task = ray.remote(num_cpus=0)(_of_process())
    nodes = [node["NodeID"] for node in ray.nodes() if node["Alive"]]
    asked = {node: task.options(scheduling_strategy=_on(ray, node)).remote() for node in nodes}
    here = _of_process()()
    for node, answer in asked.items():
        try:
            there = ray.get(answer, timeout=timeout)
        except ray.exceptions.GetTimeoutError as error:
            raise ClusterError(
                f"the cluster answers, but machine {node[:8]} of it starts no process within {timeout:g} s: see "
                "`ray status` there"
            ) from error
        others = [
            f"{name} {there.get(name)} there, {version} here"
            for name, version in here.items()
            if there.get(name) != version
        ]
        if others:
            raise ClusterError(
                f"machine {node[:8]} of the cluster has other versions: {'; '.join(others)}. Install the same on all "
                "machines, or start `headstart` on one of them"
            )


def _on(ray: Any, node: str) -> Any:
    from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

    return NodeAffinitySchedulingStrategy(node_id=node, soft=False)


def _of_process() -> Any:
    """A function that travels whole, since a machine without headstart could not look it up."""

    def versions() -> dict[str, str]:
        import platform
        from hashlib import blake2b
        from importlib import metadata
        from importlib.util import find_spec
        from pathlib import Path

        told = {"Python": platform.python_version()}
        for name in ("ray", "headstart", "torch", "torchvision", "numpy", "scipy", "scikit-learn", "openvino"):
            try:
                told[name] = metadata.version(name)
            except metadata.PackageNotFoundError:
                told[name] = "not installed"
        place = find_spec("headstart")
        if place is not None and place.origin is not None:
            digest = blake2b(digest_size=6)
            for path in sorted(Path(place.origin).parent.rglob("*.py")):
                digest.update(path.read_bytes())
            told["headstart"] += f" (source {digest.hexdigest()})"
        return told

    return versions
