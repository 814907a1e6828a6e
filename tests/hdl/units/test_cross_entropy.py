"""The whole cross-entropy unit: golden's gradients and losses, at any pace, in a known time."""

from dataclasses import dataclass, field

import numpy as np
import pytest
from amaranth.hdl import ResetInserter, Signal

from softmaxfx.golden import SQ, UQ, SoftmaxConfig, bound_ulp, loss_bound, preset
from softmaxfx.golden.units.cross_entropy import cross_entropy_rows
from softmaxfx.hdl.flow.queue import Queue
from softmaxfx.hdl.units.capacity import ROWS
from softmaxfx.hdl.units.cross_entropy import CrossEntropy, latency

from ..hostile import broken_row, faults_of
from ..rows import (
    Row,
    as_beat,
    ident_of,
    in_beats,
    input_beats,
    packed,
    random_rows,
)
from ..streams import PACES, Pace, plain, simulate, stream_get, stream_put

SMALL = preset("int8", lanes=4, max_length=13)
DATAPATHS = {"max_subtract": SMALL, "exact_sum": SMALL.replace(datapath="exact_sum")}
every_datapath = pytest.mark.parametrize("small", DATAPATHS.values(), ids=DATAPATHS)
STEADY = Pace()
LARGEST = (1 << 32) - 1
IN_FLIGHT = 64
"""Rows that pass on one output while the other is blocked, where they have one beat."""
AFTERWARDS = 60
"""Cycles to look on after the last beat."""


@dataclass
class Traffic:
    """What goes in by each port, and what golden answers with by each."""

    config: SoftmaxConfig
    beats: list[dict] = field(default_factory=list)
    targets: list[int] = field(default_factory=list)
    gold: list[dict] = field(default_factory=list)
    losses: list[dict] = field(default_factory=list)

    def good(self, row: Row, target: int) -> None:
        config = self.config
        self.beats += input_beats([row], config, seed=len(self.targets))
        self.targets.append(target)
        loss, grad, clipped, status = 0, row.x, row.mask, {"error": 0, "ignored": 1}
        if len(row.x):
            rows = cross_entropy_rows(
                row.x[None], ~row.mask[None], np.array([len(row.x)]), np.array([target]), config
            )
            loss, grad, clipped = int(rows.loss[0]), rows.grad[0], rows.clipped[0]
            status = {"error": int(rows.error[0]), "ignored": int(rows.ignored[0])}
        status |= ident_of(config, row.ident)
        self.losses.append({"loss": loss, **status})
        codes, every = 1 << config.loss_grad.width, (1 << config.lanes) - 1
        for present, last, part, marks in in_beats(row, config.lanes, grad, clipped):
            keep = every if status["error"] else packed(present)
            signals = {"keep": keep, "clipped": packed(marks), **status, "last": int(last)}
            self.gold.append({"p": (part % codes).tolist(), **signals})

    def bad(self, beats: list[dict], target: int) -> None:
        """A row that breaks a rule: as many beats as may be leave, all 0."""
        config, count = self.config, min(len(beats), self.config.max_beats)
        self.beats += beats
        self.targets.append(target)
        status = {"error": 1, "ignored": 0, **ident_of(config, beats[count - 1].get("id", 0))}
        self.losses.append({"loss": 0, **status})
        signals = {"keep": (1 << config.lanes) - 1, "clipped": 0, **status}
        self.gold += [
            {"p": [0] * config.lanes, **signals, "last": int(beat == count - 1)}
            for beat in range(count)
        ]


def target_of(row: Row, rng: np.random.Generator) -> int:
    """Any element, the likeliest, a masked one, one beyond the row's end, or any index at all."""
    length = len(row.x)
    inside = int(rng.integers(0, max(length, 1)))
    top = int(np.where(row.mask, row.x.min(), row.x).argmax()) if length else 0
    masked = np.flatnonzero(row.mask)
    return [
        inside,
        top,
        top,
        int(rng.choice(masked)) if masked.size else inside,
        length + int(rng.integers(0, 9)),
        int(rng.choice([LARGEST, 1 << 31, rng.integers(0, 1 << 32)])),
    ][rng.integers(6)]


