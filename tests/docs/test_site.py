"""The built site: complete, shown as the sources are meant, and loaded from itself alone."""

from __future__ import annotations

import inspect
import json
import os
import re
import shutil
import subprocess
import sys
from collections import Counter
from html.parser import HTMLParser
from pathlib import Path

import pytest
from pages import PAGES, PROJECT, tokens_of

import headstart

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("site")]

LOADS = {
    "script": "src", "img": "src", "iframe": "src", "source": "src", "video": "src", "audio": "src", "embed": "src",
    "object": "data", "link": "href", "use": "href", "image": "href",
}  # fmt: skip
ELSEWHERE = re.compile(r"(?:[a-z]+:)?//")
IN_STYLES = re.compile(r"""(?:url\(\s*['"]?|@import\s+['"])((?:[a-z]+:)?//[^'")]+)""")


class Elements(HTMLParser):
    """What a page loads, its anchors, and how many elements of each kind its article has."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.loads: list[str] = []
        self.links: list[str] = []
        self.anchors: set[str] = set()
        self.counts: Counter[str] = Counter()
        self.inside = 0
        self.feed(path.read_text("utf-8"))

    def handle_starttag(self, tag, attributes):
        values = dict(attributes)
        self.anchors |= {values["id"]} if values.get("id") else set()
        if tag in LOADS and values.get(LOADS[tag]) and values.get("rel") not in ("canonical", "prev", "next"):
            self.loads.append(values[LOADS[tag]])
        self.loads += [part.split()[0] for part in (values.get("srcset") or "").split(",") if part.strip()]
        self.loads += IN_STYLES.findall(values.get("style") or "")
        if tag == "a" and values.get("href"):
            self.links.append(values["href"])
        self.inside += tag == "article"
        if self.inside:
            self.counts[tag] += 1

    def handle_endtag(self, tag):
        self.inside -= tag == "article"


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    """Built by MkDocs as `make docs` does, into a folder of its own."""
    pytest.importorskip("material")
    pytest.importorskip("mkdocstrings_handlers.python")
    folder = tmp_path_factory.mktemp("site")
    environment = os.environ | {
        "PYTHONPATH": str(PROJECT),
        "NO_MKDOCS_2_WARNING": "1",
        "http_proxy": "http://127.0.0.1:9",
    }
    build = [sys.executable, "-m", "mkdocs", "build", "--strict", "--site-dir", str(folder)]
    done = subprocess.run(build, cwd=PROJECT, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "WARNING" not in done.stderr
    return folder


@pytest.fixture(scope="module")
def elements(site):
    return {str(path.relative_to(site)): Elements(path) for path in sorted(site.rglob("*.html"))}


def test_nothing_is_loaded_from_elsewhere(site, elements):
    loads = {name: page.loads for name, page in elements.items()}
    assert sum(map(len, loads.values())) > 200
    assert [(name, path) for name, paths in loads.items() for path in paths if ELSEWHERE.match(path)] == []
    for path in site.rglob("*.css"):
        assert IN_STYLES.findall(path.read_text("utf-8")) == [], path
    for name, page in elements.items() - {("404.html", elements["404.html"])}:  # its paths begin at a server's root
        for path in page.loads:
            target = ((site / name).parent / path.partition("#")[0].partition("?")[0]).resolve()
            assert path.startswith(("data:", "#")) or target.is_file() or target == site.resolve(), (name, path)


def test_every_page_is_there_and_can_be_reached(elements):
    shown = {f"{Path(page).relative_to('docs').with_suffix('')}.html" for page in PAGES if page.startswith("docs/")}
    assert shown <= elements.keys()
    reached = {re.sub(r"[#?].*", "", link).lstrip("./") for link in elements["index.html"].links}
    assert shown - {"index.html"} <= reached


def test_links_inside_lead_to_pages_and_anchors(site, elements):
    lost = []
    for name, page in elements.items():
        for link in page.links:
            place, _, anchor = link.partition("#")
            if ELSEWHERE.match(link) or ":" in place or name == "404.html":
                continue
            target = os.path.normpath(os.path.join(os.path.dirname(name), place)) if place else name
            if target in elements:
                lost += [(name, link)] * (bool(anchor) and anchor not in elements[target].anchors)
            elif not (site / target).exists():
                lost.append((name, link))
    assert lost == []


@pytest.mark.parametrize("page", [page for page in PAGES if page.startswith("docs/") and "/api/" not in page])
def test_lists_and_tables_are_shown_as_commonmark_has_them(page, elements):
    """Python-Markdown needs blank lines and indents that CommonMark does not: none is lost."""
    counts = Counter(token.tag for token in tokens_of(page) if token.nesting == 1)
    here = elements[f"{Path(page).relative_to('docs').with_suffix('')}.html"].counts
    for tag in ("li", "ol", "td", "tr", "h2", "h3"):
        assert here[tag] == counts[tag], tag


def test_the_api_shows_every_public_name_with_its_types_and_source(site, elements):
    anchors = set().union(*(page.anchors for name, page in elements.items() if name.startswith("api/")))
    assert {f"headstart.{name}" for name in headstart.__all__} <= anchors
    text = "".join(path.read_text("utf-8") for path in sorted((site / "api").glob("*.html")))
    assert text.count("Source code in") >= len(headstart.__all__)


@pytest.mark.parametrize("name", headstart.__all__)
def test_a_parameter_that_a_docstring_describes_is_an_item_with_its_type(name, site):
    from docs_scripts import docstrings

    item = getattr(headstart, name)
    text = "".join(path.read_text("utf-8") for path in sorted((site / "api").glob("*.html")))
    doc = inspect.cleandoc(item.__doc__ or "")
    described = [match["names"] for line in doc.splitlines() if (match := docstrings.start_of(line, {}, False))]
    for names in described:
        shown = ", ".join(f"<code>{each}</code>" for each in names.split(", "))
        assert f"<li>\n<p><strong>{shown}</strong>" in text or f"<li><strong>{shown}</strong>" in text, (name, names)


def test_the_search_index_holds_pages_and_names(site):
    index = json.loads((site / "search" / "search_index.json").read_text("utf-8"))
    places = {entry["location"] for entry in index["docs"]}
    assert "tracking.html" in places
    assert "api/fitting.html#headstart.fit" in places
    assert (site / "search" / "search_index.js").read_text("utf-8").startswith("var __index = ")


@pytest.fixture(scope="module")
def browser():
    playwright = pytest.importorskip("playwright.sync_api")
    chromium = shutil.which("chromium") or shutil.which("google-chrome")
    if chromium is None:
        pytest.skip("no Chromium on this machine: the site is not looked at in a browser")
    with playwright.sync_playwright() as started:
        running = started.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        yield running
        running.close()


@pytest.mark.parametrize("width", [390, 1280])
def test_a_browser_asks_nobody_else_and_no_page_is_wider_than_the_screen(width, site, elements, browser):
    context = browser.new_context(viewport={"width": width, "height": 844})
    page, asked, errors = context.new_page(), [], []
    page.on("request", lambda request: asked.append(request.url))
    page.on("pageerror", lambda error: errors.append(str(error)))
    wide = []
    for name in sorted(elements):
        page.goto((site / name).as_uri())
        if page.evaluate("document.documentElement.scrollWidth > window.innerWidth"):
            wide.append(name)
    context.close()
    assert len(asked) > len(elements)
    assert [url for url in asked if not url.startswith(("file:", "data:", "about:", "blob:"))] == []
    assert errors == []
    assert wide == []


def test_the_search_answers_without_a_server(site, browser):
    page = browser.new_context(viewport={"width": 1280, "height": 844}).new_page()
    page.goto((site / "index.html").as_uri())
    page.click(".md-search__input")
    page.keyboard.type("learning curve")
    page.wait_for_selector(".md-search-result__item a")
    links = page.locator(".md-search-result__item a").evaluate_all("items => items.map(item => item.href)")
    assert any("curve.html" in link for link in links)
