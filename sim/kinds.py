"""The kinds of units that can be simulated."""

from ..golden.errors import require
from .adaptive_softmax import AdaptiveSoftmax
from .cross_entropy import CrossEntropy
from .kind import Kind
from .sidecar import Unit
from .softmax import Softmax
from .softmax_backward import SoftmaxBackward

KINDS: dict[str, Kind] = {
    "softmax": Softmax(),
    "softmax_backward": SoftmaxBackward(),
    "cross_entropy": CrossEntropy(),
    "adaptive_softmax": AdaptiveSoftmax(),
}


def kind_of(unit: Unit) -> Kind:
    """What kind a unit is of.

    Raises:
        ConfigError: one that is not known.
    """
    require(unit.name in KINDS, f"unit must be one of {', '.join(KINDS)}, not {unit.name!r}")
    return KINDS[unit.name]
