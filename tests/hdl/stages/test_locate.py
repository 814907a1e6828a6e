"""Words are found where golden's clusters have them, at any pace."""

import numpy as np
import pytest

from softmaxfx.golden import preset
from softmaxfx.hdl.stages.locate import Locate

from ..streams import Pace, plain, simulate, stream_get, stream_put

SETS = {
    "one tail": (5, (4,)),
    "two tails": (3070, (1022, 2046)),
    "powers of two": (1 << 12, (1 << 5, 1 << 8, 1 << 10)),
    "seven tails": (1000, (1, 2, 3, 10, 11, 500, 999)),
    "the largest vocabulary": ((1 << 31) - 1, (1000, 1 << 30)),
}


@pytest.mark.parametrize("pace", [Pace(), Pace(0.5, 0.5)], ids=str)
@pytest.mark.parametrize(("vocabulary", "cutoffs"), SETS.values(), ids=SETS)
def test_every_edge_is_where_golden_has_it(vocabulary, cutoffs, pace):
    config = preset("tiny", vocabulary=vocabulary, cutoffs=cutoffs)
    edges = np.array([0, *cutoffs, vocabulary])
    powers = 1 << np.arange(32)
    words = np.concatenate([edges, edges + 1, edges[1:] - 1, powers, (1 << 32) - powers])
    dut, came = Locate(config=config), []

    async def source(ctx):
        inputs = [{"word": word} for word in words.tolist()]
        await stream_put(ctx, dut.i, inputs, pauses=pace.pauses)

    async def sink(ctx):
        came.extend(await stream_get(ctx, dut.o, len(words), pressure=pace.pressure))

    simulate(dut, source, sink)
    bits = (max(config.clusters.lengths) - 1).bit_length()
    wanted = zip(*(place.tolist() for place in config.clusters.locate(words)), strict=True)
    for word, beat, (cluster, head, tail) in zip(words.tolist(), came, wanted, strict=True):
        fields = {name: plain(beat[name]) for name in beat.shape().members}
        assert fields["outside"] == (cluster < 0), word
        if cluster >= 0:
            assert (fields["cluster"], fields["in_head"]) == (cluster, cluster == 0), word
            assert fields["head"] == head % (1 << bits), word
            assert cluster == 0 or fields["tail"] == tail, word


def test_a_word_that_is_predicted_is_not_outside():
    config = preset("tiny", vocabulary=9, cutoffs=(4,), prediction="greedy")
    dut, came = Locate(config=config), []

    async def source(ctx):
        await stream_put(ctx, dut.i, [{"word": 1 << 31, "predict": p} for p in (0, 1)])

    async def sink(ctx):
        came.extend(await stream_get(ctx, dut.o, 2))

    simulate(dut, source, sink)
    assert [plain(beat["outside"]) for beat in came] == [1, 0]
    assert [plain(beat["predict"]) for beat in came] == [0, 1]
