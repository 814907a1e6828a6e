"""A page: one file that opens offline, whose data and texts cannot break it."""

import json
import re

import pytest

from softmaxfx.study.page import frame, parts

from .browsing import LARGEST, choose_all, chromium, open_page

HOSTILE = "</script><b>&'\""
SCRIPT = """"use strict";
(() => {
  const data = JSON.parse(document.getElementById("data").textContent);
  function draw() {
    const name = fill("which", Object.keys(data.values).map((one) => [one, one]));
    Plotly.react("fig", [{ y: data.values[name] }], layout({ xaxis: axis("place") }), CONFIG);
    byId("seen").textContent = `${name}: ${data.values[name].map(number).join(" ")}`;
  }
  draw();
  onChange(["which"], draw);
  document.body.dataset.drawn = "yes";
})();
"""


def made_page(script):
    body = [
        frame.head("What <it> is", "in words", [("1,024", "rows")], [("first", "First")]),
        frame.section("advice", "Cards", "", frame.cards([("a", "b <c>", "d")])),
        frame.section(
            "first", "First", "x < y",
            parts.choices(parts.choice("which", "source")) + parts.figure("fig", "seen")
            + '<pre id="code">lanes = 8</pre><button data-copy="code">copy</button>'
            + frame.table("t", ["name", "n"], [["<b>", "1"]], words=1)
            + parts.made("softmaxfx x 'a b'", 7, "More."),
        ),
    ]  # fmt: skip
    data = {"values": {"short": [1, 2000.4, 0.00001234], HOSTILE: [3.14159]}}
    return frame.document("A <page>", body, data, script)


@pytest.fixture(scope="module")
def script(tmp_path_factory):
    file = tmp_path_factory.mktemp("page") / "page.js"
    file.write_text(SCRIPT, encoding="utf-8")
    return file


@pytest.fixture(scope="module")
def html(script):
    file = script.with_name("page.html")
    file.write_text(made_page(script), encoding="utf-8")
    return file


def test_it_is_one_small_file_with_plotly_in_it_once(html, script):
    text = html.read_text(encoding="utf-8")
    assert html.stat().st_size <= LARGEST
    assert text.count("* plotly.js v") == 1
    assert not re.search(r"<(?:script|link|img)[^>]*(?:src|href)=\"(?!data:)", text)
    assert "<title>A &lt;page&gt;</title>" in text
    assert made_page(script) == text


def test_the_data_cannot_end_its_element(html):
    text = html.read_text(encoding="utf-8")
    found = re.search(r'<script type="application/json" id="data">(.*?)</script>', text)
    assert found is not None
    assert json.loads(found[1])["values"][HOSTILE] == [3.14159]


def test_texts_are_no_markup():
    assert frame.cards([("a<", "b<", "c<")]) == (
        '<div class="advice"><article><h3>a&lt;</h3><p class="answer">b&lt;</p><p>c&lt;</p>'
        "</article></div>"
    )
    assert parts.made("x <y>", 3) == '<p class="made">Made by <code>x &lt;y&gt;</code>, seed 3.</p>'
    assert "<td class='words'>&lt;b&gt;</td><td>1</td>" in frame.table(
        "t", ["name", "n"], [["<b>", "1"]], words=1
    )
    assert "<td class='long'>long</td>" in frame.table("t", ["n"], [["long"]], words=1, long=True)


def test_a_table_s_rows_are_as_wide_as_told():
    with pytest.raises(ValueError, match="shorter than"):
        frame.table("t", ["a"], [[]], words=1)


@pytest.fixture(scope="module")
def browser():
    with chromium() as opened:
        yield opened


def test_it_draws_offline_and_choices_are_heard(browser, html):
    opened = open_page(browser, html)
    page = opened.page
    assert page.locator("#fig .plot-container").count() == 1
    assert page.inner_text("#seen") == "short: 1 2,000 1.2e-5"
    page.select_option("#which", HOSTILE)
    assert page.inner_text("#seen") == f"{HOSTILE}: 3.14"
    choose_all(page)
    page.click("button[data-copy]")
    page.set_viewport_size({"width": 800, "height": 900})
    assert opened.said == []
    assert opened.asked == [html.as_uri()]


def test_it_fits_a_narrow_window(browser, html):
    page = open_page(browser, html, width=400).page
    assert page.evaluate("document.documentElement.scrollWidth") <= 400
