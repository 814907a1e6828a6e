"""Every element's gradient, rounded and saturated as golden does it, and flagged where it was."""

import numpy as np
import pytest

from softmaxfx.golden import SQ, UQ, SoftmaxConfig
from softmaxfx.golden.stages.gradient import Gradient as Golden
from softmaxfx.hdl.stages.gradient import Gradient

from ..streams import trace

every_rounding = pytest.mark.parametrize("rounding", ["nearest", "stochastic"])

INT8 = {"output": UQ(0, 8), "grad_input": SQ(1, 7)}
FORMATS = {
    "base": {},
    "base, guard 0": {"dot_guard": 0},
    "base, guard 3": {"dot_guard": 3},
    "base, exact D": {"dot_guard": 15, "output": UQ(0, 15), "grad_output": SQ(1, 14)},
    "int8": {**INT8, "grad_output": SQ(1, 7)},
    "int8, one bit dropped": {**INT8, "grad_output": SQ(2, 15)},
    "odd": {"output": UQ(1, 12), "grad_input": SQ(2, 10), "grad_output": SQ(3, 9), "dot_guard": 3},
    "odd, the other way round": {
        "output": UQ(1, 12), "grad_input": SQ(3, 9), "grad_output": SQ(2, 10), "dot_guard": 0
    },
    "wider than the product": {**INT8, "grad_output": SQ(10, 8)},
    "sign only": {**INT8, "grad_output": SQ(1, 0)},
    "fine p": {"output": UQ(0, 24), "grad_input": SQ(3, 15), "grad_output": SQ(3, 15)},
}  # fmt: skip
every_format = pytest.mark.parametrize("changes", FORMATS.values(), ids=FORMATS)

SMALL = {
    f"{p} {dp} to {ds}, guard {guard}": {
        "output": p, "grad_input": dp, "grad_output": ds, "dot_guard": guard
    }
    for p, dp, ds, guard in (
        (UQ(0, 3), SQ(1, 2), SQ(1, 2), 1),
        (UQ(0, 3), SQ(1, 2), SQ(1, 4), 1),
        (UQ(0, 2), SQ(1, 2), SQ(1, 1), 2),
        (UQ(1, 2), SQ(2, 1), SQ(2, 1), 0),
        (UQ(0, 2), SQ(1, 3), SQ(1, 0), 0),
    )
}  # fmt: skip
"""So small that every element is tried."""


def golden_of(changes: dict, rounding: str) -> Golden:
    return Golden.of(SoftmaxConfig(rounding=rounding, max_length=8).replace(**changes))


def check(golden: Golden, active: np.ndarray, **inputs: np.ndarray) -> tuple:
    """An element a cycle: each must be golden's, when it is due. Golden's answer is returned."""
    bits = inputs.pop("bits")
    stochastic = golden.rounding == "stochastic"
    columns = {**inputs, "active": active}
    rows = zip(*(column.tolist() for column in columns.values()), strict=True)
    stimulus = [dict(zip(columns, row, strict=True)) for row in rows]
    stimulus += [{} for _ in range(Gradient.latency)]
    for cycle, value in enumerate(bits.tolist() if stochastic else []):
        stimulus[cycle + Gradient.BITS_LATER] |= {"bits": value}
    o, next_saturated = zip(
        *trace(Gradient(golden=golden), stimulus, ["o", "next_saturated"]), strict=True
    )
    gold, saturated = golden(
        np.where(active, inputs["p"], 0), inputs["dp"], inputs["d"], bits if stochastic else None
    )
    np.testing.assert_array_equal(o[Gradient.latency :], gold)
    np.testing.assert_array_equal(next_saturated[Gradient.latency - 1 : -1], saturated)
    return gold, saturated


