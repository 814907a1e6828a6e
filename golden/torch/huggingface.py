"""Hugging Face's transformers with attention in fixed point, by the name of an implementation."""

from collections.abc import Callable
from typing import Any, Unpack

from torch import Tensor, nn

from ..config import SoftmaxConfig
from .attention import MASK_VALUE
from .intercept import Intercept
from .options import Choices, options
from .unit_calls import UnitCalls


def register_attention(
    config: SoftmaxConfig | str = "base",
    name: str = "softmaxfx",
    *,
    mask_value: float | None = MASK_VALUE,
    **chosen: Unpack[Choices],
) -> None:
    """Register attention by a unit as an implementation that every model can be asked for, as in
    ``AutoModel.from_pretrained(..., attn_implementation="softmaxfx")``.

    It is transformers' own ``sdpa`` with the unit in the place of torch's function; masks are those
    of ``sdpa``. :func:`.swapping.swap` takes models with ``sdpa`` and ``eager`` as they are.

    Args:
        config, mask_value, chosen: those of
            :func:`.attention.fixed_scaled_dot_product_attention`.
        name: of the implementation; one of that name is replaced.

    Raises:
        ImportError: no transformers, or one of before the interface.
        ConfigError: options that break a rule.
    """
    from transformers import AttentionInterface, AttentionMaskInterface
    from transformers.integrations.sdpa_attention import sdpa_attention_forward
    from transformers.masking_utils import sdpa_mask

    unit = options("softmax", config, mask_value=mask_value, **chosen)
    AttentionInterface.register(
        name, _by_unit(sdpa_attention_forward, Intercept(UnitCalls({"attention": unit}, _unseen)))
    )
    AttentionMaskInterface.register(name, sdpa_mask)


def _by_unit(sdpa: Callable[..., Any], mode: Intercept) -> Callable[..., tuple[Tensor, None]]:
    def attention(module: nn.Module, *args: Any, **kwargs: Any) -> tuple[Tensor, None]:
        with mode:
            return sdpa(module, *args, **kwargs)

    return attention


def _unseen(function: str, traced: bool) -> None:
    """Nobody counts."""
