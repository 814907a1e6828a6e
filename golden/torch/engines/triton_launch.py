"""How kernels are started: here alone, so that something else can be done with what would run."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

Kernel = Any
"""What Triton makes of a function; it has no type where Triton is not installed."""


@dataclass(frozen=True, eq=False, slots=True)
class Launch:
    """A kernel with all that it is given.

    Attributes:
        programs: how many, by axis. given: its arguments, the first one a tensor.
        constants: what it is compiled for, by name. options: of the compiler, as ``num_warps``.
    """

    kernel: Kernel
    programs: tuple[int, ...]
    given: tuple[object, ...]
    constants: Mapping[str, object]
    options: Mapping[str, int]


def run(launch: Launch) -> None:
    """Start a kernel on its first argument's device; nothing where there are no programs."""
    like = launch.given[0]
    assert isinstance(like, Tensor)
    if all(launch.programs):
        with torch.cuda.device_of(like):
            launch.kernel[launch.programs](*launch.given, **launch.constants, **launch.options)


Run = Callable[[Launch], None]
