"""The table of exported models in docs/export.md, from exporting each of them.

    OMP_NUM_THREADS=1 python docs/exports.py [GROUP/NAME ...] > page

Prints the page with the table between its marks made anew; with words behind it (`hf:/BERT averaged`) only these rows
are run, and the others stay as they are. What is refused is printed whole to the standard error.
"""

from __future__ import annotations

import os
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).parents[1]
PAGE = ROOT / "docs" / "export.md"
START, END = "<!-- exports -->\n", "<!-- end of exports -->"
sys.path.insert(0, str(ROOT / "tests" / "support"))

from export_rows import CASES, FORMATS, Case, exported  # noqa: E402 (it lies beside the tests)

HEADER = f"| model | | {' | '.join(f'`--{format}`' for format in FORMATS)} |\n|---|---|{'--:|' * len(FORMATS)}\n"


def line(case: Case) -> str:
    with tempfile.TemporaryDirectory() as folder:
        os.environ["HEADSTART_CACHE"] = str(Path(folder) / "cache")
        try:
            told = exported(case, Path(folder) / "case")
        except Exception as error:  # a row that fails stands in the table as one that does
            told = dict.fromkeys(case.formats, f"{type(error).__name__}: {error}")
    cells = []
    for format in FORMATS:
        words = told.get(format, "")
        if words and not words[0].isdigit():
            print(f"{case.group}/{case.name} --{format} {words}", file=sys.stderr, flush=True)
            words = words.partition(":")[0]
        cells.append(words)
    return f"| {case.group} | {case.name} | {' | '.join(cells)} |\n"


def main(words: list[str]) -> None:
    page = PAGE.read_text("utf-8")
    before, _, rest = page.partition(START)
    table, _, after = rest.partition(END)
    lines = {tuple(cell.strip() for cell in text.split("|")[1:3]): text + "\n" for text in table.splitlines()}
    for case in CASES:
        if not words or {f"{case.group}/{case.name}", case.group} & set(words):
            lines[case.group, case.name] = line(case)
            print(lines[case.group, case.name], end="", file=sys.stderr, flush=True)
    made = "".join(lines[case.group, case.name] for case in CASES if (case.group, case.name) in lines)
    sys.stdout.write(f"{before}{START}{HEADER}{made}{END}{after}")


if __name__ == "__main__":
    main(sys.argv[1:])
