"""The page in a headless Chromium against a real service; skipped where there is none."""

from __future__ import annotations

import io
import shutil
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import pytest
import uvicorn
from drifting import clouds
from PIL import Image
from small import RESNET, bright
from tones import tone

import headstart as hs
from headstart.deployment.service.app import app_of
from headstart.deployment.service.limits import Limits
from headstart.deployment.service.metrics import Metrics
from headstart.deployment.service.page import page
from headstart.deployment.service.served import load_served
from headstart.deployment.service.service import Service

pytestmark = pytest.mark.slow

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
FLAGS = ["--no-sandbox", "--disable-gpu", "--use-fake-device-for-media-stream", "--use-fake-ui-for-media-stream"]
PATIENCE = 120_000
SCRIPT = "<img src=x onerror=alert(1)>"
WIDER = "document.documentElement.scrollWidth > window.innerWidth + 1 ? document.documentElement.scrollWidth : 0"
DROP = """(bytes) => {
    const moved = new DataTransfer();
    moved.items.add(new File([new Uint8Array(bytes)], "dropped.png", {type: "image/png"}));
    document.body.dispatchEvent(new DragEvent("drop", {dataTransfer: moved, bubbles: true, cancelable: true}));
}"""


@pytest.fixture(scope="module")
def browser():
    api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    if CHROMIUM is None:
        pytest.skip("there is no Chromium on this machine")
    with api.sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield opened
        opened.close()


@contextmanager
def served(model: hs.Transfer, folder, *, token: str | None = None, **limits: object) -> Iterator[str]:
    """The address of a service of this model, on a free port, in a thread."""
    service = Service(load_served(model.save(folder), device="cpu"), Limits(**limits), Metrics())
    app = app_of(service, page=page, token=token)
    server = uvicorn.Server(uvicorn.Config(app, port=0, ws="none", lifespan="off", log_config=None))
    thread = threading.Thread(target=server.run)
    thread.start()
    try:
        while not server.started:
            assert thread.is_alive(), "the service ended"
            thread.join(0.05)
        yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}/"
    finally:
        server.should_exit = True
        thread.join()
        service.stop()


@contextmanager
def opened(browser, address: str, **context: object):
    """A page, which must not complain, nor load anything of another host."""
    tab = browser.new_page(**{"viewport": {"width": 390, "height": 900}, "locale": "en-GB"} | context)
    asked, events = [], []
    tab.on("request", lambda request: asked.append(request.url))
    tab.on("dialog", lambda dialog: (events.append(dialog.message), dialog.dismiss()))
    tab.on("pageerror", lambda error: events.append(str(error)))
    tab.goto(address)
    yield tab
    assert [url for url in asked if not url.startswith((address, "blob:", "data:"))] == []
    assert events == []
    tab.close()


def png(row: int) -> bytes:
    file = io.BytesIO()
    bright(row).save(file, "PNG")
    return file.getvalue()


@pytest.fixture(scope="module")
def picture_model() -> hs.Transfer:
    """Of bright channels; the first class has a name that attacks the page."""
    inputs = [Image.open(io.BytesIO(png(row))) for row in range(60)]
    labels = [(SCRIPT, "green", "blue")[row % 3] for row in range(60)]
    return hs.Transfer(RESNET, engine="torch", cache=False).fit(inputs, labels)


@pytest.fixture(scope="module")
def picture_service(picture_model, tmp_path_factory):
    with served(picture_model, tmp_path_factory.mktemp("pictures") / "model") as address:
        yield address


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [390, 1280])
def test_a_dropped_picture_is_answered(browser, picture_service, width, scheme):
    with opened(browser, picture_service, viewport={"width": width, "height": 900}, color_scheme=scheme) as tab:
        tab.wait_for_selector("#known:not([hidden])", timeout=PATIENCE)
        tab.evaluate(DROP, list(png(1)))
        tab.wait_for_selector("article h2", timeout=PATIENCE)
        assert tab.inner_text("article h2") == "green"
        assert tab.inner_text(".bars li.ours .p").endswith("%")
        assert tab.inner_text("#state") == "Done."
        assert tab.evaluate(WIDER) == 0
        assert tab.evaluate("document.querySelector('article img').naturalWidth") == 40


def test_several_files_by_the_keyboard_and_a_class_name_that_attacks(browser, picture_service):
    with opened(browser, picture_service) as tab:
        tab.wait_for_selector("#known:not([hidden])", timeout=PATIENCE)
        tab.keyboard.press("Tab")
        tab.keyboard.press("Tab")
        assert tab.evaluate("document.activeElement.id") == "file"
        files = [{"name": f"{SCRIPT}{row}.png", "mimeType": "image/png", "buffer": png(row)} for row in (0, 2)]
        tab.set_input_files("#file", files)
        tab.wait_for_selector("article:nth-of-type(2) h2", timeout=PATIENCE)
        assert [part.inner_text() for part in tab.query_selector_all("article h2")] == [SCRIPT, "blue"]
        assert tab.query_selector("article h2 img") is None


def test_what_is_no_picture_is_said_in_words(browser, picture_service):
    with opened(browser, picture_service) as tab:
        file = {"name": "half.png", "mimeType": "image/png", "buffer": png(1)[:90]}
        tab.set_input_files("#file", file)
        tab.wait_for_selector("article .gap", timeout=PATIENCE)
        assert "No answer" in tab.inner_text("article .gap")
        file = {"name": "a.txt", "mimeType": "text/plain", "buffer": b"hello"}
        tab.set_input_files("#file", file)
        tab.wait_for_selector("#error:not(:empty)", timeout=PATIENCE)
        assert "The model does not read such input." in tab.inner_text("#error")


