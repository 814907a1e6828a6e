"""Every picture by the name of its file."""

from collections.abc import Callable

from . import cross_entropy, datapaths, softmax, softmax_backward
from .distances import distances_svg
from .scene import Scene

SCENES: dict[str, Callable[[], Scene]] = {
    "softmax-row": softmax.one_row,
    "softmax-back-pressure": softmax.back_pressure,
    "softmax-rows-of-ten": softmax.rows_of_ten,
    "softmax-hole": softmax.hole,
    "softmax-too-long": softmax.too_long,
    "datapath-exact-sum": datapaths.exact_sum,
    "datapath-max-subtract": datapaths.max_subtract,
    "cross-entropy-targets": cross_entropy.targets,
    "softmax-backward-join": softmax_backward.joined,
}
"""Those that are drawn from simulations."""

PICTURES: dict[str, Callable[[], str]] = {
    **{name: lambda scene=scene: scene().svg() for name, scene in SCENES.items()},
    "distances": distances_svg,
}
"""What draws each of them, as SVG."""
