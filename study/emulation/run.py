"""How long a case took, ours beside torch's."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Run:
    """Times of both functions in one process.

    Attributes:
        mode: ``"eager"``, or ``"graph"``: replayed as a CUDA graph.
        float_seconds, seconds: torch's and ours: on a CPU the least of all runs, on a GPU medians.
        count: runs of each.
        bytes_per_second: that ours achieves, of what must be read and written at least.
        copy_bytes_per_second: that a copy of as many bytes on the device achieves.
        float_peak_bytes, peak_bytes: the most memory taken at once, beyond what was there before.
    """

    mode: str
    float_seconds: float
    seconds: float
    count: int
    bytes_per_second: float | None = None
    copy_bytes_per_second: float | None = None
    float_peak_bytes: int | None = None
    peak_bytes: int | None = None

    @property
    def ratio(self) -> float:
        """How many times as long as the float function ours takes."""
        return self.seconds / self.float_seconds