def edge_elements(golden: Golden, rng: np.random.Generator) -> dict[str, np.ndarray]:
    """Products at, below and above the places where another code begins, or saturation."""
    dot, output, half = golden.dot, golden.output, 1 << (golden.drop - 1)
    codes = [output.min_code, output.max_code, -1, 0, 1, *rng.integers(-99, 100, 5)]
    target = np.array([2 * half * code + side * half for code in codes for side in (-1, 0, 1)])
    p = rng.choice([dot.p.max_code, 1, *(1 << np.arange(dot.p.width))], (len(target), 16))
    p[:, ::2] = rng.integers(1, dot.p.max_code + 1, p[:, ::2].shape)
    quotient = target[:, None] // p
    difference = np.stack([quotient + step for step in (-1, 0, 1)])
    return split(golden, np.broadcast_to(p, difference.shape).ravel(), difference.ravel())


def random_elements(golden: Golden, rng: np.random.Generator, count: int) -> dict[str, np.ndarray]:
    """Codes of any size, some at full scale."""
    dot, columns = golden.dot, {}
    for name, fmt in (("p", dot.p), ("dp", dot.dp), ("d", dot.output)):
        anything = rng.integers(fmt.min_code, fmt.max_code + 1, count)
        ends = rng.choice([fmt.min_code, fmt.max_code, 0], count)
        columns[name] = np.where(rng.random(count) < 0.3, ends, anything)
    return columns


def split(golden: Golden, p: np.ndarray, difference: np.ndarray) -> dict[str, np.ndarray]:
    """Elements of a p and a difference dP - D, where there are any."""
    dot = golden.dot
    guard = dot.output.f - dot.dp.f
    dp = np.clip((difference >> guard) // 2, dot.dp.min_code, dot.dp.max_code)
    d = (dp << guard) - difference
    there = (dot.output.min_code <= d) & (d <= dot.output.max_code)
    return {"p": p[there], "dp": dp[there], "d": d[there]}


@every_rounding
@pytest.mark.parametrize("changes", SMALL.values(), ids=SMALL)
def test_every_element_gives_goldens_gradient(changes, rounding):
    golden = golden_of(changes, rounding)
    dot, rng = golden.dot, np.random.default_rng(86)
    every = [np.arange(f.min_code, f.max_code + 1) for f in (dot.p, dot.dp, dot.output)]
    p, dp, d = (grid.ravel() for grid in np.meshgrid(*every))
    active, top = np.ones(len(p), bool), (1 << golden.drop) - 1
    choices = (0 * p, 0 * p + top, rng.integers(0, top + 1, len(p)))
    for bits in choices if rounding == "stochastic" else choices[:1]:
        _, saturated = check(golden, active, p=p, dp=dp, d=d, bits=bits)
    assert saturated.any()


@every_rounding
@every_format
def test_wide_elements_are_rounded_and_saturated_as_golden_does(changes, rounding):
    golden, rng = golden_of(changes, rounding), np.random.default_rng(85)
    parts = edge_elements(golden, rng), random_elements(golden, rng, 300)
    columns = {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}
    count = len(columns["p"])
    bits = rng.choice([0, (1 << golden.drop) - 1, *rng.integers(0, 1 << golden.drop, 3)], count)
    active = rng.random(count) < 0.95
    gold, saturated = check(golden, active, **columns, bits=bits)
    if golden.output.i <= golden.dot.dp.i:
        limits = {(golden.output.min_code, True), (golden.output.max_code, True)}
        limits |= {(golden.output.min_code, False), (golden.output.max_code, False)}
        assert limits <= set(zip(gold.tolist(), saturated.tolist(), strict=True))


@every_rounding
@pytest.mark.parametrize("fmt", [SQ(1, 13), SQ(3, 13), SQ(4, 8), SQ(1, 0)], ids=str)
def test_half_an_lsb_more_than_the_largest_product_does_not_wrap(fmt, rounding):
    golden = golden_of({"grad_output": fmt}, rounding)
    dot, ones = golden.dot, np.ones(2, np.int64)
    p, dp, d = dot.p.max_code, [dot.dp.max_code, dot.dp.min_code], [dot.output.min_code, 0]
    bits = ones * (1 << golden.drop) - 1
    gold, _ = check(golden, ones > 0, p=ones * p, dp=np.array(dp), d=np.array(d), bits=bits)
    assert gold[0] > 0 or fmt.width == 1
