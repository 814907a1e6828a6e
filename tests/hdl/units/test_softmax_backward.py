"""The whole backward unit: golden's bits for all pairs of rows, at any pace, in a known time."""

from dataclasses import dataclass, field
from fractions import Fraction
from math import floor

import numpy as np
import pytest
from amaranth.hdl import ResetInserter, Signal
from amaranth.sim import Simulator

from softmaxfx.golden import SQ, UQ, SoftmaxConfig, preset
from softmaxfx.golden.units.softmax import softmax
from softmaxfx.golden.units.softmax_backward import backward_rows
from softmaxfx.hdl.flow.inlet import Inlet
from softmaxfx.hdl.targets.generic import Target
from softmaxfx.hdl.units.capacity import ROWS
from softmaxfx.hdl.units.softmax_backward import SoftmaxBackward, latency

from ..rows import as_beat, ident_of, packed
from ..streams import Pace, every_pace, simulate, stream_get, stream_put

SMALL = preset("int8", lanes=4, max_length=13)
STEADY = Pace()
SEED = 0x12345678
AFTERWARDS = 50
"""Cycles to look on after the last beat."""


@dataclass(frozen=True, eq=False)
class Pair:
    """A row of P and one of dP, and which elements of P were clipped.

    ``null_beat``: a beat without elements ends both rows.
    """

    p: np.ndarray
    dp: np.ndarray
    clipped: np.ndarray
    ident: int = 0
    null_beat: bool = False

    def __len__(self) -> int:
        return len(self.p)


@dataclass
class Traffic:
    """What goes in by each port, and what golden answers with."""

    config: SoftmaxConfig
    p: list[dict] = field(default_factory=list)
    dp: list[dict] = field(default_factory=list)
    gold: list[dict] = field(default_factory=list)
    rows: int = 0
    rng: np.random.Generator = field(default_factory=lambda: np.random.default_rng(141))

    def good(self, pair: Pair) -> None:
        p, dp = self.beats_of(pair)
        self.p += p
        self.dp += dp
        self.gold += self.answer(pair)
        self.rows += 1

    def bad(self, p: list[dict], dp: list[dict]) -> None:
        """Rows that break a rule: as many beats as may be leave, without gradients."""
        config, count = self.config, min(len(p), self.config.max_beats)
        self.p += p
        self.dp += dp
        self.gold += [
            {
                "p": [0] * config.lanes, "keep": (1 << config.lanes) - 1, "clipped": 0, "error": 1,
                "saturated": 0, **ident_of(config, p[count - 1].get("id", 0)),
                "last": int(beat == count - 1),
            }
            for beat in range(count)
        ]  # fmt: skip
        self.rows += 1

    def beats_of(self, pair: Pair) -> tuple[list[dict], list[dict]]:
        """Beats of both ports; where there is no element anything lies, and the error bit of a
        beat with which the row does not leave means nothing."""
        config, rng = self.config, self.rng
        p_beats, dp_beats = [], []
        for there, last, p, dp, clipped in split(pair, config, pair.p, pair.dp, pair.clipped):
            noise = rng.integers(0, 2, config.lanes)
            shared = {"present": packed(there), "broken": 0, "last": int(last)}
            clipped_bits = packed(np.where(there, clipped, noise))
            p_beats.append(
                {
                    "x": np.where(there, p, noise).tolist(), "clipped": clipped_bits,
                    "error": int(not last and noise[0]), **ident_of(config, pair.ident), **shared,
                }
            )  # fmt: skip
            dp_beats.append({"x": np.where(there, dp, -noise).tolist(), **shared})
        return p_beats, dp_beats

    def answer(self, pair: Pair) -> list[dict]:
        config, ds, saturated = self.config, pair.dp, pair.clipped
        if len(pair):
            rows = backward_rows(
                pair.p[None], pair.dp[None], config, pair.clipped[None],
                seed=SEED, first_row=self.rows,
            )  # fmt: skip
            ds, saturated = rows.ds[0], np.logical_or.accumulate(rows.saturated[0])
        codes, beats, row_saturated = 1 << config.grad_output.width, [], 0
        for there, last, x, clipped, beyond in split(pair, config, ds, pair.clipped, saturated):
            row_saturated |= int(beyond.any())  # a row that is saturated stays so
            beats.append(
                {
                    "p": (x % codes).tolist(), "keep": packed(there), "clipped": packed(clipped),
                    "error": 0, "saturated": row_saturated, **ident_of(config, pair.ident),
                    "last": int(last),
                }
            )  # fmt: skip
        return beats


