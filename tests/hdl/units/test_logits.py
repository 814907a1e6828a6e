"""Beats come out clean: clipped codes, who takes part, and rows cut and judged as golden does."""

import numpy as np
import pytest
from amaranth.hdl import ResetInserter, Signal

from softmaxfx.golden import SQ, SoftmaxConfig
from softmaxfx.golden.stages.clip import clip
from softmaxfx.hdl.units.logits import Logits

from ..hostile import Stream, random_stream
from ..rows import packed
from ..streams import plain, simulate, trace

FORMATS = {8: SQ(5, 1), 16: SQ(5, 6), 24: SQ(5, 19)}
"""An input format for each container, in bits."""
SMALL = SoftmaxConfig(input=FORMATS[16], range=10.0, lanes=4, max_length=10)
"""Three beats, two elements in the last one."""
OUTPUTS = ("o_valid", "o_last", "o", "active", "keep", "clipped", "error")


def inputs(stream: Stream) -> list[dict]:
    """The stage's inputs of every beat."""
    return [{"i_valid": 1, "i": beat} for beat in stream.beats(SMALL)]


def expected(config: SoftmaxConfig, stream: Stream) -> list[dict | None]:
    """What each beat must become; None for one that is swallowed."""
    frames, present = stream.frames(config), stream.keep[:, :, 0]
    x, outside = stream.data, np.zeros(stream.data.shape, bool)
    if config.clip == "input":
        x, outside = clip(stream.data, config.range_code)
    answer: list[dict | None] = [None] * len(stream.last)
    for end, count, error in zip(frames.ends, frames.beats, frames.error, strict=True):
        for beat in range(end - count + 1, end + 1):
            active = present[beat] & ~stream.mask[beat]
            answer[beat] = {
                "o": x[beat].tolist(),
                "active": packed(active),
                "keep": packed(present[beat]),
                "clipped": packed(outside[beat] & active),
                "o_last": int(beat == end),
                "error": int(error) if beat == end else None,  # known with the last beat
            }
    return answer


def run(
    config: SoftmaxConfig, stream: Stream, *, gaps: float = 0.0, seed: int = 6
) -> list[dict | None]:
    """What each beat becomes exactly at its latency; nothing comes out in other cycles."""
    rng, noise = np.random.default_rng(seed), inputs(random_stream(config, 20, seed))
    stimulus, place = [], []
    for beat in inputs(stream):
        while rng.random() < gaps:  # what lies on the ports in a gap must not matter
            stimulus.append(noise[rng.integers(len(noise))] | {"i_valid": 0})
        place.append(len(stimulus))
        stimulus.append(beat)
    latency = Logits.latency
    stimulus += [noise[0] | {"i_valid": 0}] * latency
    seen = [
        dict(zip(OUTPUTS, row, strict=True))
        for row in trace(Logits(config=config), stimulus, OUTPUTS)
    ]
    came = {cycle for cycle, beat in enumerate(seen) if beat.pop("o_valid")}
    assert came <= {cycle + latency for cycle in place}
    without = [beat for cycle, beat in enumerate(seen) if cycle not in came]
    assert not any(beat["o_last"] or beat["active"] for beat in without)
    answer = [seen[cycle + latency] if cycle + latency in came else None for cycle in place]
    for beat in answer:
        if beat and not beat["o_last"]:
            beat["error"] = None
    return answer


@pytest.mark.parametrize("container", FORMATS, ids="container of {} bits".format)
@pytest.mark.parametrize("lanes", [1, 2, 3, 4, 8], ids="{} lanes".format)
def test_hostile_beats_are_cut_and_judged_as_golden_does(lanes, container):
    # of the beats of the longest row, the last one is full, or lacks an element, or holds one
    lengths = {1, lanes, 3 * lanes, max(3 * lanes - 1, 1), 2 * lanes + 1, 4 * lanes}
    for length in sorted(lengths):
        config = SMALL.replace(lanes=lanes, max_length=length, input=FORMATS[container])
        stream = random_stream(config, 40, seed=length)
        error = stream.frames(config).error
        assert 5 < error.sum() < 35, "the stimulus has both good and broken rows"
        gold = expected(config, stream)
        assert None in gold, "and beats to swallow"
        assert run(config, stream, gaps=[0.0, 0.4][length % 2]) == gold


@pytest.mark.parametrize("limit", [0.5, 10.0, 15.5], ids="range {}".format)
@pytest.mark.parametrize("mode", ["input", "difference"])
def test_every_code_is_clipped_as_golden_clips_it(limit, mode):
    config = SMALL.replace(input=SQ(5, 1), lanes=3, range=limit, clip=mode)
    rng = np.random.default_rng(4)
    codes = np.arange(config.input.min_code, config.input.max_code + 1)
    x = np.stack([rng.permutation(np.tile(codes, 4)) for _ in range(config.lanes)], axis=1)
    keep, mask = rng.integers(0, 2, (2, *x.shape)).astype(bool)
    last = np.ones(len(x), bool)
    stream = Stream(data=x, keep=keep[:, :, None], mask=mask, last=last, ident=last)
    gate, gold = run(config, stream), expected(config, stream)
    assert gate == gold
    assert [beat["active"] for beat in gate] == [packed(row) for row in keep & ~mask]


@pytest.mark.parametrize("lanes", [1, 2, 3, 8])
def test_good_rows_pass_as_they_are_in_every_cycle(lanes):
    config = SMALL.replace(lanes=lanes, max_length=17)
    count, rng = 200, np.random.default_rng(5)
    shape = count, lanes
    stream = Stream(
        data=rng.integers(config.input.min_code, config.input.max_code + 1, shape),
        keep=np.ones((*shape, 2), bool),
        mask=rng.integers(0, 2, shape).astype(bool),
        last=(rng.random(count) < 0.6) | (np.arange(count) % 2 == 1),  # at most two beats
        ident=np.zeros(count, np.int64),
    )
    gate = run(config, stream)
    assert [beat["o_last"] for beat in gate] == stream.last.astype(int).tolist()
    assert not any(beat["error"] for beat in gate)


