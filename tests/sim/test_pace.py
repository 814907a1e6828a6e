"""How fast rows pass, and that their values have no part in it."""

import numpy as np
import pytest

from softmaxfx.golden import preset
from softmaxfx.sim.exchange import send_rows
from softmaxfx.sim.testbench import Neighbours

from .rows import cut, unit_rows

BASE = preset("base")
EXACT = BASE.replace(datapath="exact_sum")
every_datapath = pytest.mark.parametrize("config", [BASE, EXACT], ids=lambda c: c.datapath)


def cycles(unit, model, rows, folder, *, pauses=False):
    """(accepted, emitted) cycles of every beat of rows, on an input and on the main output."""
    came = send_rows(unit, model, rows, folder, Neighbours(pauses, seed=5))
    assert not came.hung
    # a target is one beat a row
    return max(came.accepted.values(), key=len), came.part.cycles["m_axis"]


PACES = [
    *(("softmax", BASE, length, 0.99) for length in (64, 100, 256, 1024)),
    *(("softmax", EXACT, length, 0.99) for length in (64, 1024)),
    *(("softmax_backward", BASE, length, 0.99) for length in (64, 1024)),
    *(("cross_entropy", config, 64, 0.99) for config in (BASE, EXACT)),
    *(
        (name, config, length, 0.95)
        for length in (10, 1)
        for name, config in (
            ("softmax", BASE), ("softmax", EXACT), ("softmax_backward", BASE),
            ("cross_entropy", BASE), ("cross_entropy", EXACT),
        )
    ),
]  # fmt: skip


@pytest.mark.parametrize(
    ("name", "config", "length", "share"), PACES, ids=lambda value: getattr(value, "datapath", None)
)
def test_rows_back_to_back_pass_at_nearly_a_beat_per_cycle(
    name, config, length, share, unit_of, model_of, tmp_path
):
    unit, count = unit_of(config, unit=name), max(4000, 40000 // length)
    rows = unit_rows(unit, [length] * count, seed=0)
    accepted, emitted = cycles(unit, model_of(unit), rows, tmp_path)
    beats = count * -(-length // config.lanes)
    assert len(accepted) == len(emitted) == beats
    assert beats / (int(emitted[-1]) - int(accepted[0]) + 1) >= share


def value_sets(shape, rng):
    """Rows of the same lengths, as different in their values as can be."""
    ramp = np.linspace(-12, 12, shape[1]) * np.ones(shape)
    one_hot = np.full(shape, -10.0)
    one_hot[:, 0] = 10
    yield "equal", np.zeros(shape)
    yield "one-hot", one_hot
    yield "rising", ramp
    yield "falling", -ramp
    yield "clipped", np.where(rng.random(shape) < 0.5, 15.0, -15.0)
    yield "random", rng.normal(0, 4, shape)
    yield "masked", np.where(rng.random(shape) < 0.5, -np.inf, 0.0)
    yield "all masked", np.full(shape, -np.inf)


@pytest.mark.parametrize("pauses", [False, True])
@every_datapath
def test_no_cycle_depends_on_a_value(config, pauses, unit_of, model_of, tmp_path):
    unit = unit_of(config)
    rng = np.random.default_rng(1)
    lengths = rng.integers(1, 91, 200)
    seen = {
        name: cycles(
            unit,
            model_of(unit),
            cut(values, lengths),
            tmp_path / name,
            pauses=pauses,
        )
        for name, values in value_sets((200, 90), rng)
    }
    accepted, emitted = seen.pop("equal")
    for name, (other_accepted, other_emitted) in seen.items():
        np.testing.assert_array_equal(other_accepted, accepted, err_msg=name)
        np.testing.assert_array_equal(other_emitted, emitted, err_msg=name)
