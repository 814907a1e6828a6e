"""The golden model: the specification of every bit, in NumPy alone."""

from .clusters import Clusters
from .config import PRESETS, SoftmaxConfig, preset
from .errors import ConfigError
from .formats import SQ, UQ, Format, parse_format
from .proofs.adaptive import adaptive_bound
from .proofs.bias import bias_ulp
from .proofs.bounds import bound_ulp, error_bound
from .proofs.error_bound import ErrorBound
from .proofs.gradient import backward_bound_ulp
from .proofs.loss import loss_bound
from .proofs.mass import mass_bound
from .units.adaptive_softmax import adaptive_cross_entropy
from .units.cross_entropy import cross_entropy
from .units.softmax import SoftmaxRows, softmax, softmax_rows
from .units.softmax_backward import softmax_backward

__all__ = [
    "PRESETS",
    "SQ",
    "UQ",
    "Clusters",
    "ConfigError",
    "ErrorBound",
    "Format",
    "SoftmaxConfig",
    "SoftmaxRows",
    "adaptive_bound",
    "adaptive_cross_entropy",
    "backward_bound_ulp",
    "bias_ulp",
    "bound_ulp",
    "cross_entropy",
    "error_bound",
    "loss_bound",
    "mass_bound",
    "parse_format",
    "preset",
    "softmax",
    "softmax_backward",
    "softmax_rows",
]
