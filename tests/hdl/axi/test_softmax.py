"""The AXI4-Stream top: AMBA's ports around the same bits."""

import random
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from amaranth.lib.wiring import In, Out
from amaranth.sim import Simulator

from softmaxfx.golden import SQ, UQ, SoftmaxConfig, preset
from softmaxfx.golden.ports.status import STATUS_BITS
from softmaxfx.hdl.axi.softmax import SoftmaxAxi

from ..hostile import faults_of, mixed_traffic
from ..rows import input_beats, output_beats, random_rows
from ..streams import PERIOD, Pace, every_pace

CONFIGS = {
    "bytes": SoftmaxConfig(input=SQ(5, 3), output=UQ(0, 8), lanes=4, max_length=13),
    "wider containers": SoftmaxConfig(
        input=SQ(5, 5), output=UQ(1, 9), lanes=3, max_length=13, id_width=5
    ),
    "three bytes to one": SoftmaxConfig(
        input=SQ(8, 9), output=UQ(0, 8), lanes=2, max_length=9, clip="difference", id_width=1
    ),
    "one lane": preset("tiny", max_length=13),
    "exact sum": SoftmaxConfig(
        datapath="exact_sum", input=SQ(5, 4), output=UQ(0, 8), lanes=3, max_length=13, id_width=2
    ),
    "log p": SoftmaxConfig(
        function="log_softmax", input=SQ(5, 3), output=SQ(6, 5), lanes=2, max_length=9
    ),
}
every_config = pytest.mark.parametrize("config", CONFIGS.values(), ids=CONFIGS)


