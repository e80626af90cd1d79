"""Docstrings as Markdown for the API: what is said of each parameter becomes a list, with its type and default."""

from __future__ import annotations

import re
from collections.abc import Mapping
from inspect import cleandoc
from typing import Any

import griffe

NAMES = r"(?P<names>\w+(?:, \w+)*)"
ALIGNED = re.compile(NAMES + r"\s{2,}(?P<text>\S.*)")
NARROW = re.compile(NAMES + r" (?P<text>\S.*)")
NUMPY = re.compile(NAMES + r" : (?P<text>\S.*)")


class Types(dict[str, str]):
    """Parameter or attribute -> how its type and default are written."""

    @classmethod
    def of(cls, item: griffe.Function | griffe.Class) -> Types:
        types = cls()
        if isinstance(item, griffe.Class):
            attributes = {name: member for name, member in item.all_members.items() if member.is_attribute}
            types.update({name: str(member.annotation) for name, member in attributes.items() if member.annotation})
        for parameter in item.parameters:
            default = "" if parameter.default is None else f" = {parameter.default}"
            if parameter.annotation is not None:
                types[parameter.name] = f"{parameter.annotation}{default}"
        return types


def entry(names: str, text: str, types: Mapping[str, str]) -> str:
    """An item of a list: the names, their type where it is known, and what is said of them."""
    written = {types[name]: None for name in names.split(", ") if name in types}
    kinds = f" `{', '.join(written)}`" if written else ""
    return f"- **{', '.join(f'`{name}`' for name in names.split(', '))}**{kinds}: {text}"


def start_of(line: str, types: Mapping[str, str], inside: bool) -> re.Match[str] | None:
    """Where a line begins to speak of parameters: two spaces behind the name, or one where others came before."""
    if line[:1].isspace():
        return None
    if (match := NUMPY.fullmatch(line) or ALIGNED.fullmatch(line)) is not None:
        return match
    match = NARROW.fullmatch(line)
    return match if inside and match is not None and match["names"].split(", ")[0] in types else None


def as_markdown(text: str, types: Mapping[str, str]) -> str:
    """A docstring of this project as Markdown."""
    parts: list[str] = []
    for paragraph in re.split(r"\n\s*\n", cleandoc(text)):
        lines = paragraph.splitlines()
        if len(lines) > 1 and set(lines[1]) == {"-"}:
            parts.append(f"**{lines[0]}**")
            lines = lines[2:]
        items: list[list[str]] = []
        for line in lines:
            match = start_of(line, types, bool(items))
            if match is not None:
                items.append([match["names"], match["text"]])
            elif items:
                items[-1][1] += f" {line.strip()}"
            else:
                items = []
                break
        if items:
            parts.append("\n".join(entry(names, words, types) for names, words in items))
        else:
            parts.append("\n".join(line.strip() for line in lines))
    return "\n\n".join(parts)


class Docstrings(griffe.Extension):
    """Rewrites the docstring of each function and class when it has been read."""

    def on_package(self, *, pkg: griffe.Module, **others: Any) -> None:
        self.rewrite(pkg)

    def rewrite(self, item: griffe.Object) -> None:
        for member in item.members.values():
            if isinstance(member, griffe.Function | griffe.Class) and member.docstring is not None:
                member.docstring.value = as_markdown(member.docstring.value, Types.of(member))
            if isinstance(member, griffe.Module | griffe.Class):
                self.rewrite(member)