def traffic_of(config: SoftmaxConfig, lengths, seed: int = 150, *, inside: bool = False) -> Traffic:
    """Rows of all kinds with targets of all kinds, or only of elements that take part."""
    traffic, rng = Traffic(config), np.random.default_rng(seed)
    for row in random_rows(config, lengths, seed=seed):
        if inside:
            mask = row.mask & (np.arange(len(row.x)) > 0)
            traffic.good(Row(row.x, mask), int(rng.choice(np.flatnonzero(~mask))))
        else:
            traffic.good(row, target_of(row, rng))
    return traffic


def lengths_of(config: SoftmaxConfig, times: int) -> list[int]:
    """Every length from 1 to the longest, a number of times, in a random order."""
    every = np.tile(np.arange(1, config.max_length + 1), times)
    return np.random.default_rng(151).permutation(every).tolist()


def gradients(payloads: list, config: SoftmaxConfig) -> list[dict]:
    """Beats in the form of :class:`Traffic`; 0 in lanes beyond a row's end: there, anything."""
    beats = [as_beat(payload) for payload in payloads]
    return [
        beat | {"p": [code * (beat["keep"] >> lane & 1) for lane, code in enumerate(beat["p"])]}
        for beat in beats
    ]


def losses(payloads: list) -> list[dict]:
    return [
        {"loss": plain(payload["loss"])}
        | {name: plain(payload["row"][name]) for name in payload["row"].shape().members}
        for payload in payloads
    ]


def run(
    traffic: Traffic,
    pace: Pace = STEADY,
    *,
    target_pauses: float = 0.0,
    late: tuple[int, int] = (0, 0),
    blocked: tuple[int, int] = (0, 0),
) -> tuple[list[dict], list[dict]]:
    """(gradients, losses) that come out; more than there should be is a failure.

    Args:
        late: cycles before the first logit, and the first target, is offered.
        blocked: cycles before the first gradient, and the first loss, is taken.
    """
    dut, taken, loss_beats = CrossEntropy(config=traffic.config), [], []

    def source(port, payloads: list, wait: int, pauses: float):
        async def testbench(ctx):
            for _ in range(wait):
                await ctx.tick()
            await stream_put(ctx, port, payloads, pauses=pauses)

        return testbench

    def sink(port, into: list, count: int, wait: int, pressure: float):
        async def testbench(ctx):
            for _ in range(wait):
                await ctx.tick()
            into.extend(await stream_get(ctx, port, count, pressure=pressure))
            for _ in range(AFTERWARDS):
                await ctx.tick()
                assert not ctx.get(port.valid), "a beat came out after the last row's end"

        return testbench

    targets = [{"index": target} for target in traffic.targets]
    simulate(
        dut,
        source(dut.i, traffic.beats, late[0], pace.pauses),
        source(dut.target, targets, late[1], target_pauses),
        sink(dut.o, taken, len(traffic.gold), blocked[0], pace.pressure),
        sink(dut.loss, loss_beats, len(traffic.losses), blocked[1], 0.7 * pace.pressure),
    )
    return gradients(taken, traffic.config), losses(loss_beats)


def check(traffic: Traffic, pace: Pace = STEADY, **habits) -> None:
    came, loss_beats = run(traffic, pace, **habits)
    assert loss_beats == traffic.losses
    assert came == traffic.gold


# The bits


@pytest.mark.parametrize(("lanes", "pace"), [*zip([3, 4, 8, 1, 3], PACES, strict=True)], ids=str)
@every_datapath
def test_rows_of_every_length_give_goldens_bits(small, lanes, pace):
    config = small.replace(lanes=lanes)
    traffic = traffic_of(config, lengths_of(config, 1), seed=150 + lanes)
    check(traffic, pace, target_pauses=0.5 * pace.pauses)
    for flag in ("error", "ignored"):
        assert 0 < sum(loss[flag] for loss in traffic.losses) < len(traffic.losses)


BASE = {"input": SQ(5, 11), "output": UQ(0, 16), "loss": UQ(5, 11)}
EXACT = {"datapath": "exact_sum"}
CHANGES = {
    "base": BASE,
    "base, exact sum": BASE | EXACT,
    "clipped elements too": {"clip_gradient": "pass", "range": 5.0},
    "output UQ(2, 10)": {"output": UQ(2, 10)},
    "odd scale, exact sum": {"scale": 0.3, "loss": UQ(4, 9)} | EXACT,
    "steep": {"scale": 1.7, "range": 8.0},
    "coarse, exact sum": {"output": UQ(0, 2), "loss": UQ(5, 2)} | EXACT,
    "one element": {"max_length": 1},
    "more lanes than elements, exact sum": {"max_length": 3, "lanes": 8} | EXACT,
    "window": {"input": SQ(8, 3), "clip": "difference", "loss": UQ(9, 9)} | EXACT,
    "difference": {"clip": "difference", "range": 8.0},
    "difference wider than the range": {"clip": "difference", "input": SQ(8, 3)},
}