# Each rule by hand: 1 a whole element, - none, < and > one byte of two; four lanes, ten elements

GOOD = (
    "1---", "1111", "111-", "----", "1111 1---", "1111 1111", "1111 ----", "1111 1111 1---",
    "1111 1111 11--", "1111 1111 ----",
)  # fmt: skip
BROKEN = {
    "a hole": ("-111", "1-11", "11-1", "---1", "1-1-", "1111 1-1-", "1111 1111 -1--", "1-11 1111"),
    "a broken container": ("11<1", "11>1", "<---", ">---", "1111 111<", "1>11 1111 1---", "---<"),
    "a partial beat before the last": ("111- 1---", "1--- ----", "1111 111- 1---"),
    "a null beat before the last": ("---- 1111", "1111 ---- 1---", "---- ---- ----"),
    "one element too many": ("1111 1111 111-",),
    "two elements too many": ("1111 1111 1111",),
    "too many beats": (
        "1111 1111 1111 1111", "1111 1111 1111 1---", "1111 1111 1111 ----", "1111 1111 11-- ----",
        "1111 1111 11-- 11--", "1111 " * 7, "1111 " * 60, "1111 1111 11-- " * 2, "---- " * 9,
    ),
}  # fmt: skip


def drawn(row: str) -> list[tuple[str, bool]]:
    """(lanes, last) of the beats of a row."""
    beats = row.split()
    return [(beat, place == len(beats) - 1) for place, beat in enumerate(beats)]


def drawn_stream(rows: list[str], *, masked: float = 0.3) -> Stream:
    beats = [beat for row in rows for beat in drawn(row)]
    rng, shape = np.random.default_rng(8), (len(beats), SMALL.lanes)
    return Stream(
        data=rng.integers(SMALL.input.min_code, SMALL.input.max_code + 1, shape),
        keep=np.array([[[lane in "1<", lane in "1>"] for lane in beat] for beat, _ in beats]),
        mask=rng.random(shape) < masked,
        last=np.array([last for _, last in beats]),
        ident=np.zeros(len(beats), np.int64),
    )


def verdicts(gate: list[dict | None]) -> list[tuple[int, int]]:
    """(beats, error) of the rows that leave."""
    rows, count = [], 0
    for beat in filter(None, gate):
        count += 1
        if beat["o_last"]:
            rows.append((count, beat["error"]))
            count = 0
    assert not count, "the last row ends"
    return rows


@pytest.mark.parametrize("masked", [0.0, 0.3, 1.0], ids="masked {}".format)
@pytest.mark.parametrize("gaps", [0.0, 0.5], ids="gaps {}".format)
@pytest.mark.parametrize("rows", BROKEN.values(), ids=BROKEN)
def test_a_broken_row_is_in_error_and_no_row_beside_it(rows, gaps, masked):
    sent, gold = [], []
    for row in rows:
        for good in GOOD:
            sent += [good, row]
            gold += [(len(good.split()), 0), (min(len(row.split()), 3), 1)]
        sent += [row]  # broken rows one after another
        gold += [gold[-1]]
    sent += GOOD
    gold += [(len(good.split()), 0) for good in GOOD]
    assert verdicts(run(SMALL, drawn_stream(sent, masked=masked), gaps=gaps)) == gold


@pytest.mark.parametrize("length", [1, 4, 7, 8])
def test_a_row_without_an_end_leaves_cut_once(length):
    config = SMALL.replace(max_length=length)
    stream = drawn_stream(["1111 " * 300])
    stream.last[:] = False
    most = -(-length // 4)
    gate = run(config, stream)
    assert verdicts(gate[:most]) == [(most, 1)]
    assert gate[most:] == [None] * (300 - most)
    assert gate == expected(config, stream)


@pytest.mark.parametrize("row", ["-111 " * 2, "1111 " * 2, "1111 " * 3, "1111 " * 9, "1<11"])
@pytest.mark.parametrize("cycles", range(Logits.latency + 1), ids="{} cycles later".format)
def test_after_a_reset_in_the_middle_of_a_row_the_next_row_is_as_it_was_sent(row, cycles):
    before, after = drawn_stream([row]), drawn_stream([*GOOD, "1-11", *GOOD])
    before.last[:] = False
    dut, reset, seen = Logits(config=SMALL), Signal(), []

    async def apply(ctx, beat):
        for name, value in beat.items():
            ctx.set(getattr(dut, name), value)
        await ctx.tick()

    async def testbench(ctx):
        for beat in inputs(before):
            await apply(ctx, beat)
        for _ in range(cycles):
            await apply(ctx, {"i_valid": 0})
        ctx.set(reset, 1)
        await apply(ctx, inputs(before)[0])  # a beat that comes in reset is none
        ctx.set(reset, 0)
        for beat in [*inputs(after), *[{"i_valid": 0}] * (Logits.latency + 1)]:
            seen.append({name: plain(ctx.get(getattr(dut, name))) for name in OUTPUTS})
            await apply(ctx, beat)

    simulate(ResetInserter(reset)(dut), testbench)
    for beat in seen[: Logits.latency]:
        assert not beat["o_valid"]
    for beat in seen:
        assert beat["o_valid"] or not (beat["o_last"] or beat["active"])
    good = [(len(row.split()), 0) for row in GOOD]
    assert verdicts([beat if beat["o_valid"] else None for beat in seen]) == [*good, (1, 1), *good]
