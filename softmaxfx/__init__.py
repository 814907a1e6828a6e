"""A fixed-point softmax accelerator generator, with a golden model and a proven error."""

from importlib.metadata import version

from .golden import (
    PRESETS,
    SQ,
    UQ,
    ConfigError,
    Format,
    SoftmaxConfig,
    bound_ulp,
    preset,
    softmax,
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
    "bound_ulp",
    "preset",
    "softmax",
]
