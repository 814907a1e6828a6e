"""Float references of the units, and the layer that runs the units in torch. The only room that may
import torch, which is imported when a name is first asked for."""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .adaptive import FixedAdaptiveLogSoftmaxWithLoss
    from .attention import fixed_scaled_dot_product_attention
    from .engines.registry import EngineFallbackWarning, engine_names, which_engine
    from .functional import fixed_log_softmax, fixed_softmax
    from .huggingface import register_attention
    from .layers import FixedCrossEntropyLoss, FixedLogSoftmax, FixedSoftmax
    from .loss import fixed_cross_entropy
    from .probing import Probe, Probed, probe
    from .refusals import ProbeError, SwapError
    from .site_record import Sampling
    from .swapping import Swap, swap

__all__ = [
    "EngineFallbackWarning",
    "FixedAdaptiveLogSoftmaxWithLoss",
    "FixedCrossEntropyLoss",
    "FixedLogSoftmax",
    "FixedSoftmax",
    "Probe",
    "ProbeError",
    "Probed",
    "Sampling",
    "Swap",
    "SwapError",
    "engine_names",
    "fixed_cross_entropy",
    "fixed_log_softmax",
    "fixed_scaled_dot_product_attention",
    "fixed_softmax",
    "probe",
    "register_attention",
    "swap",
    "which_engine",
]

_MODULES = {
    ".adaptive": ("FixedAdaptiveLogSoftmaxWithLoss",),
    ".attention": ("fixed_scaled_dot_product_attention",),
    ".engines.registry": ("EngineFallbackWarning", "engine_names", "which_engine"),
    ".functional": ("fixed_log_softmax", "fixed_softmax"),
    ".layers": ("FixedCrossEntropyLoss", "FixedLogSoftmax", "FixedSoftmax"),
    ".loss": ("fixed_cross_entropy",),
    ".probing": ("Probe", "Probed", "probe"),
    ".refusals": ("ProbeError", "SwapError"),
    ".site_record": ("Sampling",),
    ".swapping": ("Swap", "swap"),
    ".huggingface": ("register_attention",),
}
_HOMES = {name: module for module, names in _MODULES.items() for name in names}


def __getattr__(name: str) -> object:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(_HOMES[name], __name__), name)
