"""The golden model: the specification of every bit, in NumPy alone."""

from .backward import softmax_backward
from .bounds import ErrorBound, backward_bound_ulp, bound_ulp, error_bound, loss_bound
from .config import PRESETS, SoftmaxConfig, preset
from .cross_entropy import cross_entropy
from .errors import ConfigError
from .formats import SQ, UQ, Format, parse_format
from .softmax import softmax

__all__ = [
    "PRESETS",
    "SQ",
    "UQ",
    "ConfigError",
    "ErrorBound",
    "Format",
    "SoftmaxConfig",
    "backward_bound_ulp",
    "bound_ulp",
    "cross_entropy",
    "error_bound",
    "loss_bound",
    "parse_format",
    "preset",
    "softmax",
    "softmax_backward",
]
