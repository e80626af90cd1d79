"""The page in a headless Chromium, on a phone, on a screen and on paper; skipped where there is none."""

from __future__ import annotations

import shutil

import pytest

import headstart

pytestmark = pytest.mark.slow

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
WIDER = "document.documentElement.scrollWidth > window.innerWidth + 1 ? document.documentElement.scrollWidth : 0"


@pytest.fixture(scope="module")
def browser():
    api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    if CHROMIUM is None:
        pytest.skip("there is no Chromium on this machine")
    with api.sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu"])
        yield opened
        opened.close()


@pytest.mark.parametrize("lang", ["en", "zh"])
@pytest.mark.parametrize("width", [390, 1280])
def test_it_fits_loads_nothing_and_runs_nothing(browser, hostile, width, lang):
    path = headstart.report(hostile.model, lang=lang)
    tab = browser.new_page(viewport={"width": width, "height": 900})
    asked, events = [], []
    tab.on("request", lambda request: asked.append(request.url))
    tab.on("dialog", lambda dialog: events.append(dialog.message))
    tab.on("console", lambda message: events.append(message.text))
    tab.goto(path.as_uri())
    assert tab.evaluate(WIDER) == 0
    assert [url for url in asked if not url.startswith(("data:", path.as_uri()))] == []
    assert events == []
    tab.close()


def test_it_prints_in_light_colours_and_within_the_paper(browser, hostile):
    path = headstart.report(hostile.model)
    tab = browser.new_page(viewport={"width": 720, "height": 1000}, color_scheme="dark")
    tab.emulate_media(media="print")
    tab.goto(path.as_uri())
    assert tab.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
    assert tab.evaluate(WIDER) == 0
    assert len(tab.pdf()) > 20_000
    tab.close()


def test_the_keyboard_reaches_every_link_and_region(browser, hostile):
    path = headstart.report(hostile.model)
    tab = browser.new_page(viewport={"width": 390, "height": 900})
    tab.goto(path.as_uri())
    tab.keyboard.press("Tab")
    assert tab.evaluate("document.activeElement.className") == "skip"
    tab.keyboard.press("Enter")
    assert tab.evaluate("document.activeElement.id") == "report"
    tab.close()
