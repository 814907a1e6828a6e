"""A fixed-point softmax accelerator generator, with a golden model and a proven error."""

from importlib.metadata import version

from .golden import (
    PRESETS,
    SQ,
    UQ,
    ConfigError,
    Format,
    SoftmaxConfig,
    backward_bound_ulp,
    bias_ulp,
    bound_ulp,
    cross_entropy,
    loss_bound,
    mass_bound,
    preset,
    softmax,
    softmax_backward,
    softmax_rows,
)

__version__ = version("softmaxfx")

__all__ = [
    "PRESETS",
    "SQ",
    "UQ",
    "ConfigError",
    "Format",
    "SoftmaxConfig",
    "__version__",
    "backward_bound_ulp",
    "bias_ulp",
    "bound_ulp",
    "cross_entropy",
    "loss_bound",
    "mass_bound",
    "preset",
    "softmax",
    "softmax_backward",
    "softmax_rows",
]
