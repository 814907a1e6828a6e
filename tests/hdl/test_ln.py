"""The ln stage and the log-probability stage give golden's bits, at their latency."""

import numpy as np
import pytest
from amaranth.sim import Simulator

from softmaxfx.golden import SQ, preset
from softmaxfx.golden.accumulate import Accumulate
from softmaxfx.golden.ln import ln_table
from softmaxfx.golden.log_probability import LogProbability as Golden
from softmaxfx.hdl.ln import Ln
from softmaxfx.hdl.log_probability import LogProbability
from softmaxfx.hdl.target import ROM_STYLES

CONFIGS = {
    "base": preset("base", function="log_softmax", output=SQ(6, 10)),
    "int8": preset("int8", function="log_softmax", output=SQ(6, 3)),
    "steep": preset("base", function="log_softmax", output=SQ(9, 8), scale=10),
    "one": preset("tiny", function="log_softmax", output=SQ(6, 10), max_length=1),
}
each = pytest.mark.parametrize("config", CONFIGS.values(), ids=CONFIGS)


def answers(dut, inputs: list[dict[str, int]], latency: int) -> list[int]:
    """What a stage gives to one set of inputs a cycle."""
    out: list[int] = []

    async def bench(ctx) -> None:
        for cycle in range(len(inputs) + latency):
            for name, value in (inputs[cycle] if cycle < len(inputs) else {}).items():
                ctx.set(getattr(dut, name), value)
            if cycle >= latency:
                out.append(ctx.get(dut.o))
            await ctx.tick()

    simulator = Simulator(dut)
    simulator.add_clock(1e-6)
    simulator.add_testbench(bench)
    simulator.run()
    return out


@pytest.mark.parametrize("rom", ROM_STYLES)
@each
def test_ln_of_sums_is_goldens(config, rom):
    golden, total = ln_table(config, config.output.f + 4), Accumulate.of(config)
    rng = np.random.default_rng(1)
    one = 1 << golden.sum_fraction
    powers = one << np.arange(config.max_length.bit_length())
    sums = np.concatenate(
        [rng.integers(one, config.max_length * one + 1, 600), powers, powers * 2 - 1]
    )
    sums = sums[sums <= config.max_length * one]
    dut = Ln(golden=golden, sum_bits=total.sum_bits, target=ROM_STYLES[rom])
    got = answers(dut, [{"i": int(value)} for value in sums], Ln.latency)
    assert got == golden(sums).tolist()


@each
def test_log_probability_is_goldens(config):
    golden = Golden.of(config)
    rng = np.random.default_rng(2)
    one = 1 << golden.ln.sum_fraction
    distance = np.append(rng.integers(0, config.span + 1, 500), [0, config.span])
    sums = rng.integers(one, config.max_length * one + 1, distance.size)
    active = rng.random(distance.size) < 0.9
    dut = LogProbability(
        golden=golden, distance_bits=config.span.bit_length(), width=config.output.width
    )
    inputs = [
        {"distance": int(d), "ln": int(ln), "active": int(a)}
        for d, ln, a in zip(distance, golden.ln(sums), active, strict=True)
    ]
    expected = np.where(active, golden(distance, sums), golden.lowest)
    assert answers(dut, inputs, LogProbability.latency) == expected.tolist()
