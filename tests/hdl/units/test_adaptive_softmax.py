"""The whole adaptive softmax: golden's requests, gradients and losses, at any pace."""

import pytest

from softmaxfx.golden import SQ, UQ, preset
from softmaxfx.hdl.units.adaptive_softmax import AdaptiveSoftmax

from ...conftest import left_long
from ..rows import as_beat
from ..streams import PACES, Pace, plain, simulate, stream_get, stream_put
from ..tokens import Traffic, random_traffic

SMALL = preset("int8", lanes=4, max_length=13, vocabulary=35, cutoffs=(6, 14, 22))
DATAPATHS = {"max_subtract": SMALL, "exact_sum": SMALL.replace(datapath="exact_sum")}
every_datapath = pytest.mark.parametrize("small", DATAPATHS.values(), ids=DATAPATHS)
STEADY = Pace()
AFTERWARDS = 80


def run(traffic: Traffic, pace: Pace = STEADY, *, request_pressure: float = 0.0, answer: int = 0):
    """(requests, gradients, losses) that come out; more than there should be is a failure.

    Args:
        answer: cycles from a request to the first in which its row can come; 0: rows do not wait.
    """
    config = traffic.config
    dut, out, cycle = AdaptiveSoftmax(config=config), {}, {"now": 0}
    wanted = dict(zip(("request", "o", "loss"), traffic.answer(), strict=True))
    asked: list[int] = []

    async def words(ctx):
        await stream_put(ctx, dut.word, traffic.inputs(), pauses=0.5 * pace.pauses)

    async def rows(ctx):
        for number, row in enumerate(traffic.rows):
            while answer and not (len(asked) > number and cycle["now"] >= asked[number] + answer):
                await ctx.tick()
            await stream_put(ctx, dut.i, row.beats(config), pauses=pace.pauses)

    async def clock(ctx):
        while len(out) < len(wanted):
            _, _, valid, ready = await ctx.tick().sample(dut.request.valid, dut.request.ready)
            cycle["now"] += 1
            if valid and ready:
                asked.append(cycle["now"])

    def sink(name, pressure):
        async def testbench(ctx):
            port = getattr(dut, name)
            taken = await stream_get(ctx, port, len(wanted[name]), pressure=pressure)
            for _ in range(AFTERWARDS):
                await ctx.tick()
                assert not ctx.get(port.valid), "a beat came out after the last one"
            out[name] = taken

        return testbench

    simulate(
        dut, words, rows, clock, sink("request", request_pressure), sink("o", pace.pressure),
        sink("loss", 0.7 * pace.pressure),
    )  # fmt: skip
    return _requests(out["request"]), _gradients(out["o"], config), _losses(out["loss"])


def _requests(payloads):
    return [_fields(p, p.shape().members) for p in payloads]


def _fields(view, names):
    return {name: plain(view[name]) for name in names}


def _gradients(payloads, config):
    beats = [as_beat(p) | {"cluster": plain(p["cluster"])} for p in payloads]
    return [
        beat | {"p": [code * (beat["keep"] >> lane & 1) for lane, code in enumerate(beat["p"])]}
        for beat in beats
    ]


def _losses(payloads):
    return [
        _fields(p, (name for name in p.shape().members if name != "row"))
        | _fields(p["row"], p["row"].shape().members)
        for p in payloads
    ]


def check(traffic: Traffic, pace: Pace = STEADY, **habits) -> None:
    wanted, came = traffic.answer(), run(traffic, pace, **habits)
    assert came[0] == wanted[0]
    assert came[2] == wanted[2]
    assert came[1] == wanted[1]


@pytest.mark.parametrize(
    ("pace", "small"), [*zip(PACES, [*DATAPATHS.values()] * 3, strict=False)], ids=str
)
def test_words_of_every_cluster_give_goldens_bits(small, pace):
    check(random_traffic(small, 40), pace, request_pressure=pace.pressure)


@pytest.mark.parametrize(
    ("pace", "small"), [*zip(PACES[1:3], DATAPATHS.values(), strict=True)], ids=str
)
def test_words_are_predicted_between_words_that_are_told(small, pace):
    config = small.replace(prediction="greedy", cutoffs=(2, 10, 22))
    traffic = random_traffic(config, 50, predicted=0.5)
    check(traffic, pace)
    asked = traffic.requests()
    assert {0, 1, 2, 3} == set(asked.cluster[asked.predict])


BROKEN = (
    "short", "long", "a beat short", "a beat long", "endless", "empty", "null beat", "hole"
)  # fmt: skip


@every_datapath
def test_a_row_of_another_length_is_an_error_row_and_the_next_token_is_right(small):
    config = small.replace(prediction="greedy", cutoffs=(2, 10, 22), id_width=3)
    traffic = Traffic(config)
    for number, broken in enumerate(BROKEN * 2):
        traffic.tell([0, 25, 5, 12][number % 4], broken=broken)
        traffic.tell(int(traffic.rng.integers(35)))
        traffic.ask(broken=broken)
        traffic.ask()
    _, _, losses = traffic.answer()
    errors = [loss["error"] for loss in losses]
    assert sum(errors[::4]) == len(errors[::4])
    assert sum(errors[2::4]) == len(errors[2::4])
    check(traffic, Pace(0.2, 0.3))


CHANGES = {
    "full": {
        "input": SQ(8, 3), "clip": "difference", "loss": UQ(9, 9), "datapath": "exact_sum",
        "prediction": "greedy",
    },
    "row exponent, three lanes": {"output_exponent": "row", "lanes": 3, "id_width": 2},
    "one lane": {"lanes": 1, "prediction": "greedy", "cutoffs": (2, 10, 22)},
    "eight clusters, eight lanes": {"lanes": 8, "cutoffs": (1, 3, 5, 6, 9, 20, 22)},
    "one tail": {"vocabulary": 12, "cutoffs": (3,)},
}  # fmt: skip


@pytest.mark.parametrize("name", left_long(CHANGES, "full", "eight clusters, eight lanes"))
def test_configurations_give_goldens_bits(name):
    config = SMALL.replace(**CHANGES[name])
    predicted = 0.4 if config.predicts else 0
    check(random_traffic(config, 30, predicted=predicted), Pace(0.1, 0.2), answer=30)
