"""The table of networks in docs/backbones.md, from running each of them.

Prints the page with the table between its marks made anew. With words behind it (`keras/VGG16 hf/BERT`) only these rows
are run, and the others stay as they are.
"""

from __future__ import annotations

import os
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).parents[1]
PAGE = ROOT / "docs" / "backbones.md"
START, END = "<!-- networks -->\n", "<!-- end of networks -->"
sys.path.insert(0, str(ROOT / "tests" / "support"))

from hub_rows import ROWS, STEPS, Row, checked  # noqa: E402 (it lies beside the tests)

HEADER = f"| hub | network | features | stages | {' | '.join(STEPS)} |\n|{'---|' * (4 + len(STEPS))}\n"


def line(row: Row) -> str:
    with tempfile.TemporaryDirectory() as folder:
        os.environ["HEADSTART_CACHE"] = str(Path(folder) / "cache")
        try:
            done = checked(row, Path(folder))
        except Exception as error:  # a row that fails stands in the table as one that does
            done = {"loads": f"{type(error).__name__}: {str(error)[:80]}"}
    cells = [f"`{row.hub}:`", row.network, done.get("width", ""), done.get("stages", "")]
    return f"| {' | '.join([*cells, *(done.get(step, '') for step in STEPS)])} |\n"


def main(words: list[str]) -> None:
    page = PAGE.read_text("utf-8")
    before, _, rest = page.partition(START)
    table, _, after = rest.partition(END)
    lines = {tuple(cell.strip(" `:") for cell in text.split("|")[1:3]): text + "\n" for text in table.splitlines()}
    for row in ROWS:
        if not words or f"{row.hub}/{row.network}" in words:
            lines[row.hub, row.network] = line(row)
            print(lines[row.hub, row.network], end="", file=sys.stderr, flush=True)
    made = "".join(lines[row.hub, row.network] for row in ROWS if (row.hub, row.network) in lines)
    sys.stdout.write(f"{before}{START}{HEADER}{made}{END}{after}")


if __name__ == "__main__":
    main(sys.argv[1:])
