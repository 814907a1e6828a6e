"""A browser for tests of report pages, and a page as it is drawn there."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

LARGEST = 8 * 2**20
"""Bytes of a page, at most."""


@dataclass
class Opened:
    """A page in a browser.

    Attributes:
        page: of playwright. said: what it complained of. asked: addresses that it asked for.
    """

    page: Any
    said: list[str] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)


@contextmanager
def chromium() -> Iterator[Any]:
    """The system's Chromium; the test skips where there is none."""
    path = shutil.which("chromium") or shutil.which("chromium-browser")
    if path is None:
        pytest.skip("chromium is not installed")
    api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    with api.sync_playwright() as playwright:
        opened = playwright.chromium.launch(
            executable_path=path, args=["--no-sandbox", "--disable-gpu"]
        )
        yield opened
        opened.close()


def open_page(browser: Any, html: Path, width: int = 1366) -> Opened:
    """A page as it is drawn, and what it complained of and asked for meanwhile."""
    opened = Opened(browser.new_page(viewport={"width": width, "height": 900}))
    opened.page.on("console", lambda message: opened.said.append(message.text))
    opened.page.on("pageerror", lambda error: opened.said.append(str(error)))
    opened.page.on("request", lambda request: opened.asked.append(request.url))
    opened.page.goto(html.as_uri())
    opened.page.wait_for_selector("body[data-drawn]")
    return opened


def choose_all(page: Any) -> None:
    """Choose every option of every select that is not hidden."""
    for select in page.locator("select").all():
        for value in select.locator("option").evaluate_all("all => all.map((one) => one.value)"):
            select.select_option(value)
