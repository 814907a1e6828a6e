"""What the error of p and of a row's sum is, by datapath."""

from types import ModuleType

from . import exact_sum, max_subtract

PROOFS: dict[str, ModuleType] = {"max_subtract": max_subtract, "exact_sum": exact_sum}
