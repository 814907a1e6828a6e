"""The golden model: the specification of every bit, in NumPy alone."""

from .bounds import ErrorBound, bound_ulp, error_bound
from .config import PRESETS, SoftmaxConfig, preset
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
    "bound_ulp",
    "error_bound",
    "parse_format",
    "preset",
    "softmax",
]
