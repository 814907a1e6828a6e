"""The page of a probe in a browser: it draws, asks the network for nothing, and hears choices."""

import json
import re

import pytest

from softmaxfx.study.probe.area import Area
from softmaxfx.study.probe.figures import page_data
from softmaxfx.study.probe.outcome import Outcome
from softmaxfx.study.probe.page import FIGURES, page
from softmaxfx.study.probe.picture import picture
from softmaxfx.study.probe.recommend import recommend
from softmaxfx.study.probe.report import Report, fields

from ..page.browsing import LARGEST, choose_all, chromium, open_page
from .sites import in_training, normal, sure

NAME = "first: <softmax>"


@pytest.fixture(scope="module")
def report():
    sites = [normal(NAME, rows=50, heads=3, decides=False), sure(rows=40), in_training()]
    return Report(
        "mine:model", "softmaxfx probe --model 'mine:<model>'", 7, sites, recommend(sites),
        {"full": Area("ecp5", 8, "exact_sum", 3085, 224.6)},
        {"full": Outcome("full", 120, 0.995), "int8": Outcome("int8", 0, None, "no floats")},
    )  # fmt: skip


@pytest.fixture(scope="module")
def html(report, tmp_path_factory):
    file = tmp_path_factory.mktemp("probe") / "probe.html"
    file.write_text(page(report), encoding="utf-8")
    return file


@pytest.fixture(scope="module")
def browser():
    with chromium() as opened:
        yield opened


@pytest.fixture(scope="module")
def opened(browser, html):
    return open_page(browser, html)


def test_the_page_is_one_small_file_that_repeats(report, html):
    text = html.read_text(encoding="utf-8")
    assert page(report) == text
    assert html.stat().st_size <= LARGEST
    assert not re.search(r"<(?:script|link|img)[^>]*(?:src|href)=\"(?!data:)", text)
    for figure in FIGURES:
        assert text.count(f'id="{figure}"') == 1
    made = "Made by <code>softmaxfx probe --model &#x27;mine:&lt;model&gt;&#x27;</code>, seed 7."
    assert text.count(made) >= len(FIGURES)
    assert "<softmax>" not in text.partition('<script type="application/json"')[0]


def test_it_works_in_a_browser(opened, html):
    page = opened.page
    for figure in FIGURES:
        assert page.locator(f"#{figure} .plot-container").count() == 1, figure
    assert page.inner_text("#take .answer >> nth=0") == "full"
    assert "25 % of the rows of last: softmax have their maximum beyond ±10" in page.inner_text(
        "header"
    )
    assert "Row maxima reach 25 (last: softmax)" in page.inner_text("#maximum-seen")
    page.select_option("#histogram-site", NAME)
    page.select_option("#histogram-quantity", "gap")
    assert page.inner_text("#histogram-seen").startswith(f"{NAME}: first - second of a row from 0")
    assert page.inner_text("#course-seen").startswith("block: attention: rows within ±10 go from ")
    choose_all(page)
    assert opened.said == []
    assert opened.asked == [html.as_uri()]


def test_the_epochs_of_a_site_can_be_chosen_where_it_has_some(opened):
    page = opened.page
    page.select_option("#histogram-site", "block: attention")
    assert page.is_visible("#histogram-epoch")
    page.select_option("#histogram-epoch", "epoch 1")
    whole = page.inner_text("#histogram-seen")
    page.select_option("#histogram-epoch", "epoch 0")
    assert page.inner_text("#histogram-seen") != whole
    page.select_option("#histogram-site", NAME)
    assert not page.is_visible("#histogram-epoch")


def test_figures_that_there_is_nothing_for_are_left_out(browser, tmp_path):
    sites = [sure(rows=20, n=10)]
    text = page(Report("x.npy", "softmaxfx probe", 1, sites, recommend(sites)))
    head = text.partition("<script")[0]
    assert 'id="fig-heads"' not in head
    assert 'id="fig-course"' not in head
    assert "on a device" not in head
    assert "in the model" not in head
    file = tmp_path / "probe.html"
    file.write_text(text, encoding="utf-8")
    assert open_page(browser, file).said == []


def test_histograms_hold_what_was_counted(report):
    for site, drawn in zip(report.sites, page_data(report.sites)["sites"], strict=True):
        whole = drawn["whole"]["top"]
        assert sum(whole["counts"]) == pytest.approx(site.figures.rows, rel=1e-3)
        assert whole["start"] == pytest.approx(site.figures.top.low, rel=1e-4)
        assert whole["start"] + 120 * whole["step"] == pytest.approx(whole["high"], rel=1e-4)


def test_the_json_has_everything(report):
    told = json.loads(json.dumps(fields(report)))
    first, last, course = told["sites"]
    assert (first["name"], len(first["heads"]), first["epochs"]) == (NAME, 3, {})
    assert last["beyond"] == {"8": 0.25, "10": 0.25, "16": 0.25, "32": 0, "64": 0, "128": 0}
    assert list(course["epochs"]) == ["epoch 0", "epoch 1"]
    advice = told["recommendation"]
    assert advice["preset"] == "full"
    full = advice["presets"][-1]
    assert full["area"]["lut"] == 3085
    assert full["model"] == {"name": "full", "rows": 120, "top1": 0.995, "note": ""}
    assert [cost["site"] for cost in full["sites"]] == [site["name"] for site in told["sites"]]


def test_the_picture_repeats(report):
    drawn = picture(report)
    assert drawn == picture(report)
    assert drawn.startswith("<?xml")
    assert "Row maxima, mine:model" in drawn
    assert "last: softmax" in drawn
