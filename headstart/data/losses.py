"""What is left out is named with its reason; more than a twentieth of the rows is an error unless it is allowed.

What counts is rows that could not be used as they were read: broken records, bytes of another encoding, an input or a
target that is missing, a picture that cannot be opened. Files of another type are no rows, duplicates are not lost, and
a row whose label is not one that the model or the source knows is whole.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import numpy as np

from headstart.errors import DataError
from headstart.messages import few
from headstart.tasks.task import Foreign, SetAside, Task

__all__ = ["MANY", "WAY_OUT", "are_many", "causes_of", "lost_rows", "require_all_read", "require_few_lost"]

MOST_LOST = 0.05
MANY = f"more than {MOST_LOST:.0%} of the rows is too many to leave out unasked"
WAY_OUT = "Mend them, or go on without them: --allow-losses (in Python allow_losses=True)"
FIRST = 3
CAUSES = 5


def lost_rows(task: Task, start: int = 0, stop: int | None = None, *, learnt: bool = False) -> list[SetAside]:
    """The rows that cannot be used as they were read, each once, of the input rows from `start` to before `stop`.

    learnt   the task is to be learnt from, so that empty texts cannot be used either, but for those of a given test
    """
    empty = _empty_texts(task) if learnt else []
    lost: dict[int, SetAside] = {}
    for item in (*task.set_aside, *empty):
        if item.place is not None and not isinstance(item, Foreign) and start <= item.place < (stop or item.place + 1):
            lost.setdefault(item.place, item)
    return [lost[place] for place in sorted(lost)]


def are_many(lost: int, rows: int) -> bool:
    """Whether more than a twentieth of the rows is lost."""
    return lost > MOST_LOST * rows


def causes_of(lost: Sequence[SetAside]) -> str:
    """Why rows are lost, the most frequent cause first, with how many it took."""
    counts = Counter(item.why for item in lost).most_common()
    more = f"; and {len(counts) - CAUSES:,} more causes" if len(counts) > CAUSES else ""
    return "; ".join(f"{why} ({count:,} row{'s' * (count > 1)})" for why, count in counts[:CAUSES]) + more


def require_all_read(task: Task) -> None:
    """Raises DataError, with some names and causes, where an input was set aside."""
    if task.set_aside:
        names = ", ".join(f"{item.name} ({item.why})" for item in task.set_aside[:3])
        raise DataError(
            f"{len(task.set_aside)} inputs cannot be read: {names}. Leave them out; headstart.fit and "
            "headstart.predict set them aside"
        )


def require_few_lost(
    task: Task, *, allow: bool, of: str = "the data", start: int = 0, stop: int | None = None, learnt: bool = False
) -> None:
    """Raises DataError, with causes and examples, where more than a twentieth of the rows is lost and none may be.

    of            what to call these rows
    start, stop   look only at these of the input rows
    learnt        as in `lost_rows`
    """
    lost, rows = lost_rows(task, start, stop, learnt=learnt), (task.n_read if stop is None else stop) - start
    if allow or not are_many(len(lost), rows):
        return
    first = few((item.name for item in lost), FIRST)
    raise DataError(
        f"{len(lost):,} of {rows:,} rows of {of} cannot be used, and {MANY}. Why: {causes_of(lost)}. "
        f"First: {first}. {WAY_OUT}"
    )


def _empty_texts(task: Task) -> list[SetAside]:
    texts = task.modality.texts(task.inputs)
    tested = np.zeros(len(task), bool) if task.split is None else np.asarray(task.split) == "test"
    empty = [row for row, text in enumerate(texts) if not text.strip() and not tested[row]]
    names, places = task.names or [f"row {row}" for row in range(len(task))], task.positions
    return [SetAside(names[row], "the text is empty", int(places[row])) for row in empty]
