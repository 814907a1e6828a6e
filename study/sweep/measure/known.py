"""Figures that there are: one of no element is left out, not 0."""

from collections.abc import Mapping


def known(figures: Mapping[str, float | None]) -> dict[str, float]:
    """The figures that have a value."""
    return {name: value for name, value in figures.items() if value is not None}
