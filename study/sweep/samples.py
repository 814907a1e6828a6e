"""A small job of each kind, to try workers with."""

from ...golden.config import PRESETS
from .measure.sources import Source, recorded_sources
from .space.entries import Entry, baseline
from .space.space import made

ELEMENTS = 1000


def sample_source() -> Source:
    """Some recorded rows."""
    return recorded_sources(ELEMENTS)[0]


def samples() -> list[Entry]:
    """A point, a float format and a design."""
    source = sample_source()
    given = source.name, source.data_sha256
    longest = int(source.logits.lengths.max())
    point = made({"lanes": 1, "max_length": longest}, PRESETS["tiny"])
    return [
        made({"lanes": 1}, PRESETS["tiny"]).design("ice40", 1),
        point.point(*given),
        baseline("bf16", *given),
    ]
