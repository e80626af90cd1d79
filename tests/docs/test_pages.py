"""The sources of the pages: no sentence is broken where it is shown, and every link leads somewhere."""

from __future__ import annotations

import re
from urllib.parse import unquote

import pytest
from pages import PAGES, PROJECT, links_of, slugs_of, tokens_of


@pytest.mark.parametrize("page", PAGES)
def test_a_paragraph_is_one_line(page):
    broken = [
        f"{page}:{token.map[0] + 1}"
        for token in tokens_of(page)
        if token.type == "inline" and any(child.type == "softbreak" for child in token.children)
    ]
    assert broken == []


@pytest.mark.parametrize("page", PAGES)
def test_links_and_anchors_lead_somewhere(page):
    lost = []
    for link in links_of(page):
        place, _, anchor = unquote(link).partition("#")
        path = (PROJECT / page).parent / place if place else PROJECT / page
        if not path.exists():
            lost.append(link)
        elif anchor and path.suffix == ".md" and not anchor.startswith("headstart."):
            name = str(path.resolve().relative_to(PROJECT.resolve()))
            if anchor not in slugs_of(name):
                lost.append(link)
    assert lost == []


def test_links_are_found_where_there_are_some():
    assert len({link for page in PAGES for link in links_of(page)}) > 100
    assert "what-is-not-done" in slugs_of("docs/backbones.md")


@pytest.mark.parametrize("page", PAGES)
def test_a_page_has_one_title_and_begins_with_words(page):
    tokens = tokens_of(page)
    titles = [token for token in tokens if token.type == "heading_open" and token.tag == "h1"]
    assert len(titles) == 1
    if page.startswith("docs/") and "/decisions/" not in page:
        after = next(token for token in tokens[3:] if token.type not in ("html_block",))
        assert after.type == "paragraph_open", f"{page} begins with {after.type}, not with a paragraph for a newcomer"


def test_no_page_names_a_host_that_it_would_load_from():
    loads = re.compile(r"!\[[^]]*\]\(https?:|<(?:img|script|link|iframe)\b")
    assert [page for page in PAGES if loads.search((PROJECT / page).read_text("utf-8"))] == []
