"""The verb `race`, and what `fit --budget` does.

Heavy libraries are imported inside the verbs, so that help answers at once.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from headstart.cli.arguments import AsJson, Model
from headstart.cli.streams import show_result

if TYPE_CHECKING:
    from headstart.transfer import Transfer

__all__ = ["Within", "candidates_of", "race"]


def race(model: Model, json: AsJson = False) -> None:
    """Look at the race that `fit --budget` runs, or ran, for MODEL: what was tried so far."""
    from headstart.automl.race.look import look_at

    view = look_at(model)
    show_result(view.to_json() if json else view, json)


class Within(NamedTuple):
    """A fit within a budget: the words of --budget, --candidates, --memory and --disk, where the model goes, and when
    the run began."""

    budget: str
    candidates: list[str] | None
    out: Path
    began: float
    memory: str | None = None
    disk: str | None = None

    def fit(
        self,
        data: Any,
        *,
        source: Any,
        target_labels: str,
        control: bool,
        backbone: str | None,
        method: str | None,
        options: Any,
        keep_tuned: bool,
        keep_transfer: bool,
        **common: Any,
    ) -> Transfer:
        """Raises ValueError for what has no use within a budget."""
        from headstart.automl.fit import refuse_with_budget
        from headstart.automl.race.fit import fit_within
        from headstart.automl.race.storage import race_folder

        refuse_with_budget({"--source": source, "--option": options, "--keep-tuned": keep_tuned or None})
        return fit_within(
            data,
            budget=self.budget,
            began=self.began,
            candidates=self.candidates if backbone is None else [backbone],
            methods=None if method is None else [method],
            keep_transfer=keep_transfer,
            folder=race_folder(self.out),
            memory=self.memory,
            disk=self.disk,
            **common,
        )


def candidates_of(words: list[str] | None, backbone: str | None = None) -> list[str] | None:
    """Names with commas between them, or given one by one; ValueError where a backbone is named beside them."""
    if words and backbone is not None:
        raise ValueError("--backbone and --candidates both name what is to be used: give one of the two")
    names = [name.strip() for word in words or () for name in word.split(",") if name.strip()]
    return names or None
