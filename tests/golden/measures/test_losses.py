"""What is lost of rows, told with figures: by plain loops, and by sentences written out."""

import numpy as np
import pytest

from softmaxfx.golden import SQ, preset
from softmaxfx.golden.measures.losses import Losses
from softmaxfx.golden.measures.metrics import measure
from softmaxfx.golden.rows import LogitRows
from softmaxfx.golden.units.softmax import softmax_rows

INF, NAN = np.inf, np.nan
CONFIGS = {
    "base": preset("base", max_length=64),
    "int8": preset("int8", max_length=64),
    "narrow range": preset("tiny", range=2.0),
    "difference": preset("tiny", clip="difference", input=SQ(3, 9), range=4.0),
    "exact sum": preset("int8", max_length=64, datapath="exact_sum"),
}


def some_rows(seed=0):
    """Rows of all lengths and spreads, masked elements, one row all masked, ties at both ends."""
    rng = np.random.default_rng(seed)
    array = rng.normal(0, 1, (60, 64)) * rng.choice([0.1, 3.0, 12.0], (60, 1))
    array[rng.random(array.shape) < 0.1] = -INF
    array[3] = -INF
    array[4], array[5], array[6] = 50.0, -50.0, np.linspace(-50, -40, 64)
    array[np.arange(64) >= rng.integers(1, 65, 60)[:, None]] = NAN
    array[7, :4] = 9.9999, 10.0, 10.0001, -INF
    return LogitRows.from_array(array)


def looped(config, rows, p):
    """(sums, saturated, tied) of the rows with an active element, one by one."""
    limit = config.range if config.clip == "input" else None
    high = limit if limit else config.input.max_code * config.input.lsb
    low = -limit if limit else config.input.min_code * config.input.lsb
    sums, saturated, tied = [], [], []
    for row in range(len(rows.lengths)):
        places = np.flatnonzero(rows.active[row])
        if not places.size:
            continue
        sums.append(sum(int(p[row, place]) for place in places) / 2**config.output.f)
        values = [float(rows.values[row, place]) for place in places]
        rounded = [np.floor(value / config.input.lsb + 0.5) * config.input.lsb for value in values]
        top = max(rounded)
        saturated.append(not low <= top <= high)
        kept = [min(max(value, low), high) for value in rounded]
        alike = [v for v, k in zip(values, kept, strict=True) if k == max(kept)]
        tied.append(saturated[-1] and min(alike) < max(values))
    return sums, saturated, tied


@pytest.mark.parametrize("config", CONFIGS.values(), ids=CONFIGS)
def test_every_figure_equals_a_plain_loop(config):
    rows = some_rows()
    result = softmax_rows(rows.codes(config), config, ~rows.active)
    lost = Losses.of(config, rows, result.p)
    sums, saturated, tied = looped(config, rows, result.p)
    assert lost.rows == len(sums) == 59
    assert lost.sum_min == min(sums)
    assert lost.sum_mean == pytest.approx(np.mean(sums), rel=1e-12)
    assert lost.mass_loss_rate == pytest.approx(np.mean([s < 0.95 for s in sums]))
    assert lost.winner_clip_rate == pytest.approx(np.mean(saturated))
    assert lost.winner_tie_rate == pytest.approx(np.mean(tied))
    assert Losses.of(config, rows, result.p[rows.active]) == lost
    metrics = measure(result, rows, config)
    for name in ("mass_loss_rate", "winner_clip_rate", "winner_tie_rate"):
        assert getattr(metrics, name) == getattr(lost, name)


def losses_of(config, array):
    rows = LogitRows.from_array(np.asarray(array, float))
    return Losses.of(config, rows, softmax_rows(rows.codes(config), config, ~rows.active).p)


INT8, BASE = preset("int8"), preset("base")
SHARP = np.where(np.arange(20) == 3, 6.0, -9.0)
NOTES = {
    "nothing is lost": (BASE, [SHARP], []),
    "all mass": (
        INT8, np.zeros((4, 1024)),
        ["output UQ(0, 8) loses mass: sum p is 0 on average and 0 at least, 100 % of 4 rows lose "
         "more than 5 %"],
    ),
    "some mass": (
        INT8, [np.zeros(171), np.where(np.arange(171) == 0, 9.0, -9.0)],
        ["output UQ(0, 8) loses mass: sum p is 0.832 on average and 0.67 at least, 50 % of 2 rows "
         "lose more than 5 %"],
    ),
    "winners": (
        BASE, [[11.0, 12.0, 3.0], [11.0, 3.0, 3.0], [1.0, 2.0, 3.0], [3.0, 2.0, 1.0]],
        ["50 % of 4 rows have a maximum beyond range = 10: their winners saturate and 25 % tie"],
    ),
    "a winner that does not tie": (
        BASE, [[11.0, 3.0]],
        ["100 % of 1 rows have a maximum beyond range = 10: their winners saturate"],
    ),
    "winners below the range": (
        BASE, [[-11.0, -12.0]],
        ["100 % of 1 rows have a maximum beyond range = 10: their winners saturate and 100 % tie"],
    ),
    "a difference, beyond the format": (
        preset("base", clip="difference"), [[17.0, 18.0]],
        ["100 % of 1 rows have a maximum beyond input SQ(5, 11): their winners saturate and 100 % "
         "tie"],
    ),
    "a difference, within the format": (preset("base", clip="difference"), [[15.0, 11.0]], []),
    "rounded onto the range": (BASE, [[10.0002, 9.0]], []),
    "logarithms lose no mass": (
        preset("base", function="log_softmax", output=SQ(6, 10)), np.zeros((2, 1024)), [],
    ),
}  # fmt: skip


@pytest.mark.parametrize(("config", "array", "notes"), NOTES.values(), ids=NOTES)
def test_what_is_lost_is_said_with_its_figures(config, array, notes):
    assert losses_of(config, array).notes(config) == notes


def test_rows_without_an_active_element_lose_nothing():
    lost = losses_of(BASE, np.full((2, 3), -INF))
    assert (lost.rows, lost.sum_mean, lost.winner_clip_rate) == (0, None, None)
    assert lost.notes(BASE) == []


def test_nothing_is_said_of_the_mass_where_probabilities_are_not_known():
    rows = LogitRows.from_array(np.zeros((2, 1024)))
    assert Losses.of(INT8, rows).mass_loss_rate is None
    assert Losses.of(INT8, rows).notes(INT8) == []
