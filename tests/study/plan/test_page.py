"""The page of a plan in a browser: it draws, and asks the network for nothing."""

import re
import shutil

import numpy as np
import pytest

from softmaxfx.study.plan.cycles import Cycles
from softmaxfx.study.plan.findings import Findings
from softmaxfx.study.plan.fit import Timed, fitted
from softmaxfx.study.plan.page import page
from softmaxfx.study.plan.rows import Row
from softmaxfx.study.plan.times import Law, Times
from softmaxfx.study.plan.vocabulary import Vocabulary

WORDS = Vocabulary.of((9000 / np.arange(1, 901)).astype(np.int64), "<made> up")
LAW = Law(5e-6, 2e-6, 2e-11)


def by_cycles() -> str:
    measured = [Row(1, 1.0, 1), Row(8, 1.0, 1), Row(9, 2.0, 2)]
    return page(Findings.of(Cycles(WORDS, 8, 64), 5), None, measured, command="softmaxfx plan")


def by_time() -> str:
    shapes = [(tokens, words) for tokens in (8, 512) for words in (16, 256, 1024)]
    timed = [
        Timed(tokens, 512, words, LAW.seconds(np.array(512.0 * tokens * words)).item())
        for tokens, words in shapes
    ]
    fit = fitted(timed)
    return page(Findings.of(Times(WORDS, fit.law), 5), fit, [], command="softmaxfx plan")


PAGES = {
    "cycles": (by_cycles, {"clusters", "two", "coverage", "rows"}),
    "time": (by_time, {"clusters", "two", "coverage", "words", "tokens"}),
}


@pytest.fixture(scope="module")
def browser():
    chromium = shutil.which("chromium") or shutil.which("chromium-browser")
    if chromium is None:
        pytest.skip("chromium is not installed")
    api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    with api.sync_playwright() as playwright:
        opened = playwright.chromium.launch(
            executable_path=chromium, args=["--no-sandbox", "--disable-gpu"]
        )
        yield opened
        opened.close()


@pytest.mark.parametrize(("made", "shown"), PAGES.values(), ids=PAGES)
def test_a_page_draws_all_charts(made, shown, browser, tmp_path):
    file = tmp_path / "plan.html"
    file.write_text(made())
    opened = browser.new_page()
    said: list[str] = []
    asked: list[str] = []
    opened.on("console", lambda message: said.append(message.text))
    opened.on("pageerror", lambda error: said.append(str(error)))
    opened.on("request", lambda request: asked.append(request.url))
    opened.goto(file.as_uri())
    opened.wait_for_selector("body[data-drawn]")
    drawn = opened.locator(".chart .plot-container").count()
    assert drawn == opened.locator(".chart").count() == len(shown)
    assert {opened.locator(f"#chart-{name}").count() for name in shown} == {1}
    assert opened.inner_text("#plan-toml").startswith(("vocabulary = 900", "cutoffs = ["))
    assert said == []
    assert asked == [file.as_uri()]


def test_a_page_is_one_file_and_repeats(tmp_path):
    text = by_cycles()
    assert text == by_cycles()
    assert not re.search(r"<(?:script|link|img)[^>]*(?:src|href)=\"(?!data:)", text)
    assert "&lt;made&gt; up" in text
    assert "<made>" not in text.partition('<script type="application/json"')[0]