class Driver:
    """Drives the ports between the clock's edges, and takes beats on its rising edges."""

    def __init__(self, config: SoftmaxConfig):
        self.config, self.dut = config, SoftmaxAxi(config=config)
        self.words: list[dict[str, int]] = []
        self.rng = random.Random(41)
        self.i_bits, self.o_bits = (8 * -(-f.width // 8) for f in (config.input, config.output))
        ident = ["id"] if config.id_width else []
        self.fields = ["data", "keep", "user", *ident, "last"]
        self.driven = ["s_axis_tready", "m_axis_tvalid", *(f"m_axis_t{n}" for n in self.fields)]
        self.inputs = ["s_axis_tvalid", *(f"s_axis_t{n}" for n in self.fields), "m_axis_tready"]

    def run(self, *steps: Callable[..., Any]) -> None:
        """Steps one after another, in one testbench: each is given the simulator's context."""

        async def testbench(ctx):
            self.ctx = ctx
            for step in steps:
                await step()

        sim = Simulator(self.dut)
        sim.add_testbench(testbench)
        sim.run()

    async def clock(self) -> dict[str, int]:
        """One cycle; what the unit drove when the rising edge came."""
        ctx, dut = self.ctx, self.dut
        await ctx.delay(PERIOD / 2)
        seen = {name.split("_t")[1]: ctx.get(getattr(dut, name)) for name in self.driven}
        ctx.set(dut.aclk, 1)
        await ctx.delay(PERIOD / 2)
        ctx.set(dut.aclk, 0)
        return seen

    async def reset(self, cycles: int = 1) -> None:
        self.ctx.set(self.dut.aresetn, 0)
        self.ctx.set(self.dut.s_axis_tvalid, 0)
        self.ctx.set(self.dut.m_axis_tready, 0)
        for _ in range(cycles):
            await self.clock()
            assert not self.ctx.get(self.dut.m_axis_tvalid), "nothing is valid in reset"
            assert not self.ctx.get(self.dut.s_axis_tready), "nothing is taken in reset"
        self.ctx.set(self.dut.aresetn, 1)

    def present(self, beat: dict[str, Any]) -> None:
        """An input beat in containers; the bits above an element hold its sign."""
        ctx, dut, lanes = self.ctx, self.dut, range(self.config.lanes)
        word = sum((beat["x"][n] % (1 << self.i_bits)) << (n * self.i_bits) for n in lanes)
        ctx.set(dut.s_axis_tdata, word)
        ctx.set(dut.s_axis_tkeep, self.kept_bytes(beat))
        ctx.set(dut.s_axis_tuser, beat["mask"])
        ctx.set(dut.s_axis_tlast, beat["last"])
        if self.config.id_width:
            ctx.set(dut.s_axis_tid, beat["id"])

    def kept_bytes(self, beat: dict[str, Any]) -> int:
        """Input tkeep of a beat; of a broken container, any bytes but none and all."""
        size, keep = self.i_bits // 8, 0
        for lane in range(self.config.lanes):
            low = beat["present"] >> lane & 1
            kept = ((1 << size) - 1) * low
            if beat["broken"] >> lane & 1:  # the lowest byte is that of the element
                kept = self.rng.randrange(1 - low, (1 << size - 1) - low) << 1 | low
            keep |= kept << (lane * size)
        return keep

    async def stream(self, beats: list[dict], count: int, pace: Pace) -> None:
        """Offer beats until all are taken, and take ``count``; no offer is ever withdrawn."""
        ctx, dut, rng = self.ctx, self.dut, random.Random(40)
        coming, taken, offering, offered = iter(beats), 0, 0, None
        left = len(beats)
        for _ in range(20_000):
            if not left and taken == count:
                return
            if left and not offering and rng.random() >= pace.pauses:
                self.present(next(coming))
                offering = 1
            ready = rng.random() >= pace.pressure
            ctx.set(dut.s_axis_tvalid, offering)
            ctx.set(dut.m_axis_tready, ready)
            seen = await self.clock()
            if offering and seen["ready"]:
                left, offering = left - 1, 0
            word = {name: seen[name] for name in self.fields}
            if self.config.function == "log_softmax":  # beyond a row's end, anything
                word["data"] &= bits_of(word["keep"])
            assert offered is None or (seen["valid"] and word == offered), "an offer was withdrawn"
            offered = word if seen["valid"] and not ready else None
            if seen["valid"] and ready:
                self.words.append(word)
                taken += 1
        pytest.fail(f"{left} beats not taken, {taken} of {count} given")

    def gold(self, beats: list[dict[str, Any]]) -> list[dict[str, int]]:
        """The words that output beats are on the port: zero- or sign-extended, the lowest status
        bit is the error, the others are 0."""
        lanes, codes = self.config.lanes, 1 << self.o_bits
        return [
            {
                "data": sum(p % codes << (n * self.o_bits) for n, p in enumerate(beat["p"])),
                "keep": bytes_of(beat["keep"], lanes, self.o_bits),
                "user": beat["clipped"] << 3 | beat["error"],
                **({"id": beat["id"]} if self.config.id_width else {}),
                "last": beat["last"],
            }
            for beat in beats
        ]


def bytes_of(keep: int, lanes: int, bits: int) -> int:
    """Output tkeep of the elements present: every byte of their containers."""
    size = bits // 8
    return sum(((1 << size) - 1) << (n * size) for n in range(lanes) if keep >> n & 1)


def bits_of(keep: int) -> int:
    """The bits of the data that belong to bytes kept."""
    return sum(0xFF << 8 * byte for byte in range(keep.bit_length()) if keep >> byte & 1)


@every_config
@every_pace
def test_rows_on_the_ports_give_goldens_bits(config, pace):
    driver = Driver(config)
    lengths = np.random.default_rng(41).integers(1, config.max_length + 1, 25)
    rows = random_rows(config, lengths)
    gold = driver.gold(output_beats(rows, config))
    driver.run(driver.reset, lambda: driver.stream(input_beats(rows, config), len(gold), pace))
    assert driver.words == gold


@every_config
@every_pace
def test_a_row_in_error_says_so_in_the_lowest_bit_of_tuser(config, pace):
    driver = Driver(config)
    faults = [fault for fault in faults_of(config) if fault != "50 times too long"]
    beats, answer = mixed_traffic(config, faults)
    gold = driver.gold(answer)
    everything = (1 << config.lanes * driver.o_bits // 8) - 1
    in_error = [word for word in gold if word["user"] & 1]
    assert len({word["user"] & 1 for word in gold}) == 2
    assert all(word["data"] == 0 and word["user"] == 1 for word in in_error)
    assert all(word["keep"] == everything for word in in_error)
    driver.run(driver.reset, lambda: driver.stream(beats, len(gold), pace))
    assert driver.words == gold


@every_config
def test_a_row_without_an_end_leaves_cut_and_a_reset_ends_it(config):
    driver = Driver(config)
    most = config.max_beats
    size = config.lanes * driver.i_bits // 8
    endless = [{"x": [0] * config.lanes, "present": (1 << config.lanes) - 1}]
    endless = [
        beat | {"broken": 0, "mask": 0, "last": 0, "id": 0} for beat in endless * (20 * most)
    ]
    assert driver.kept_bytes(endless[0]).bit_count() == size
    rows = random_rows(config, [3, config.max_length, 1])
    gold = driver.gold(output_beats(rows, config))

    async def stop():
        assert [word["user"] for word in driver.words] == [1] * most
        assert [word["last"] for word in driver.words] == [0] * (most - 1) + [1]
        assert not any(word["data"] for word in driver.words)
        driver.words.clear()
        await driver.reset()

    driver.run(
        driver.reset,
        lambda: driver.stream(endless, most, Pace()),
        stop,
        lambda: driver.stream(input_beats(rows, config), len(gold), Pace()),
    )
    assert driver.words == gold


@every_config
@pytest.mark.parametrize("beats", [1, 2, 5, 11])
@pytest.mark.parametrize("cycles", [1, 4], ids="reset of {} cycles".format)
def test_rows_after_a_reset_in_the_middle_of_a_row_give_goldens_bits(config, beats, cycles):
    driver = Driver(config)
    longest = [config.max_length] * 12
    before = input_beats(random_rows(config, longest, seed=42), config)[:beats]
    rows = random_rows(config, [3, config.max_length, 1, 2])
    gold = driver.gold(output_beats(rows, config))

    async def stop():
        driver.words.clear()
        await driver.reset(cycles)

    driver.run(
        driver.reset,
        lambda: driver.stream(before, 0, Pace(pressure=1.0)),
        stop,
        lambda: driver.stream(input_beats(rows, config), len(gold), Pace(0.2, 0.2)),
    )
    assert driver.words == gold


@every_pace
def test_nothing_on_a_port_depends_on_another_port_in_the_same_cycle(pace):
    config = CONFIGS["wider containers"]  # every port, tid too
    driver = Driver(config)
    rows = random_rows(config, [13, 1, 5] * 6)
    driven, inputs = driver.driven, driver.inputs

    async def disturb():
        ctx, dut = driver.ctx, driver.dut
        before = [ctx.get(getattr(dut, name)) for name in driven]
        values = [ctx.get(getattr(dut, name)) for name in inputs]
        for name, value in zip(inputs, values, strict=True):
            ctx.set(getattr(dut, name), ~value)
            await ctx.delay(PERIOD / 100)
            assert [ctx.get(getattr(dut, name)) for name in driven] == before
        for name, value in zip(inputs, values, strict=True):
            ctx.set(getattr(dut, name), value)

    undisturbed = driver.clock

    async def clock():
        await disturb()
        return await undisturbed()

    gold = driver.gold(output_beats(rows, config))
    driver.clock = clock
    driver.run(driver.reset, lambda: driver.stream(input_beats(rows, config), len(gold), pace))
    assert driver.words == gold


@pytest.mark.parametrize(
    ("number", "bits"),
    [
        (SQ(5, 3), 8),
        (SQ(5, 4), 16),
        (SQ(5, 11), 16),
        (SQ(5, 12), 24),
        (UQ(0, 2), 8),
        (UQ(1, 16), 24),
    ],
    ids=str,
)
def test_a_container_is_the_fewest_whole_bytes(number, bits):
    assert number.container == bits


@every_config
def test_ports_have_ambas_names_widths_and_directions(config):
    lanes = config.lanes
    i_bytes, o_bytes = -(-config.input.width // 8), -(-config.output.width // 8)
    expected = {
        "aclk": (In, 1),
        "aresetn": (In, 1),
        "s_axis_tdata": (In, 8 * i_bytes * lanes),
        "s_axis_tkeep": (In, i_bytes * lanes),
        "s_axis_tuser": (In, lanes),
        "s_axis_tlast": (In, 1),
        "s_axis_tvalid": (In, 1),
        "s_axis_tready": (Out, 1),
        "m_axis_tdata": (Out, 8 * o_bytes * lanes),
        "m_axis_tkeep": (Out, o_bytes * lanes),
        "m_axis_tuser": (Out, 3 + lanes),
        "m_axis_tlast": (Out, 1),
        "m_axis_tvalid": (Out, 1),
        "m_axis_tready": (In, 1),
    }
    if config.id_width:
        expected["s_axis_tid"] = In, config.id_width
        expected["m_axis_tid"] = Out, config.id_width
    driver = Driver(config)
    driver.run()  # elaborates: every port is used
    members = driver.dut.signature.members
    assert {name: (m.flow, m.shape) for name, m in members.items()} == expected
    assert STATUS_BITS == 3
