"""How far sums of rows are from 1, and the bias: proven, against rows made to be the worst."""

import math
from fractions import Fraction

import numpy as np
import pytest

from softmaxfx.golden import PRESETS, SQ, UQ, SoftmaxConfig, preset
from softmaxfx.golden.proofs.bias import bias_ulp
from softmaxfx.golden.proofs.mass import mass_bound
from softmaxfx.golden.units.softmax import softmax_rows

CONFIGS = {
    f"{name} {datapath}": config.replace(datapath=datapath)
    for name, config in PRESETS.items()
    for datapath in ("max_subtract", "exact_sum")
} | {
    "coarse": preset("base", output=UQ(0, 4), max_length=40),
    "coarse, one held": preset("base", output=UQ(1, 4), max_length=40, datapath="exact_sum"),
    "coarse, exponents": preset("base", output=UQ(0, 4), max_length=40, output_exponent="row"),
}
each = pytest.mark.parametrize("config", CONFIGS.values(), ids=CONFIGS)


def sums_of(config, rows):
    result = softmax_rows(rows, config)
    return np.ldexp(config.output.to_float(result.p).sum(axis=-1), -result.exponent)


def worst_rows(config):
    """Equal elements, of every number; one above equal others, by every distance that matters."""
    for count in {1, 2, 3, 5, 40, config.max_length // 2, config.max_length}:
        if not 1 <= count <= config.max_length:
            continue
        yield np.zeros((1, count), np.int64)
        scaled = np.linspace(0, math.log(count) + 0.7 * config.output.f + 3, 200)
        above = np.unique((scaled / config.scale / config.input.lsb).astype(np.int64))
        rows = np.zeros((above.size, count), np.int64)
        rows[:, 0] = above
        yield np.clip(rows - above[:, None] // 2, config.input.min_code, config.input.max_code)


@each
def test_no_row_is_further_from_1_than_was_proven(config):
    bound, worst = mass_bound(config), 0.0
    for rows in worst_rows(config):
        worst = max(worst, float(np.abs(sums_of(config, rows) - 1).max()))
    assert worst <= bound
    assert worst > bound / 4, "the bound says more than it must"


def test_the_bound_of_log_softmax_is_that_of_its_error():
    config = preset("base", function="log_softmax", output=SQ(6, 10))
    rows = np.random.default_rng(1).normal(0, 3, (200, 300))
    p = np.exp(config.output.to_float(softmax_rows(config.input.quantize(rows), config).p))
    assert np.abs(p.sum(axis=-1) - 1).max() <= mass_bound(config) < 2**-9


def test_the_bias_is_the_mean_over_every_code_beside_the_largest():
    config = SoftmaxConfig(input=SQ(4, 2), output=UQ(0, 6), range=5, max_length=8)
    errors = []
    for x in range(-20, 21):
        (p, _) = softmax_rows([[x, 20]], config).p[0]
        exact = 64 / (1 + math.exp((20 - x) / 4))
        errors.append(Fraction(int(p)) - Fraction(exact))
    assert bias_ulp(config) == pytest.approx(float(sum(errors) / len(errors)), abs=1e-9)


@pytest.mark.parametrize(
    ("changes", "share", "bits", "cure"),
    [
        ({"max_length": 129}, "25 %", 11, True),
        ({"max_length": 400}, "78 %", 12, True),
        ({}, "all", 14, True),
        ({"output_exponent": "row"}, "75 %", 14, False),
    ],
)
def test_a_note_names_what_may_be_lost_and_what_cures_it(changes, share, bits, cure):
    config = preset("int8", **changes)
    of_row = "output_exponent row keeps rows without a large element, " if cure else ""
    assert config.notes() == [
        "output UQ(0, 8) may lose mass: rounding takes up to half an LSB of every probability, "
        f"{share} of the sum of {config.max_length} (max_length); {of_row}at least {bits} fraction "
        "bits keep 95% of every row"
    ]
    assert config.replace(output=UQ(0, bits)).notes() == []
    assert config.replace(output=UQ(0, bits - 1), output_exponent="none").notes() != []
