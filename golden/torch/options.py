"""How a unit is run from torch: a configuration, and what its user chose besides."""

from dataclasses import dataclass
from typing import TypedDict, Unpack

import torch
from torch import Tensor

from ..config import SoftmaxConfig
from ..errors import ConfigError, require, require_whole
from .engines.gradient_scale import MOST_EXPONENT
from .engines.registry import engine_names
from .ops import GATED, NO_GRADIENT, STRAIGHT_THROUGH
from .unit import described


@dataclass(frozen=True, slots=True)
class Options:
    """A unit, and how it is run; made by :func:`options`.

    Attributes:
        config: the configuration as text, see :func:`.unit.text_of`; every scale is in it.
        stochastic: its gradients are rounded at random.
        engine: name of the engine; empty for the fastest that can.
        straight_through: the gradient is float softmax's at the unit's p, and nothing is gated.
        grad_exponent: gradients are multiplied by 2**grad_exponent before they are quantised;
            None: by what makes each row fill the format.
        seed: of stochastic rounding; None: drawn from torch's generator in every forward pass.
        check: refuse NaN and +inf, and targets that are no class, which makes the host wait.
        mask_value: elements at or below it take no part; None: only those of -inf.
    """

    config: str
    stochastic: bool
    engine: str = ""
    straight_through: bool = False
    grad_exponent: int | None = None
    seed: int | None = None
    check: bool = True
    mask_value: float | None = None

    def gradient(self, x: Tensor) -> str:
        """What the operator has to keep for the gradient by x."""
        if not (torch.is_grad_enabled() and x.requires_grad):
            return NO_GRADIENT
        return STRAIGHT_THROUGH if self.straight_through else GATED

    def seed_of(self, gradient: str) -> Tensor | None:
        """The seed of a forward pass, of no dimension; None where nothing is random."""
        if not self.stochastic or gradient != GATED:
            return None
        if self.seed is None:
            return torch.randint(0, 1 << 32, (), dtype=torch.int64, device="cpu")
        return torch.tensor(self.seed, dtype=torch.int64, device="cpu")

    def masked(self, x: Tensor) -> Tensor:
        """x with -inf where ``mask_value`` says that an element takes no part."""
        return x if self.mask_value is None else x.masked_fill(x <= self.mask_value, -torch.inf)


class Choices(TypedDict, total=False):
    """What a user may choose about any unit; see :class:`Options` for each."""

    engine: str | None
    straight_through: bool
    grad_exponent: int | None
    seed: int | None
    check: bool


def options(
    function: str,
    config: SoftmaxConfig | str,
    scale: float = 1.0,
    *,
    mask_value: float | None = None,
    **chosen: Unpack[Choices],
) -> Options:
    """A unit and how it is run, see :class:`Options`.

    Args:
        function: ``"softmax"`` or ``"log_softmax"``.
        config: a configuration, or the name of a preset. scale: positive, multiplies its own.

    Raises:
        ConfigError: a value that breaks a rule, in one sentence.
    """
    # the sentence is made where it is needed: a compiler can hold the scale for a variable
    if not isinstance(scale, (int, float)) or isinstance(scale, bool):
        raise ConfigError(f"scale must be a positive number, not {scale!r}")
    # a float that a compiler holds for a variable is a constant by its digits
    text, stochastic = described(config, float(scale).hex(), function)
    engine, grad_exponent = chosen.get("engine"), chosen.get("grad_exponent")
    seed = chosen.get("seed")
    if engine is not None:
        names = engine_names()
        require(engine in names, f"engine must be one of {', '.join(names)}, not {engine!r}")
    if grad_exponent is not None:
        require_whole("grad_exponent", grad_exponent, -MOST_EXPONENT, MOST_EXPONENT)
    if seed is not None:
        require_whole("seed", seed, 0, (1 << 32) - 1)
    return Options(
        text,
        stochastic,
        engine or "",
        chosen.get("straight_through", False),
        grad_exponent,
        seed,
        chosen.get("check", True),
        mask_value,
    )
