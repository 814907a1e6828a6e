"""torch's softmax family in fixed point as modules, which take the place of ``torch.nn``'s."""

from dataclasses import replace
from typing import Any, ClassVar, Unpack

import torch
from torch import Tensor, nn

from ..config import SoftmaxConfig
from .functional import apply, dim_of
from .loss import loss_of
from .loss_options import LossOptions
from .options import Choices, Options, options
from .unit import config_of, described


class FixedModule(nn.Module):
    """What the modules share: a unit, how it is run, and how many elements it clipped.

    The configuration goes with ``state_dict``, copies and pickles. A ``state_dict`` of torch's own
    module, which has none, leaves it as it is.

    Attributes:
        clipped: int64 buffer of no dimension, in no ``state_dict``: elements clipped so far.
    """

    gives: ClassVar[str] = "output"
    """The configuration's format of the results."""
    clipped: Tensor

    def set_unit(self, chosen: Options) -> None:
        """Run this unit from now on."""
        self.unit = chosen
        self.register_buffer("clipped", torch.zeros((), dtype=torch.int64), persistent=False)

    @property
    def config(self) -> SoftmaxConfig:
        """The unit's configuration, every scale in it."""
        return config_of(self.unit.config)

    def reset_clipped(self) -> None:
        """Count clipped elements from 0 again."""
        self.clipped.zero_()

    def count(self, clipped: Tensor) -> None:
        if self.clipped.device != clipped.device:  # a module without parameters is seldom moved
            self.clipped = self.clipped.to(clipped.device)
        self.clipped.add_(clipped)

    def get_extra_state(self) -> dict[str, Any]:
        return {"config": self.unit.config}

    def set_extra_state(self, state: dict[str, Any]) -> None:
        found = config_of(state["config"])
        text, stochastic = described(found, (1.0).hex(), found.function)
        self.unit = replace(self.unit, config=text, stochastic=stochastic)

    def _load_from_state_dict(
        self, state_dict: dict[str, Any], prefix: str, *args: Any, **kwargs: Any
    ) -> None:
        missing: list[str] = kwargs["missing_keys"] if "missing_keys" in kwargs else args[2]
        super()._load_from_state_dict(state_dict, prefix, *args, **kwargs)
        own = f"{prefix}_extra_state"
        if own in missing:
            missing.remove(own)

    def extra_repr(self) -> str:
        config, parts = self.config, [super().extra_repr()]
        result = getattr(config, self.gives)
        parts.append(f"{config.input} -> {result}, {config.datapath}, scale={config.scale:g}")
        defaults = Options("", False)
        parts.extend(
            f"{name}={getattr(self.unit, name)!r}"
            for name in ("engine", "straight_through", "grad_exponent", "seed", "check",
                         "mask_value")
            if getattr(self.unit, name) != getattr(defaults, name)
        )  # fmt: skip
        return ", ".join(filter(None, parts))


class AlongDim(FixedModule):
    """What softmax and its logarithm share: one function along a dimension.

    Args:
        dim, config, scale, dtype, mask_value, chosen: those of :func:`.functional.fixed_softmax`.

    Raises:
        ConfigError: options that break a rule.
    """

    function: ClassVar[str]
    dim: int | None

    def __init__(
        self,
        dim: int | None = None,
        config: SoftmaxConfig | str = "base",
        *,
        scale: float = 1.0,
        dtype: torch.dtype | None = None,
        mask_value: float | None = None,
        **chosen: Unpack[Choices],
    ) -> None:
        super().__init__(dim)
        self.dtype = dtype
        self.set_unit(options(self.function, config, scale, mask_value=mask_value, **chosen))

    def forward(self, input: Tensor) -> Tensor:
        dim = dim_of(self.function, input, self.dim)
        result, clipped = apply(input, dim, self.dtype, self.unit)
        self.count(clipped)
        return result


class FixedSoftmax(AlongDim, nn.Softmax):
    """:func:`.functional.fixed_softmax` as a module, in the place of ``torch.nn.Softmax``; see
    :class:`AlongDim` for its arguments."""

    function = "softmax"


class FixedLogSoftmax(AlongDim, nn.LogSoftmax):
    """:func:`.functional.fixed_log_softmax` as a module, in the place of ``torch.nn.LogSoftmax``;
    see :class:`AlongDim` for its arguments."""

    function = "log_softmax"


class FixedCrossEntropyLoss(FixedModule, nn.CrossEntropyLoss):
    """:func:`.loss.fixed_cross_entropy` as a module, in the place of ``torch.nn.CrossEntropyLoss``.

    Args:
        weight, size_average, ignore_index, reduce, reduction, label_smoothing: those of
            ``torch.nn.CrossEntropyLoss``.
        config, scale, engine, check, mask_value: those of :func:`.loss.fixed_cross_entropy`.

    Raises:
        ConfigError: options that break a rule.
    """

    gives = "loss"

    def __init__(
        self,
        weight: Tensor | None = None,
        size_average: bool | None = None,
        ignore_index: int = -100,
        reduce: bool | None = None,
        reduction: str = "mean",
        label_smoothing: float = 0.0,
        *,
        config: SoftmaxConfig | str = "base",
        scale: float = 1.0,
        engine: str | None = None,
        check: bool = True,
        mask_value: float | None = None,
    ) -> None:
        super().__init__(weight, size_average, ignore_index, reduce, reduction, label_smoothing)
        unit = options("softmax", config, scale, engine=engine, check=check, mask_value=mask_value)
        self.set_unit(unit)

    def forward(self, input: Tensor, target: Tensor) -> Tensor:
        how = LossOptions(self.weight, self.ignore_index, self.reduction, self.label_smoothing)
        result, clipped = loss_of(input, target, how, self.unit)
        self.count(clipped)
        return result
