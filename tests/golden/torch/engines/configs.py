"""The configurations that engines are tested with: every preset, datapath and way there is."""

from itertools import product

import pytest

from softmaxfx.golden import PRESETS, SQ, UQ, SoftmaxConfig

WIDE_LOSS = UQ(10, 8)
CHANGES = {
    "": {},
    "difference": {"clip": "difference"},
    "logarithm": {"function": "log_softmax"},
    "row": {"output_exponent": "row"},
    "stochastic": {"rounding": "stochastic"},
    "pass": {"clip_gradient": "pass"},
}
# tables of their own: some configurations of which an engine could take a part for granted
OTHERS = {
    "three tables": SoftmaxConfig(input=SQ(5, 15), range=8, exp_split=(7, 7, 6)),
    "float64": SoftmaxConfig(input=SQ(5, 11), output=UQ(2, 23), loss=UQ(9, 16)),
    "whole range": SoftmaxConfig(input=SQ(4, 4), output=UQ(1, 10), range=7.9375, scale=0.125),
    "steep": SoftmaxConfig(input=SQ(6, 10), range=30, scale=2.5, loss=WIDE_LOSS),
    "window and row": PRESETS["full"].replace(output_exponent="row"),
    "few codes": PRESETS["int8"].replace(range=1, datapath="exact_sum"),
    "fewest codes": PRESETS["base"].replace(range=2.0**-11),
    "one by one": SoftmaxConfig(max_length=1, output_exponent="row"),
    "wide gradients": SoftmaxConfig(grad_input=SQ(4, 14), grad_output=SQ(3, 12), dot_guard=0),
}


def changed():
    """(name, configuration) of every preset in every way that it can be."""
    for (preset, base), path, (name, change) in product(
        PRESETS.items(), ("max_subtract", "exact_sum"), CHANGES.items()
    ):
        if base.has_exponent and name in ("logarithm", "row"):
            continue
        if name == "difference" and base.clip == name:
            continue
        if name in ("difference", "logarithm"):
            steep = base.range > 16 or name == "difference"
            change = change | {"loss": WIDE_LOSS}
            if name == "logarithm":
                change = change | {"output": SQ(10, 6) if steep else SQ(6, 10)}
        yield f"{preset} {path} {name}".strip(), base.replace(datapath=path, **change)


CONFIGS = dict(changed()) | OTHERS


def named(*functions):
    """Parameters: names of configurations; tables of 24-bit inputs take seconds to make."""
    return [
        pytest.param(name, marks=[pytest.mark.long] if name.startswith("wide exact_sum") else [])
        for name, config in CONFIGS.items()
        if config.function in functions
    ]
