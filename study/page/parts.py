"""Parts of a page besides those of its frame: choices, figures, and what made them."""

from html import escape


def made(command: str, seed: int, more: str = "") -> str:
    """What made a figure: it stands under each."""
    text = f"Made by <code>{escape(command)}</code>, seed {seed}."
    return f'<p class="made">{text}{f" {escape(more)}" if more else ""}</p>'


def choices(*shown: str) -> str:
    """Choices in a line, see :func:`choice`."""
    return f'<div class="choices">{"".join(shown)}</div>'


def choice(name: str, title: str, options: str = "") -> str:
    """A choice with its id; ``options`` is HTML, or is filled by the script."""
    return f'<label>{escape(title)} <select id="{name}">{options}</select></label>'


def figure(name: str, seen: str) -> str:
    """A figure with its id, below the sentence that says what it shows, by its own id."""
    return f'<p class="seen" id="{seen}"></p><div class="plot" id="{name}"></div>'
