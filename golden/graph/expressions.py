"""Every expression that has a name."""

from collections.abc import Callable
from dataclasses import dataclass

from ..config import SoftmaxConfig
from ..types import Reals
from .cross_entropy import cross_entropy_text, cross_entropy_values
from .softmax import (
    log_config,
    log_softmax_text,
    log_softmax_values,
    plain_config,
    softmax_text,
    softmax_values,
)
from .softmax_backward import softmax_backward_text, softmax_backward_values
from .stages import HardwareValues
from .teaching import BASE_2_SOFTMAX, LOG_SUM_EXP, NAIVE_SOFTMAX, NEURON, PRODUCT, SIGMOID


@dataclass(frozen=True, slots=True)
class Expression:
    """A graph by name.

    Attributes:
        name: what it is called. about: what it shows, in a line.
        text: in the notation, as a configuration builds it.
        hardware_values: what the unit holds of every node, of inputs by name; ``None`` where it is
            no unit's.
        fitted: the configuration that the unit needs.
        one_hot: the input that is 0 but at one element of x, unless it is given.
    """

    name: str
    about: str
    text: Callable[[SoftmaxConfig | None], str]
    hardware_values: Callable[[dict[str, Reals], SoftmaxConfig], HardwareValues] | None = None
    fitted: Callable[[SoftmaxConfig], SoftmaxConfig] = lambda config: config
    one_hot: str = ""


def _fixed(text: str) -> Callable[[SoftmaxConfig | None], str]:
    """A text that no configuration changes."""
    return lambda config: text


EXPRESSIONS: dict[str, Expression] = {
    expression.name: expression
    for expression in (
        Expression(
            "softmax", "the softmax unit, one gate a stage",
            softmax_text, softmax_values, plain_config,
        ),
        Expression(
            "log_softmax", "the same unit with function = log_softmax",
            log_softmax_text, log_softmax_values, log_config,
        ),
        Expression(
            "cross_entropy", "the cross-entropy unit: the loss, and the gradient p - y",
            cross_entropy_text, cross_entropy_values, plain_config, "y",
        ),
        Expression(
            "softmax_backward", "the backward unit: dS = P(dP - D), P from the softmax unit",
            softmax_backward_text, softmax_backward_values, plain_config, "dp",
        ),
        Expression(
            "naive_softmax", "without the maximum: overflows for --x 1000,1001,1002",
            _fixed(NAIVE_SOFTMAX),
        ),
        Expression(
            "base2_softmax", "exp as a power of 2, as hardware with a shifter has it",
            _fixed(BASE_2_SOFTMAX),
        ),
        Expression("log_sum_exp", "ln of a sum of exponentials, safely", _fixed(LOG_SUM_EXP)),
        Expression("sigmoid", "1/(1 + exp(-x)) in its gates", _fixed(SIGMOID)),
        Expression("neuron", "weights, a bias and a sigmoid", _fixed(NEURON)),
        Expression("product", "(x + y)z: how gradients pass + and *", _fixed(PRODUCT)),
    )
}  # fmt: skip