def split(pair: Pair, config: SoftmaxConfig, *columns: np.ndarray):
    """(elements present, last, a part of every column) of each beat; 0 beyond the row's end."""
    lanes = config.lanes
    beats = -(-len(pair) // lanes) + pair.null_beat
    for beat in range(beats):
        part = slice(beat * lanes, (beat + 1) * lanes)
        missing = lanes - len(pair.p[part])
        there = np.arange(lanes) < lanes - missing
        yield there, beat == beats - 1, *(np.pad(column[part], (0, missing)) for column in columns)


def random_pairs(config: SoftmaxConfig, lengths, seed: int = 140) -> list[Pair]:
    """Softmax rows and rows of any codes; gradients of any size and at the ends of the format."""
    rng, p_fmt, dp_fmt = np.random.default_rng(seed), config.output, config.grad_input
    pairs = []
    for number, length in enumerate(lengths):
        logits = config.input.quantize(rng.normal(0, 3, length), config.range)
        any_p = rng.integers(0, p_fmt.max_code + 1, length)
        large = np.full(length, p_fmt.max_code)
        p = [softmax(logits, config) if length else any_p, any_p, large][number % 3]
        anything = rng.integers(dp_fmt.min_code, dp_fmt.max_code + 1, length)
        ends = rng.choice([dp_fmt.min_code, dp_fmt.max_code], length)
        small = rng.integers(-3, 4, length).clip(dp_fmt.min_code, dp_fmt.max_code)
        same = np.full(length, dp_fmt.min_code)
        dp = [anything, ends, small, same, anything][number % 5]
        clipped = rng.random(length) < [0.0, 0.1, 0.9][number % 3]
        ident = int(rng.integers(0, 1 << config.id_width))
        pairs.append(Pair(p, dp, clipped, ident, null_beat=length == 0))
    return pairs


def traffic_of(config: SoftmaxConfig, lengths, seed: int = 140) -> Traffic:
    traffic = Traffic(config)
    for pair in random_pairs(config, lengths, seed):
        traffic.good(pair)
    return traffic


def lengths_of(config: SoftmaxConfig, times: int) -> list[int]:
    """Every length from 1 to the longest, a number of times, in a random order."""
    every = np.tile(np.arange(1, config.max_length + 1), times)
    return np.random.default_rng(142).permutation(every).tolist()


def as_kept(beat: dict, config: SoftmaxConfig) -> dict:
    """A beat with 0 in lanes beyond its row's end: there, anything may lie."""
    kept = [code * (beat["keep"] >> lane & 1) for lane, code in enumerate(beat["p"])]
    return beat | {"p": kept}


def run(
    traffic: Traffic, pace: Pace = STEADY, *, late: tuple[int, int] = (0, 0), seed: int = SEED
) -> list[dict]:
    """The beats that come out; more than there should be is a failure.

    ``late``: cycles before the first beat of P, and of dP, is offered.
    """
    dut, taken = SoftmaxBackward(config=traffic.config), []

    def source(port, beats: list[dict], wait: int, pauses: float):
        async def testbench(ctx):
            ctx.set(dut.seed, seed)
            for _ in range(wait):
                await ctx.tick()
            await stream_put(ctx, port, beats, pauses=pauses)

        return testbench

    async def sink(ctx):
        taken.extend(await stream_get(ctx, dut.o, len(traffic.gold), pressure=pace.pressure))
        for _ in range(AFTERWARDS):
            await ctx.tick()
            assert not ctx.get(dut.o.valid), "a beat came out after the last row's end"

    simulate(
        dut,
        source(dut.p, traffic.p, late[0], pace.pauses),
        source(dut.dp, traffic.dp, late[1], 0.6 * pace.pauses),
        sink,
    )
    return [as_kept(as_beat(payload), traffic.config) for payload in taken]


def check(traffic: Traffic, pace: Pace = STEADY, *, late: tuple[int, int] = (0, 0)) -> None:
    assert run(traffic, pace, late=late) == traffic.gold


# The bits


@every_pace
@pytest.mark.parametrize("lanes", [1, 3, 8])
def test_rows_of_every_length_give_goldens_bits(lanes, pace):
    config = SMALL.replace(lanes=lanes)
    check(traffic_of(config, lengths_of(config, 2 if lanes == 3 else 1)), pace)


FORMATS = {
    "base": {"output": UQ(0, 16), "grad_input": SQ(1, 15), "grad_output": SQ(1, 15)},
    "clipped elements too": {"clip_gradient": "pass"},
    "fine D": {"dot_guard": 8},
    "coarse D": {"dot_guard": 0, "clip_gradient": "pass"},
    "odd": {"output": UQ(1, 12), "grad_input": SQ(2, 10), "grad_output": SQ(3, 9), "dot_guard": 3},
    "whole gradients": {"grad_input": SQ(8, 0), "grad_output": SQ(8, 2)},
    "narrow": {"output": UQ(0, 2), "grad_input": SQ(2, 0), "grad_output": SQ(2, 1)},
    "wide": {"output": UQ(0, 24), "grad_input": SQ(3, 15), "grad_output": SQ(3, 15)},
    "one element": {"max_length": 1},
    "more lanes than elements": {"max_length": 3, "lanes": 8},
}


@pytest.mark.parametrize("changes", FORMATS.values(), ids=FORMATS)
def test_formats_give_goldens_bits_with_and_without_saturation(changes):
    config = SMALL.replace(lanes=2).replace(**changes)
    traffic = traffic_of(config, lengths_of(config, max(30 // config.max_length, 1)))
    saturated = [beat["saturated"] for beat in traffic.gold]
    assert 0 < sum(saturated) < len(saturated) or config.max_length <= 3
    assert any(beat["clipped"] for beat in traffic.gold)
    check(traffic, Pace(0.1, 0.2))


def by_hand(pair: Pair, config: SoftmaxConfig) -> tuple[list[int], list[bool]]:
    """(dS, saturated so far) by fractions of real values."""

    def rounded(value: Fraction, fmt) -> tuple[Fraction, bool]:
        code = floor(value * 2**fmt.f + Fraction(1, 2))
        kept = min(max(code, fmt.min_code), fmt.max_code)
        return Fraction(kept, 2**fmt.f), kept != code

    p = [Fraction(code, 2**config.output.f) for code in pair.p.tolist()]
    dp = [Fraction(code, 2**config.grad_input.f) for code in pair.dp.tolist()]
    total = sum(one * other for one, other in zip(p, dp, strict=True))
    twice = SQ(config.grad_input.i + 1, config.grad_input.f + config.dot_guard)
    d, beyond = rounded(total, twice)
    codes, flags = [], []
    for one, other, clipped in zip(p, dp, pair.clipped.tolist(), strict=True):
        value, over = rounded((0 if clipped else one) * (other - d), config.grad_output)
        beyond = beyond or over
        codes.append(int(value * 2**config.grad_output.f))
        flags.append(beyond)
    return codes, flags


@pytest.mark.parametrize("lanes", [1, 3])
def test_gradients_are_those_of_exact_arithmetic_rounded_where_the_documents_say(lanes):
    config = SMALL.replace(lanes=lanes)
    pairs = random_pairs(config, lengths_of(config, 3), seed=143)
    traffic = Traffic(config)
    for pair in pairs:
        traffic.good(pair)
    gate, place = run(traffic), 0
    for pair in pairs:
        beats = gate[place : place + -(-len(pair) // lanes)]
        place += len(beats)
        codes, flags = by_hand(pair, config)
        half = 1 << (config.grad_output.width - 1)
        came = [(code + half) % (2 * half) - half for beat in beats for code in beat["p"]]
        assert came[: len(pair)] == codes
        ends = [min(lanes * (beat + 1), len(pair)) - 1 for beat in range(len(beats))]
        assert [beat["saturated"] for beat in beats] == [int(flags[end]) for end in ends]


@pytest.mark.parametrize("pace", [STEADY, Pace(0.3, 0.6)], ids=str)
@pytest.mark.parametrize("lanes", [1, 4])
def test_a_beat_without_elements_may_end_a_row_or_be_all_of_it(lanes, pace):
    config, traffic = SMALL.replace(lanes=lanes), Traffic(SMALL.replace(lanes=lanes))
    for pair in random_pairs(config, [lanes, 0, 3, 2 * lanes, 0, 0, 1, 12, 13, 8]):
        null_beat = len(pair) % lanes == 0 and len(pair) < 13
        traffic.good(Pair(pair.p, pair.dp, pair.clipped, null_beat=null_beat))
    check(traffic, pace)


@pytest.mark.parametrize(("lanes", "pace"), [(1, STEADY), (5, Pace(0.2, 0.4))], ids=str)
def test_stochastic_rounding_gives_goldens_bits_of_seed_row_and_element(lanes, pace):
    config = SMALL.replace(lanes=lanes, rounding="stochastic", grad_output=SQ(1, 5))
    traffic = Traffic(config)
    for number, pair in enumerate(random_pairs(config, lengths_of(config, 1))):
        if number % 5 == 3:  # rows in error count too
            p, dp = traffic.beats_of(pair)
            traffic.bad([*p[:-1], p[-1] | {"error": 1}], dp)
        traffic.good(pair)
    check(traffic, pace)
    other = run(traffic, seed=SEED ^ 1 << 31)
    unlike = [one["p"] != two["p"] for one, two in zip(other, traffic.gold, strict=True)]
    assert sum(unlike) > len(unlike) / 12, "another seed rounds otherwise"


@pytest.mark.parametrize("id_width", [1, 32])
def test_the_id_is_that_of_the_beat_with_which_the_row_leaves(id_width):
    config = SMALL.replace(id_width=id_width)
    traffic = traffic_of(config, lengths_of(config, 2))
    assert len({beat["id"] for beat in traffic.gold}) > 1
    first = [place for place, beat in enumerate(traffic.p) if not beat["last"]]
    for place in first:  # what other beats say is of no account
        traffic.p[place]["id"] ^= 1
    check(traffic, Pace(0.3, 0.3))


# Rows in error


def faults_of(config: SoftmaxConfig) -> list[str]:
    several, room = config.lanes > 1, config.max_length % config.lanes
    possible = {
        "P in error": True,
        "hole in both": several,
        "hole in dP": several,
        "broken container in P": True,
        "broken container in dP": True,
        "an element fewer in dP": True,
        "an element more in dP": several,
        "dP a beat shorter": True,
        "dP a beat longer": True,
        "dP 20 times too long": True,
        "P a beat longer than the longest": True,
        "both a beat too long": True,
        "both 20 times too long": True,
        "P 20 times too long": True,
        "an element too many": room > 0,
        "partial beat before the last": several,
    }
    return [fault for fault, can_be in possible.items() if can_be]


def plant(fault: str, traffic: Traffic, rng: np.random.Generator) -> None:
    """Put a row with a fault at the end of the traffic."""
    config, lanes, most = traffic.config, traffic.config.lanes, traffic.config.max_beats
    long = fault.startswith(("dP a beat", "hole", "an element more", "partial"))
    length = int(rng.integers(lanes + 1 if long else 1, config.max_length + 1))
    pair = random_pairs(config, [length], seed=int(rng.integers(1 << 30)))[0]
    p, dp = traffic.beats_of(pair)
    place = int(rng.integers(len(p)))
    hole = (1 << lanes) - 2

    def full(beats: list[dict], count: int) -> list[dict]:
        """So many full beats, the last one ending the row."""
        whole = beats[0] | {"present": (1 << lanes) - 1, "last": 0}
        return [dict(whole) for _ in range(count - 1)] + [whole | {"last": 1}]

    if fault == "P in error":
        p[-1]["error"] = 1
    elif fault == "hole in both":
        p[place]["present"] = dp[place]["present"] = hole
    elif fault == "hole in dP":
        dp[0]["present"] = hole  # a full beat
    elif fault.startswith("broken container"):
        (p if fault.endswith("in P") else dp)[place]["broken"] = 1
    elif fault == "an element fewer in dP":
        dp[-1]["present"] >>= 1
    elif fault == "an element more in dP":
        whole = p[-1]["present"] == (1 << lanes) - 1
        p[-1]["present"] >>= whole
        dp[-1]["present"] = p[-1]["present"] << 1 | 1
    elif fault == "dP a beat shorter":
        dp = [*dp[:-2], dp[-2] | {"last": 1}]
    elif fault == "dP a beat longer":
        dp = [*dp[:-1], dp[-1] | {"last": 0}, dict(dp[-1])]
    elif fault == "dP 20 times too long":
        dp = full(dp, 20 * most)
    elif fault == "P a beat longer than the longest":
        p, dp = full(p, most + 1), full(dp, most)
    elif fault == "both a beat too long":
        p, dp = full(p, most + 1), full(dp, most + 1)
    elif fault == "both 20 times too long":
        p, dp = full(p, 20 * most), full(dp, 20 * most)
    elif fault == "P 20 times too long":
        p = full(p, 20 * most)
    elif fault == "an element too many":
        p, dp = full(p, most), full(dp, most)
        p[-1]["present"] = dp[-1]["present"] = (2 << config.max_length % lanes) - 1
    else:
        p[0]["present"] = dp[0]["present"] = 1
    traffic.bad(p, dp)


def mixed(config: SoftmaxConfig, faults: list[str], seed: int = 144) -> Traffic:
    """Rows with faults, before each of them none to two good rows."""
    traffic, rng = Traffic(config), np.random.default_rng(seed)
    for number, fault in enumerate([*faults, ""]):
        lengths = rng.integers(1, config.max_length + 1, int(rng.integers(0, 3))).tolist()
        for pair in random_pairs(config, lengths or [2] * (not fault), seed=seed + number):
            traffic.good(pair)
        if fault:
            plant(fault, traffic, rng)
    return traffic


@pytest.mark.parametrize("fault", faults_of(SMALL))
def test_a_row_in_error_has_no_gradients_and_the_rows_beside_it_have_goldens_bits(fault):
    config = SMALL.replace(id_width=3)
    check(mixed(config, [fault] * (1 if "20" in fault else 3)), Pace(0.2, 0.2))


@pytest.mark.parametrize("pace", [STEADY, Pace(0.3, 0.6)], ids=str)
@pytest.mark.parametrize("lanes", [1, 3])
def test_rows_with_every_fault_among_good_rows(lanes, pace):
    config = SMALL.replace(lanes=lanes)
    faults = [fault for fault in faults_of(config) * 2 if "20" not in fault]
    check(mixed(config, np.random.default_rng(145).permutation(faults).tolist()), pace)


# The time


def handshakes(traffic: Traffic, pace: Pace = STEADY) -> list[tuple]:
    """(valid, ready) of P, dP and the output in each cycle from reset to the last beat out."""
    dut, history, done = SoftmaxBackward(config=traffic.config), [], []

    async def p(ctx):
        await stream_put(ctx, dut.p, traffic.p, pauses=pace.pauses)

    async def dp(ctx):
        await stream_put(ctx, dut.dp, traffic.dp, pauses=0.6 * pace.pauses)

    async def sink(ctx):
        done.extend(await stream_get(ctx, dut.o, len(traffic.gold), pressure=pace.pressure))

    async def monitor(ctx):
        watched = [bit for port in (dut.p, dut.dp, dut.o) for bit in (port.valid, port.ready)]
        while len(done) < len(traffic.gold):
            _, _, *signals = await ctx.tick().sample(*watched)
            history.append(tuple(signals))

    simulate(dut, p, dp, sink, monitor)
    return history


def cycles_of(history: list[tuple], port: int) -> list[int]:
    """The cycles in which a beat goes over."""
    return [n for n, seen in enumerate(history) if seen[2 * port] and seen[2 * port + 1]]


@pytest.mark.parametrize(("lanes", "length"), [(1, 13), (2, 1), (3, 13), (8, 13)])
def test_latency_is_what_the_unit_says(lanes, length):
    config = SMALL.replace(lanes=lanes)
    history = handshakes(traffic_of(config, [length]))
    last = max(cycles_of(history, 0)[-1], cycles_of(history, 1)[-1])
    expected = latency(config)
    beats = -(-length // lanes)
    assert cycles_of(history, 2)[0] - last == expected.fixed + expected.per_beat * beats


@pytest.mark.parametrize(("lanes", "length"), [(1, 1), (4, 31)], ids=str)
def test_rows_back_to_back_pass_at_one_beat_per_cycle(lanes, length):
    config = SMALL.replace(lanes=lanes, max_length=64)
    history = handshakes(traffic_of(config, [length] * (150 // -(-length // lanes))))
    for port in range(3):
        cycles = cycles_of(history, port)
        assert cycles == list(range(cycles[0], cycles[0] + len(cycles)))


@pytest.mark.parametrize("pace", [Pace(0.3, 0.6)], ids=str)
def test_no_cycle_depends_on_the_values(pace):
    config = SMALL.replace(lanes=2)
    rows = traffic_of(config, lengths_of(config, 1))
    large, broken = Traffic(config), Traffic(config)
    for traffic, changes in ((large, {"x": [127] * 2}), (broken, {"broken": 1})):
        traffic.p = [beat | changes for beat in rows.p]
        traffic.dp, traffic.gold = rows.dp, rows.gold
    first, *others = (handshakes(traffic, pace) for traffic in (rows, large, broken))
    assert all(history == first for history in others)


# Trouble


@pytest.mark.parametrize("late", [(0, 90), (90, 0)], ids=["dP late", "P late"])
def test_a_port_that_comes_late_changes_no_bit(late):
    check(traffic_of(SMALL, lengths_of(SMALL, 3)), late=late)


@pytest.mark.parametrize("blocked", ["p", "dp"])
def test_a_port_takes_a_known_number_of_beats_before_the_other_has_any(blocked):
    traffic = traffic_of(SMALL, lengths_of(SMALL, 3))
    dut, accepted, other = SoftmaxBackward(config=SMALL), [], {"p": "dp", "dp": "p"}[blocked]

    async def source(ctx):
        for beat in getattr(traffic, other)[:60]:
            ctx.set(getattr(dut, other).payload, beat)
            ctx.set(getattr(dut, other).valid, 1)
            *_, ready = await ctx.tick().sample(getattr(dut, other).ready)
            accepted.append(ready)
            assert not ctx.get(dut.o.valid)

    simulate(dut, source)
    assert Inlet.SKEW <= sum(accepted) < 60


@pytest.mark.parametrize(
    ("lengths", "least"), [([1, 4, 2, 3] * 40, 64), ([64] * 9, 2), ([64, 1, 3, 64, 5] * 6, 5)],
    ids=["one-beat rows", "longest rows", "mixed rows"],
)  # fmt: skip
@pytest.mark.parametrize("burst", [1, 10_000], ids=["one by one", "at once"])
def test_nothing_is_lost_where_the_output_is_blocked_until_the_unit_is_full(lengths, least, burst):
    config = SMALL.replace(max_length=64)
    traffic, taken, accepted = traffic_of(config, lengths), [], []
    dut = SoftmaxBackward(config=config)

    async def p(ctx):
        for beat in traffic.p:
            await stream_put(ctx, dut.p, [beat])
            accepted.append(beat["last"])

    async def dp(ctx):
        await stream_put(ctx, dut.dp, traffic.dp)

    async def sink(ctx):
        for _ in range(180):
            await ctx.tick()
        assert not ctx.get(dut.p.ready), "the unit is full"
        assert not ctx.get(dut.dp.ready), "the unit is full"
        assert sum(accepted) >= least, "rows that it holds"
        while len(taken) < len(traffic.gold):
            left = len(traffic.gold) - len(taken)
            taken.extend(await stream_get(ctx, dut.o, min(burst, left)))
            if burst == 1 and len(taken) < 30:  # full again
                for _ in range(5):
                    await ctx.tick()

    simulate(dut, p, dp, sink)
    assert [as_kept(as_beat(payload), config) for payload in taken] == traffic.gold


@pytest.mark.parametrize(("lanes", "max_length"), [(1, 1), (3, 1000), (8, 1024), (4, 13)])
def test_no_memory_has_room_for_more_than_the_longest_row_and_64_beats(lanes, max_length):
    asked = []

    class Asked(Target):
        """Notes the memories that a unit is built of."""

        def two_port(self, *, width, depth):
            asked.append(depth)
            return super().two_port(width=width, depth=depth)

    config = SMALL.replace(lanes=lanes, max_length=max_length)
    Simulator(SoftmaxBackward(config=config, target=Asked()))
    beats = [depth for depth in asked if depth != ROWS]
    assert beats
    assert max(beats) <= -(-max_length // lanes) + 64


@pytest.mark.parametrize("cycle", range(1, 58, 11))
def test_rows_after_a_reset_in_the_middle_of_a_row_give_goldens_bits(cycle):
    config = SMALL.replace(lanes=2)
    before = traffic_of(config, [5] * 30, seed=146)
    after = traffic_of(config, [3, 13, 1, 8])
    dut, reset, taken = SoftmaxBackward(config=config), Signal(), []

    def source(port, old: list[dict], new: list[dict], skip: int):
        async def testbench(ctx):
            ctx.set(port.valid, 1)
            coming = iter(old[skip:])
            for _ in range(cycle):
                if ctx.get(port.ready):
                    ctx.set(port.payload, next(coming))
                await ctx.tick()
            ctx.set(reset, 1)
            await ctx.tick()
            ctx.set(reset, 0)
            ctx.set(port.valid, 0)
            assert not ctx.get(dut.o.valid)
            await stream_put(ctx, port, new)

        return testbench

    async def sink(ctx):
        ctx.set(dut.o.ready, cycle % 22 > 3)
        for _ in range(cycle + 1):
            await ctx.tick()
        ctx.set(dut.o.ready, 0)
        taken.extend(await stream_get(ctx, dut.o, len(after.gold)))

    simulate(
        ResetInserter(reset)(dut),
        source(dut.p, before.p, after.p, 0),
        source(dut.dp, before.dp, after.dp, cycle % 3),
        sink,
        limit=2000,
    )
    assert [as_kept(as_beat(payload), config) for payload in taken] == after.gold
