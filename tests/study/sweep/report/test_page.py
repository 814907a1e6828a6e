"""The page in a browser: it draws, asks the network for nothing, and shows what is clicked."""

import json
import re
import tomllib

import pytest

from softmaxfx.golden import SoftmaxConfig
from softmaxfx.golden.measures.catalogue import POINT
from softmaxfx.study.sweep.report.page import FIGURES
from softmaxfx.study.sweep.report.report import report

from ...page.browsing import LARGEST, choose_all, chromium, open_page


@pytest.fixture(scope="module")
def html(tmp_path_factory, made_rows, made_sources):
    out = tmp_path_factory.mktemp("report")
    return report(made_rows(), made_sources, out, command="softmaxfx sweep a.toml").html


def test_the_page_is_one_small_file_with_plotly_in_it_once(html):
    text = html.read_text()
    assert html.stat().st_size <= LARGEST
    assert text.count("* plotly.js v") == 1
    assert not re.search(r"<(?:script|link|img)[^>]*(?:src|href)=\"(?!data:)", text)
    for figure in FIGURES:
        assert text.count(f'id="{figure}"') == 1
    assert "mantissa_bits must be &lt;more&gt;, not 4" in text
    assert text.count("Made by <code>softmaxfx sweep a.toml</code>, seed 1.") >= len(FIGURES)


def test_the_data_cannot_end_its_element(html):
    found = re.search(r'<script type="application/json" id="data">(.*?)</script>', html.read_text())
    assert found is not None
    assert json.loads(found[1])["sources"] == ["digits", "attention"]


@pytest.fixture(scope="module")
def browser():
    with chromium() as opened:
        yield opened


@pytest.fixture(scope="module")
def opened(browser, html):
    return open_page(browser, html)


def click(page, figure: str, trace: int, point: int) -> None:
    """Click a point of a figure where it is drawn."""
    page.evaluate(f"document.getElementById('{figure}').scrollIntoView({{block: 'center'}})")
    place = page.evaluate(
        """([figure, trace, point]) => {
          const plot = document.getElementById(figure), full = plot._fullLayout;
          const drawn = plot._fullData[trace], box = plot.getBoundingClientRect();
          const axes = [drawn.xaxis, drawn.yaxis].map((name) =>
            full[name[0] + "axis" + name.slice(1)]);
          return [box.left + axes[0]._offset + axes[0].d2p(drawn.x[point]),
            box.top + axes[1]._offset + axes[1].d2p(drawn.y[point])];
        }""",
        [figure, trace, point],
    )
    page.mouse.move(*place)
    page.mouse.click(*place)


def test_the_page_works_in_a_browser(opened, html):
    page = opened.page
    for figure in FIGURES:
        assert page.locator(f"#{figure} .plot-container").count() == 1, figure

    # The panel first shows the recommendation; a click on a point of the front shows that one.
    recommended = tomllib.loads(page.inner_text("#picked-toml"))
    assert recommended["input"] == "SQ(5, 5)"
    cost = page.evaluate("document.getElementById('fig-front').data[1].x")
    click(page, "fig-front", 1, len(cost) - 1)
    page.wait_for_function("document.getElementById('picked-toml').textContent.includes('11)')")
    shown = tomllib.loads(page.inner_text("#picked-toml"))
    config = SoftmaxConfig.from_dict(shown)
    assert (str(config.input), str(config.output)) == ("SQ(5, 11)", "UQ(0, 14)")
    command = page.inner_text("#picked-command")
    assert command.startswith("softmaxfx export --preset base ")
    assert "--set 'output=UQ(0, 14)'" in command
    assert "LUT" in page.inner_text("#picked-costs")

    # Every choice draws without a complaint.
    choose_all(page)
    assert "points are on the front" in page.inner_text("#front-seen")
    assert page.inner_text("#bits-seen")
    assert page.inner_text("#map-seen")
    assert opened.said == []
    assert opened.asked == [html.as_uri()]


def test_the_panel_explains_its_metrics(opened):
    page = opened.page
    entries = page.locator("#picked-values dt").evaluate_all(
        "all => all.map((one) => [one.textContent, one.title])"
    )
    meanings = {metric.heading: metric.meaning for metric in POINT}
    assert len(entries) > 10
    assert all(meanings[name] == meaning for name, meaning in entries)


def test_knees_are_marked_where_the_results_have_them(opened):
    page = opened.page
    page.select_option("#bits-source", "digits")
    page.select_option("#bits-width", "output")
    knees = page.evaluate(
        "document.getElementById('fig-bits').data.filter((one) => one.name === 'knee')"
        ".map((one) => one.x[0])"
    )
    assert knees[0] == 10
    assert "knee at 10 bits" in page.locator("#fig-bits").inner_text()


@pytest.mark.parametrize("kept", ["point", "design"])
def test_a_page_of_little_is_drawn_too(browser, tmp_path, made_rows, made_sources, kept):
    rows = [row for row in made_rows() if row.kind == kept and row.status == "done"]
    html = report(rows[:1], made_sources if kept == "point" else [], tmp_path).html
    assert open_page(browser, html).said == []