@pytest.mark.parametrize("changes", CHANGES.values(), ids=CHANGES)
def test_configurations_give_goldens_bits(changes):
    config = SMALL.replace(lanes=2).replace(**changes)
    traffic = traffic_of(config, lengths_of(config, max(24 // config.max_length, 1)))
    check(traffic, Pace(0.1, 0.2))


@every_datapath
def test_gradients_and_losses_are_as_near_to_the_exact_ones_as_is_proven(small):
    config = small.replace(lanes=3, output=UQ(0, 16), clip_gradient="pass")
    rng = np.random.default_rng(152)
    rows = random_rows(config, lengths_of(config, 2))
    traffic, wanted = Traffic(config), []
    for row in rows:
        active = ~row.mask | (np.arange(len(row.x)) == 0)
        target = int(rng.choice(np.flatnonzero(active)))
        traffic.good(Row(row.x, ~active), target)
        x = np.clip(row.x / 8, -config.range, config.range)
        e = np.where(active, np.exp(x - x.max()), 0)
        y = np.arange(len(x)) == target
        wanted.append((e / e.sum() - y, np.log(e.sum()) + x.max() - x[target]))
    came, loss_beats = run(traffic)
    place, half = 0, 1 << 16
    for (grad, loss), loss_beat in zip(wanted, loss_beats, strict=True):
        beats = came[place : place + -(-len(grad) // 3)]
        place += len(beats)
        codes = np.array([code for beat in beats for code in beat["p"]])[: len(grad)]
        value = (codes + half) % (2 * half) - half
        exact = np.minimum(grad * half, half - 1)
        assert np.abs(value - exact).max() <= bound_ulp(config)
        assert abs(loss_beat["loss"] - loss * 2**config.loss.f) <= loss_bound(config).ulp


# Targets


def answered(config: SoftmaxConfig, rows: list[tuple[list[int], list[int], int]]) -> list[tuple]:
    """(gradient codes, loss, error, ignored) of rows of (logits, masked, target), by the unit."""
    traffic = Traffic(config)
    for x, masked, target in rows:
        mask = np.isin(np.arange(len(x)), masked)
        traffic.good(Row(np.array(x), mask), target)
    came, loss_beats = run(traffic)
    codes, answers, place = 1 << config.loss_grad.width, [], 0
    for (x, _, _), loss_beat in zip(rows, loss_beats, strict=True):
        count = -(-len(x) // config.lanes)
        beats = came[place : place + count]
        place += count
        assert [beat["last"] for beat in beats] == [0] * (count - 1) + [1]
        for flag in ("error", "ignored"):
            assert {beat[flag] for beat in beats} == {loss_beat[flag]}
        lanes = [code for beat in beats for code in beat["p"]]
        grad = [code - codes * (code >= codes // 2) for code in lanes]
        if loss_beat["error"]:
            assert {beat["keep"] for beat in beats} == {(1 << config.lanes) - 1}
        assert not any(grad[len(x) :])
        answers.append((grad[: len(x)], *(loss_beat[n] for n in ("loss", "error", "ignored"))))
    return answers


@pytest.mark.parametrize("lanes", [1, 3])
@every_datapath
def test_a_target_decides_what_its_row_gives(small, lanes):
    config = small.replace(lanes=lanes)
    high, low, one = 80, -80, 256  # codes of 10 and -10; p of the one is 1, of the other 0
    answers = answered(
        config,
        [
            ([5], [], 0),  # sure and right
            ([low, high, low], [], 1),
            ([low, low, high], [], 0),  # sure and wrong: the largest code
            ([low, high, low, low, low], [], 4),
            ([low, low], [], 1),  # half and half
            ([low, high, low, low], [1], 0),
            ([low, high, low], [1], 1),  # masked
            ([low, high], [0, 1], 1),
            ([low, high, low], [], 3),  # outside
            ([low, high, low], [], LARGEST),
            ([low, high, low], [], 1 << 31),
            ([low, high, low, low], [0, 1, 2, 3], 4),
            ([7, 7], [1], 0),  # alone
        ],
    )
    near = [(grad, round(loss / 256, 1), *flags) for grad, loss, *flags in answers]
    third = round(one / 3)
    assert near == [
        ([0], 0, 0, 0),
        ([0, 0, 0], 0, 0, 0),
        ([-one, 0, one - 1], 20, 0, 0),
        ([0, one - 1, 0, 0, -one], 20, 0, 0),
        ([one // 2, -one // 2], 0.7, 0, 0),
        ([third - one, 0, third, third], 1.1, 0, 0),
        ([0, 0, 0], 0, 1, 0),
        ([0, 0], 0, 1, 0),
        ([0, 0, 0], 0, 0, 1),
        ([0, 0, 0], 0, 0, 1),
        ([0, 0, 0], 0, 0, 1),
        ([0, 0, 0, 0], 0, 0, 1),
        ([0, 0], 0, 0, 0),
    ]


@pytest.mark.parametrize("lanes", [1, 3])
@every_datapath
def test_every_index_around_the_end_of_every_row(small, lanes):
    config = small.replace(lanes=lanes, max_length=5)
    traffic = Traffic(config)
    for length in range(1, 6):
        row = random_rows(config, [length], seed=length)[0]
        for target in range(length + 2 * lanes + 1):
            traffic.good(Row(row.x, np.zeros(length, bool)), target)
    ignored = [loss["ignored"] for loss in traffic.losses]
    assert sum(ignored) == 5 * (2 * lanes + 1)
    check(traffic)


# The id, and rows in error


@every_datapath
def test_the_id_travels_with_gradients_and_losses(small):
    config = small.replace(id_width=32)
    traffic = traffic_of(config, lengths_of(config, 1))
    assert len({loss["id"] for loss in traffic.losses}) > 1
    check(traffic, Pace(0.3, 0.3))


@pytest.mark.parametrize(("lanes", "pace"), [(1, STEADY), (3, Pace(0.3, 0.6))], ids=str)
@every_datapath
def test_a_row_in_error_takes_its_target_along(small, lanes, pace):
    config = small.replace(lanes=lanes, input=SQ(5, 5), id_width=2)
    faults = [fault for fault in faults_of(config) * 2 if "50" not in fault]
    traffic, rng = Traffic(config), np.random.default_rng(153)
    for number, fault in enumerate(rng.permutation(faults).tolist()):
        beats = broken_row(fault, config, rng)
        traffic.bad(beats, [0, 1, LARGEST][number % 3])
        for row in random_rows(config, [int(rng.integers(1, 14))], seed=number):
            traffic.good(row, target_of(row, rng))
    check(traffic, pace)


@every_datapath
def test_a_row_without_elements_is_ignored(small):
    traffic = Traffic(small)
    for number, row in enumerate(random_rows(small, [4, 0, 0, 3, 0, 12])):
        traffic.good(row, [0, 0, LARGEST][number % 3])
    assert [loss["ignored"] for loss in traffic.losses][1:3] == [1, 1]
    check(traffic, Pace(0.2, 0.2))


# The time


@dataclass
class History:
    """The cycles in which each port's beats go over, and all handshakes."""

    i: list[int] = field(default_factory=list)
    target: list[int] = field(default_factory=list)
    o: list[int] = field(default_factory=list)
    loss: list[int] = field(default_factory=list)
    signals: list[tuple] = field(default_factory=list)


PORTS = "i", "target", "o", "loss"


def handshakes(traffic: Traffic, pace: Pace = STEADY) -> History:
    dut, seen, done = CrossEntropy(config=traffic.config), History(), []

    async def beats(ctx):
        await stream_put(ctx, dut.i, traffic.beats, pauses=pace.pauses)

    async def targets(ctx):
        indices = [{"index": target} for target in traffic.targets]
        await stream_put(ctx, dut.target, indices, pauses=0.5 * pace.pauses)

    async def sink(ctx):
        done.append(await stream_get(ctx, dut.o, len(traffic.gold), pressure=pace.pressure))

    async def loss_sink(ctx):
        count = len(traffic.losses)
        done.append(await stream_get(ctx, dut.loss, count, pressure=0.7 * pace.pressure))

    async def monitor(ctx):
        watched = [getattr(dut, name) for name in PORTS]
        bits = [bit for port in watched for bit in (port.valid, port.ready)]
        cycle = 0
        while len(done) < 2:
            _, _, *signals = await ctx.tick().sample(*bits)
            seen.signals.append(tuple(signals))
            for place, name in enumerate(PORTS):
                if signals[2 * place] and signals[2 * place + 1]:
                    getattr(seen, name).append(cycle)
            cycle += 1

    simulate(dut, beats, targets, sink, loss_sink, monitor)
    return seen


@pytest.mark.parametrize(
    ("lanes", "length", "split"),
    [(1, 13, None), (3, 13, (4, 4))], ids=str
)  # fmt: skip
@every_datapath
def test_latency_is_what_the_unit_says(small, lanes, length, split):
    if split is not None and small.datapath == "max_subtract":
        split = (4, 3)
    config = small.replace(lanes=lanes, exp_split=split)
    seen = handshakes(traffic_of(config, [length]))
    expected = latency(config)
    assert seen.o[0] - seen.i[-1] == expected.fixed + expected.per_beat * len(seen.i)
    assert seen.loss[0] <= seen.o[0]


@pytest.mark.parametrize("changes", [{"scale": 0.3}, {"loss": UQ(5, 2)}], ids=str)
@every_datapath
def test_latency_is_what_the_unit_says_whatever_the_loss_is_made_of(small, changes):
    config = small.replace(**changes)
    seen = handshakes(traffic_of(config, [1]))
    expected = latency(config)
    assert seen.o[0] - seen.i[0] == expected.fixed + expected.per_beat


@pytest.mark.parametrize(("lanes", "length"), [(1, 1), (4, 31)], ids=str)
@every_datapath
def test_rows_back_to_back_pass_at_one_beat_per_cycle(small, lanes, length):
    config = small.replace(lanes=lanes, max_length=64)
    seen = handshakes(traffic_of(config, [length] * (110 // -(-length // lanes))))
    for cycles in (seen.i, seen.o):
        assert cycles == list(range(cycles[0], cycles[0] + len(cycles)))


@every_datapath
def test_no_cycle_depends_on_the_values(small):
    config, pace = small.replace(lanes=2), Pace(0.2, 0.4)
    rows = traffic_of(config, lengths_of(config, 1))
    equal, broken = (Traffic(config, gold=rows.gold, losses=rows.losses) for _ in range(2))
    equal.beats = [beat | {"x": [0, 0], "mask": 0} for beat in rows.beats]
    equal.targets = [0] * len(rows.targets)
    broken.beats = [beat | {"present": 2} for beat in rows.beats]
    broken.targets = [LARGEST] * len(rows.targets)
    first, *others = (handshakes(traffic, pace).signals for traffic in (rows, equal, broken))
    assert all(history == first for history in others)


# Trouble


@every_datapath
def test_targets_may_come_slowly(small):
    config = small.replace(lanes=3)
    check(traffic_of(config, lengths_of(config, 1)), target_pauses=0.9)


@pytest.mark.parametrize("late", [(0, 150), (150, 0)], ids=["targets late", "logits late"])
@every_datapath
def test_a_port_that_comes_late_changes_no_bit(small, late):
    check(traffic_of(small, lengths_of(small, 1)), late=late)


@pytest.mark.parametrize(("length", "least"), [(1, 64), (64, 1)])
@every_datapath
def test_rows_are_accepted_before_their_targets_come_and_nothing_leaves(small, length, least):
    config = small.replace(max_length=64)
    traffic, accepted = traffic_of(config, [length] * 100), []
    dut = CrossEntropy(config=config)

    async def source(ctx):
        beats = iter(traffic.beats)
        ctx.set(dut.i.payload, next(beats))
        ctx.set(dut.i.valid, 1)
        ctx.set(dut.o.ready, 1)
        ctx.set(dut.loss.ready, 1)
        for _ in range(200):
            *_, ready, last = await ctx.tick().sample(dut.i.ready, dut.i.payload.last)
            accepted.append(ready & last)
            if ready:
                ctx.set(dut.i.payload, next(beats))
            assert not ctx.get(dut.o.valid)
            assert not ctx.get(dut.loss.valid)
        assert not ctx.get(dut.i.ready), "the unit is full"

    simulate(dut, source)
    assert sum(accepted) >= least


def stopped(traffic: Traffic, port: str, wait: int = 330) -> tuple[int, int, list, list]:
    """One of the outputs is blocked for a while: (rows accepted, rows that passed on the other)
    until then, and all that came by both."""
    dut, taken = CrossEntropy(config=traffic.config), {"o": [], "loss": []}
    counts = {"o": len(traffic.gold), "loss": len(traffic.losses)}
    accepted, passed = [], []

    async def source(ctx):
        for beat in traffic.beats:
            await stream_put(ctx, dut.i, [beat])
            accepted.append(beat["last"])

    async def targets(ctx):
        await stream_put(ctx, dut.target, [{"index": target} for target in traffic.targets])

    async def blocked_sink(ctx):
        for _ in range(wait):
            await ctx.tick()
        free = taken["loss" if port == "o" else "o"]
        rows = sum(1 if port == "o" else int(payload.last) for payload in free)
        passed.extend([sum(accepted), rows])
        assert not ctx.get(dut.i.ready) or len(accepted) == len(traffic.beats)
        taken[port].extend(await stream_get(ctx, getattr(dut, port), counts[port]))

    async def free_sink(ctx):
        free = "loss" if port == "o" else "o"
        while len(taken[free]) < counts[free]:
            taken[free].extend(await stream_get(ctx, getattr(dut, free), 1))

    simulate(dut, source, targets, blocked_sink, free_sink)
    return *passed, taken["o"], taken["loss"]


@pytest.mark.parametrize(
    ("port", "lengths"),
    [("o", [1, 4, 2, 3] * 28), ("o", [5, 1, 9, 13] * 12), ("loss", [5, 1, 9, 2] * 24)],
    ids=["gradient, one-beat rows", "gradient, mixed rows", "loss, mixed rows"],
)
@every_datapath
def test_an_output_passes_on_while_the_other_is_blocked(small, lengths, port):
    traffic = traffic_of(small, lengths)
    accepted, passed, came, loss_beats = stopped(traffic, port)
    if port == "loss" or max(lengths) <= small.lanes:
        assert passed >= IN_FLIGHT
    else:  # as many as the row buffer holds whole, one more than the longest row at least
        assert passed >= (small.max_beats + 64) // small.max_beats - 1
    assert accepted >= passed
    assert accepted <= ROWS + Queue.places, "a row is in flight until it has left by both"
    assert gradients(came, small) == traffic.gold
    assert losses(loss_beats) == traffic.losses


@pytest.mark.parametrize("blocked", [(150, 90)], ids=str)
@every_datapath
def test_nothing_is_lost_where_outputs_are_slow_after_a_block(small, blocked):
    config = small.replace(lanes=2, id_width=8)
    check(traffic_of(config, lengths_of(config, 1)), Pace(0.0, 0.3), blocked=blocked)


@pytest.mark.parametrize("cycle", range(2, 76, 24))
@every_datapath
def test_rows_after_a_reset_in_the_middle_of_a_row_give_goldens_bits(small, cycle):
    config = small.replace(lanes=2)
    before, after = traffic_of(config, [5] * 40, seed=154), traffic_of(config, [3, 13, 1, 8, 2])
    dut, reset, taken, loss_beats = CrossEntropy(config=config), Signal(), [], []

    def source(port, old: list[dict], new: list[dict]):
        async def testbench(ctx):
            ctx.set(port.valid, 1)
            coming = iter(old)
            for _ in range(cycle):
                if ctx.get(port.ready):
                    ctx.set(port.payload, next(coming, old[-1]))
                await ctx.tick()
            ctx.set(reset, 1)
            await ctx.tick()
            ctx.set(reset, 0)
            ctx.set(port.valid, 0)
            await stream_put(ctx, port, new)

        return testbench

    def sink(port, into: list, count: int, ready: int):
        async def testbench(ctx):
            ctx.set(port.ready, ready)
            for _ in range(cycle + 1):
                await ctx.tick()
            assert not ctx.get(port.valid)
            ctx.set(port.ready, 0)
            into.extend(await stream_get(ctx, port, count))

        return testbench

    def indices(traffic: Traffic) -> list[dict]:
        return [{"index": target} for target in traffic.targets]

    simulate(
        ResetInserter(reset)(dut),
        source(dut.i, before.beats, after.beats),
        source(dut.target, indices(before), indices(after)),
        sink(dut.o, taken, len(after.gold), cycle // 24 % 2),
        sink(dut.loss, loss_beats, len(after.losses), cycle // 48 % 2),
        limit=2000,
    )
    assert gradients(taken, config) == after.gold
    assert losses(loss_beats) == after.losses
