"""Report pages: one HTML file with its data, Plotly and the scripts that draw, nothing outside.

Plotly is inlined once, from its Python package; a page makes no request and needs no server.
"""

import json
from collections.abc import Iterable, Sequence
from html import escape
from pathlib import Path
from typing import Any


def document(title: str, body: Iterable[str], data: dict[str, Any], script: Path) -> str:
    """The page; the same bytes for the same parts and the same version of Plotly.

    Args:
        body: its elements, of HTML.
        data: of JSON, for the script. script: draws, with what ``common.js`` gives it.
    """
    return "\n".join(
        (
            "<!DOCTYPE html>",
            '<html lang="en"><head><meta charset="utf-8">',
            '<meta name="viewport" content="width=device-width, initial-scale=1">',
            '<link rel="icon" href="data:,">',
            f"<title>{escape(title)}</title>",
            f"<style>\n{_shared('page.css')}</style></head>",
            f"<body><main>{''.join(body)}</main>",
            f'<script type="application/json" id="data">{_json(data)}</script>',
            f"<script>{_plotly()}</script>",
            f"<script>\n{_shared('common.js')}</script>",
            f"<script>\n{script.read_text(encoding='utf-8')}</script></body></html>\n",
        )
    )


def head(
    title: str, words: str, counts: Iterable[tuple[str, str]], links: Iterable[tuple[str, str]]
) -> str:
    """The page's heading.

    Args:
        counts: numbers, and what they are of. links: names of sections, and their titles.
    """
    shown = "".join(f"<div><b>{count}</b><span>{what}</span></div>" for count, what in counts)
    linked = "".join(f'<a href="#{place}">{title}</a>' for place, title in links)
    return (
        f'<header><h1>{escape(title)}</h1><p class="soft">{escape(words)}</p>'
        f'<div class="counts">{shown}</div><nav>{linked}</nav></header>'
    )


def section(name: str, title: str, words: str, rest: str) -> str:
    """A part of the page under a title."""
    return (
        f'<section id="{name}"><h2>{title}</h2><p class="soft">{escape(words)}</p>{rest}</section>'
    )


def chart(name: str) -> str:
    """The place of a chart of usual height."""
    return f'<div class="plot chart" id="{name}"></div>'


def cards(shown: Iterable[tuple[str, str, str]]) -> str:
    """What a page says first: a title, an answer and a reason each."""
    articles = "".join(
        f'<article><h3>{escape(title)}</h3><p class="answer">{escape(answer)}</p>'
        f"<p>{escape(reason)}</p></article>"
        for title, answer, reason in shown
    )
    return f'<div class="advice">{articles}</div>'


def table(
    name: str,
    header: Sequence[str],
    rows: Iterable[Sequence[str]],
    *,
    words: int,
    long: bool = False,
) -> str:
    """A table that scrolls in its own frame; its first columns hold words."""

    def cells(tag: str, row: Sequence[str]) -> str:
        kinds = ["long" if long and tag == "td" else "words"] * words
        kinds += [""] * (len(row) - words)
        return "".join(
            f"<{tag}{f' class={kind!r}' if kind else ''}>{escape(cell)}</{tag}>"
            for kind, cell in zip(kinds, row, strict=True)
        )

    body = "".join(f"<tr>{cells('td', row)}</tr>" for row in rows)
    return (
        f'<div class="scroll" tabindex="0"><table id="{name}"><thead><tr>{cells("th", header)}</tr>'
        f"</thead><tbody>{body}</tbody></table></div>"
    )


def _shared(name: str) -> str:
    return Path(__file__).with_name(name).read_text(encoding="utf-8")


def _json(data: dict[str, Any]) -> str:
    """JSON that cannot end its element."""
    return json.dumps(data, separators=(",", ":"), ensure_ascii=False).replace("</", "<\\/")


def _plotly() -> str:
    from plotly.offline import get_plotlyjs  # 5 MB of text: only who writes a page pays for it

    return get_plotlyjs()
