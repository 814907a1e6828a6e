"""A report as one HTML file: data, Plotly and the scripts that draw lie inside, nothing outside.

Plotly is inlined once, from its Python package; the page makes no request and needs no server.
"""

import json
from collections.abc import Iterable, Mapping
from html import escape
from pathlib import Path
from typing import Any


def document(
    title: str,
    body: Iterable[str],
    data: Mapping[str, Any],
    *,
    script: str,
    style: str = "",
) -> str:
    """The page; the same bytes for the same arguments and the same version of Plotly.

    Args:
        title: of the window. body: parts, see :mod:`.parts`.
        data: of JSON, what ``script`` draws.
        script: JavaScript of this page. It runs after ``frame.js``, gets all that is in its
            ``Frame``, and ends with ``Frame.drawn()``.
        style: CSS of this page, after that of ``frame.css``.
    """
    return "\n".join(
        (
            "<!DOCTYPE html>",
            '<html lang="en"><head><meta charset="utf-8">',
            '<meta name="viewport" content="width=device-width, initial-scale=1">',
            '<link rel="icon" href="data:,">',
            f"<title>{escape(title)}</title>",
            f"<style>\n{_resource('frame.css')}{style}</style></head>",
            f"<body><main>{''.join(body)}</main>",
            f'<script type="application/json" id="data">{json_inside(data)}</script>',
            f"<script>{_plotly()}</script>",
            f"<script>\n{_resource('frame.js')}</script>",
            f"<script>\n{script}</script></body></html>\n",
        )
    )


def json_inside(data: Mapping[str, Any]) -> str:
    """JSON that cannot end its element."""
    return json.dumps(data, separators=(",", ":"), ensure_ascii=False).replace("</", "<\\/")


def _plotly() -> str:
    from plotly.offline import get_plotlyjs  # 5 MB of text: only who writes a page pays for it

    return get_plotlyjs()


def _resource(name: str) -> str:
    return Path(__file__).with_name(name).read_text(encoding="utf-8")