def test_chinese_by_the_browser_and_by_the_button(browser, picture_service):
    with opened(browser, picture_service, locale="zh-CN") as tab:
        tab.wait_for_selector("#known:not([hidden])", timeout=PATIENCE)
        assert tab.inner_text("h1") == "图片里是什么？"
        assert tab.evaluate("document.documentElement.lang") == "zh-CN"
        tab.set_input_files("#file", {"name": "a.png", "mimeType": "image/png", "buffer": png(2)})
        tab.wait_for_selector("article h2", timeout=PATIENCE)
        tab.click("#language")
        assert tab.inner_text("h1") == "What is in the picture?"
        assert tab.inner_text("article h2") == "blue"


def test_a_token_is_asked_for_and_held_in_the_page_alone(browser, picture_model, tmp_path):
    token = "a token of thirty letters .....".replace(" ", "-")
    with (
        served(picture_model, tmp_path / "model", token=token, body=20_000) as address,
        opened(browser, address) as tab,
    ):
        tab.wait_for_selector("#token-form:not([hidden])", timeout=PATIENCE)
        assert tab.evaluate("document.activeElement.id") == "token"
        assert "wants its token" in tab.inner_text("#error")
        tab.fill("#token", "wrong-token-of-some-length")
        tab.keyboard.press("Enter")
        tab.wait_for_selector("#token-form:not([hidden])")
        tab.fill("#token", token)
        tab.keyboard.press("Enter")
        tab.wait_for_selector("#token-form", state="hidden", timeout=PATIENCE)
        tab.set_input_files("#file", {"name": "a.png", "mimeType": "image/png", "buffer": png(1)})
        tab.wait_for_selector("article h2", timeout=PATIENCE)
        assert tab.evaluate("localStorage.length + sessionStorage.length + document.cookie.length") == 0
        assert token not in tab.content()
        tab.set_input_files("#file", {"name": "b.png", "mimeType": "image/png", "buffer": bytes(40_000)})
        tab.wait_for_selector("#error:not(:empty)", timeout=PATIENCE)
        assert "too large" in tab.inner_text("#error")


@pytest.fixture(scope="module")
def table_service(tmp_path_factory):
    X, y = clouds(120, 0)
    frame = X.rename(columns={"d": f"{SCRIPT} d"}).assign(place=np.where(np.arange(120) % 2, "Rome, Italy", "Oslo"))
    model = hs.Transfer(method="ridge", cache=False).fit(frame, y)
    with served(model, tmp_path_factory.mktemp("table") / "model") as address:
        yield address


def test_a_row_by_its_columns_and_rows_that_are_pasted(browser, table_service):
    with opened(browser, table_service) as tab:
        tab.wait_for_selector("#cell-4", timeout=PATIENCE)
        assert [label.inner_text() for label in tab.query_selector_all("#fields label")][3] == f"{SCRIPT} d"
        for number, value in enumerate(("3", "0", "0", "0", "Oslo")):
            tab.fill(f"#cell-{number}", value)
        tab.keyboard.press("Control+Enter")
        tab.wait_for_selector("article h2", timeout=PATIENCE)
        assert tab.inner_text("article h2") == "oak"
        assert "With 90 % confidence" in tab.inner_text("article")
        assert tab.query_selector("article .warn") is None
        tab.click("summary")
        tab.fill("#rows", '0,4,0,0,"Rome, Italy"\n90,90,90,90,Oslo')
        tab.click("#ask button[type=submit]")
        tab.wait_for_selector("article:nth-of-type(2) .warn", timeout=PATIENCE)
        assert "do not rely" in tab.inner_text("article:nth-of-type(2) .warn")
        assert tab.inner_text("article h2") == "elm"
        tab.fill("#rows", "1,2")
        tab.click("#ask button[type=submit]")
        assert "Each row needs a value for each of these columns: a, b, c" in tab.inner_text("#error")


def test_nothing_to_ask_is_said(browser, table_service):
    with opened(browser, table_service) as tab:
        tab.wait_for_selector("#cell-4", timeout=PATIENCE)
        tab.click("#ask button[type=submit]")
        assert tab.inner_text("#error") == "There is nothing to ask yet."


def test_a_text_is_answered(browser, tmp_path):
    words = {"good": "great fine lovely excellent superb", "bad": "awful poor terrible broken nasty"}
    rows = [(f"it was {a} and {b}", label) for label, some in words.items() for a in some.split() for b in some.split()]
    model = hs.Transfer("bundled:wordllama", method="ridge", cache=False).fit(*map(list, zip(*rows, strict=True)))
    with served(model, tmp_path / "model") as address, opened(browser, address) as tab:
        tab.fill("#text", "what a lovely, superb thing")
        tab.click("#ask button[type=submit]")
        tab.wait_for_selector("article h2", timeout=PATIENCE)
        assert tab.inner_text("article h2") == "good"
        assert tab.inner_text("blockquote") == "what a lovely, superb thing"


def test_a_recording_becomes_a_wave_that_is_answered(browser, tmp_path):
    """Chromium's pretended microphone beeps."""
    waves = [tone(200.0 * (1 + row % 2), 0.5, seed=row) for row in range(40)]
    model = hs.Transfer(method="no-transfer", sample_rate=16_000, cache=False).fit(waves, ["low", "high"] * 20)
    with served(model, tmp_path / "model") as address, opened(browser, address) as tab:
        types = []
        tab.on("request", lambda request: types.append(request.headers.get("content-type")))
        tab.click("#record")
        tab.wait_for_selector("#record[aria-pressed=true]", timeout=PATIENCE)
        tab.wait_for_timeout(1500)
        tab.click("#record")
        tab.wait_for_selector("article h2", timeout=PATIENCE)
        assert tab.inner_text("article h2") in ("low", "high")
        assert "audio/wav" in types
