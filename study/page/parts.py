"""The parts of a page: its head, sections, choices, figures, tables."""

from collections.abc import Iterable, Sequence
from html import escape


def head(
    title: str, words: str, counts: Iterable[tuple[str, str]], links: Iterable[tuple[str, str]]
) -> str:
    """What a page begins with.

    Args:
        counts: (figure, what is counted). links: (id of a section, its name).
    """
    shown = "".join(
        f"<div><b>{escape(count)}</b><span>{escape(what)}</span></div>" for count, what in counts
    )
    nav = "".join(f'<a href="#{place}">{escape(name)}</a>' for place, name in links)
    return (
        f'<header><h1>{escape(title)}</h1><p class="soft">{escape(words)}</p>'
        f'<div class="counts">{shown}</div><nav>{nav}</nav></header>'
    )


def section(name: str, title: str, words: str, rest: str) -> str:
    """A section with its id, heading and explanation; ``rest`` is HTML."""
    return (
        f'<section id="{name}"><h2>{escape(title)}</h2><p class="soft">{escape(words)}</p>{rest}'
        "</section>"
    )


def made(command: str, seed: int, more: str = "") -> str:
    """What made a figure: it stands under each."""
    text = f"Made by <code>{escape(command)}</code>, seed {seed}."
    return f'<p class="made">{text}{f" {escape(more)}" if more else ""}</p>'


def choices(*parts: str) -> str:
    """Choices in a line, see :func:`choice`."""
    return f'<div class="choices">{"".join(parts)}</div>'


def choice(name: str, title: str, options: str = "") -> str:
    """A choice with its id; ``options`` is HTML, or is filled by the script."""
    return f'<label>{title} <select id="{name}">{options}</select></label>'


def figure(name: str, seen: str) -> str:
    """A figure with its id, below the sentence that says what it shows, by its own id."""
    return f'<p class="seen" id="{seen}"></p><div class="plot" id="{name}"></div>'


def card(title: str, answer: str, reason: str) -> str:
    """An answer and its reason, as text."""
    return (
        f'<article><h3>{escape(title)}</h3><p class="answer">{escape(answer)}</p>'
        f"<p>{escape(reason)}</p></article>"
    )


def cards(shown: Iterable[str]) -> str:
    """Cards beside one another, see :func:`card`."""
    return f'<div class="advice">{"".join(shown)}</div>'


def table(
    name: str,
    header: Sequence[str],
    rows: Iterable[Sequence[str]],
    *,
    words: int,
    long: bool = False,
) -> str:
    """A table with its id, which scrolls in its own frame.

    Args:
        words: first columns that hold words, not figures. long: they are broken into lines.
    """

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
