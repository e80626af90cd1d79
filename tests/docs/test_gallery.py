"""The gallery shows the examples as they are, and what they printed."""

from __future__ import annotations

import pytest
from docs_scripts import gallery, hooks
from pages import PROJECT


def test_every_example_is_in_the_gallery_or_a_part_of_others():
    scripts = {path.stem for path in (PROJECT / "examples").glob("*.py")}
    assert scripts == {example.name for example in gallery.GALLERY} | gallery.NOT_SHOWN


@pytest.mark.parametrize("example", gallery.GALLERY, ids=lambda each: each.name)
def test_what_is_shown_was_printed_by_the_script_as_it_is(example):
    fingerprint, output = gallery.kept(example.name)
    again = f".venv/bin/python docs/gallery.py --run {example.name}"
    assert fingerprint == gallery.fingerprint(example.name), f"the script has changed since: {again}"
    assert output.strip()


def test_the_page_is_the_one_that_the_script_makes():
    assert (PROJECT / "docs" / "gallery.md").read_text("utf-8") == gallery.page(), "make docs"


def test_words_do_not_count_as_a_change_and_code_does(tmp_path, monkeypatch):
    monkeypatch.setattr(gallery, "EXAMPLES", tmp_path)
    prints = []
    for code in ('"""A."""\nx = 1\n', '"""B."""\n\n# why\nx = 1\n', '"""A."""\nx = 2\n'):
        (tmp_path / "e.py").write_text(code)
        prints.append(gallery.fingerprint("e"))
    assert prints[0] == prints[1] != prints[2]


def test_a_folder_in_the_navigation_stands_for_its_pages_in_their_order(tmp_path):
    (tmp_path / "decisions").mkdir()
    for name in ("decisions/0002-b.md", "decisions/0001-a.md"):
        (tmp_path / name).write_text("# x\n")
    nav = [{"Found": ["evidence.md", {"Report": "report.md"}]}, {"Why": "decisions/"}]
    shown = [part for entry in nav for part in hooks.pages_of(entry, tmp_path)]
    assert shown == [nav[0], {"Why": ["decisions/0001-a.md", "decisions/0002-b.md"]}]
