"""docs/methods.md from the table of methods: `make docs`."""

from __future__ import annotations

from headstart.methods import METHODS, Description, describe
from headstart.pretraining import PRETRAINING

HEADINGS = {
    "features stay": "Features stay as they are",
    "weights move": "Weights move",
    "features stay, with a source": "With a source, features stay",
    "weights move, with a source": "With a source, weights move",
    "weights move, for several targets": "For several targets, weights move",
    "weights move, with a teacher": "With a teacher",
}


PRETRAIN = (
    "What a backbone learns by from data without labels (see [pretraining](pretraining.md)). Beside those named here "
    "each has the options `epochs`, `batch`, `lr`, `optimizer`, `schedule`, `weight_decay`, `clip`, `micro`, "
    "`statistics`, `precision` and `journal`, as above; `lr` is 0.0001 (`mlm` 0.00005, `simcse` 0.00003, of sounds "
    "0.001), and 0.001 from random weights."
)


def names(row: Description) -> set[str]:
    """Of its options."""
    return {option.name for option in row.options}


ROWS = [describe(name) for name in METHODS]
TRAINED = [row for row in ROWS if row.moves_weights]
SHARED = [option for option in TRAINED[0].options if all(option.name in names(row) for row in TRAINED)]
OF_ALL = {option.name for option in SHARED}
OF_PRETRAINING = set.intersection(*({option.name for option in describe(name).options} for name in PRETRAINING))


def about(row: Description) -> str:
    """What it does, without what the heading says."""
    prefixes = ("with a source: ", "with a teacher: ", "several targets: ")
    return next((row.about.removeprefix(one) for one in prefixes if row.about.startswith(one)), row.about)


def table(rows: list[Description], shared: set[str]) -> str:
    """One line a method, with the options that are its own."""
    lines = ["| method | what it does | options, with their defaults |", "|---|---|---|"]
    for row in rows:
        own = [option for option in row.options if option.name not in shared]
        options = ", ".join(f"`{option.name}={option.default}`" for option in own) or "none of its own"
        lines.append(f"| `{row.name}` | {about(row)} | {options} |")
    return "\n".join(lines)


def shared() -> str:
    """The options of every method that moves weights; defaults that differ are those of the rows named."""
    lines = ["| option | type | default |", "|---|---|---|"]
    for option in SHARED:
        values: dict[str, list[str]] = {}
        for row in TRAINED:
            default = next(own.default for own in row.options if own.name == option.name)
            values.setdefault(f"`{default}`", []).append(f"`{row.name}`")
        usual = max(values, key=lambda value: len(values[value]))
        others = [f"{value} for {', '.join(rows)}" for value, rows in values.items() if value != usual]
        lines.append(f"| `{option.name}` | {option.type.replace('|', 'or')} | {'; '.join([usual, *others])} |")
    return "\n".join(lines)


def page() -> str:
    """The whole page."""
    parts = [
        "# Methods",
        "Made by `make docs` from the table in `headstart/methods/table.py`; `headstart methods NAME` prints one row. "
        "An option is set with `--option NAME=VALUE`, or in Python with `options={...}`. A pair such as "
        "`gradual+l2-sp` moves what the first moves, by the loss of the second.",
    ]
    for family, heading in HEADINGS.items():
        parts += [f"## {heading}", table([row for row in ROWS if row.family == family], OF_ALL)]
    parts += ["## Options of every method that moves weights", shared()]
    parts += [
        "## Methods of `headstart pretrain`",
        PRETRAIN,
        table([describe(name) for name in PRETRAINING], OF_PRETRAINING),
    ]
    return "\n\n".join(parts) + "\n"


if __name__ == "__main__":
    print(page(), end="")
