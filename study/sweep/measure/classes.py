"""The classes of a source's rows."""

from ....golden.measures.classes import Classes
from ....golden.measures.ragged import Ragged
from .sources import Source


def classes_of(source: Source, layout: Ragged) -> Classes:
    """The classes of a source that has them, by the layout of its rows."""
    assert source.targets is not None, "a source without classes has no loss"
    return Classes(layout, source.targets, source.held_out)
