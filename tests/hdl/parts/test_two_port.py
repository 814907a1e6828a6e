"""A memory of two ports reads what was written last."""

import random

import pytest

from softmaxfx.hdl.parts.two_port import TwoPort

from ..streams import trace


@pytest.mark.parametrize(("width", "depth"), [(1, 2), (8, 5), (40, 16), (3, 80), (70, 192)])
@pytest.mark.parametrize("writes", [0.3, 1.0])
def test_a_word_is_read_as_it_was_written_last(width, depth, writes):
    rng = random.Random(58)
    words, stimulus, due = {}, [], {}
    for cycle in range(4 * depth + 400):
        write = rng.random() < writes
        address, word, read = rng.randrange(depth), rng.getrandbits(width), rng.randrange(depth)
        stimulus.append({"w_en": int(write), "w_addr": address, "i": word, "r_addr": read})
        # a word read while it is written is undefined, as is one that was never written
        if read in words and not (write and read == address):
            due[cycle + TwoPort.latency] = words[read]
        if write:
            words[address] = word
    assert len(due) > 100
    stimulus += [{"w_en": 0}] * TwoPort.latency
    seen = trace(TwoPort(width=width, depth=depth), stimulus, ["o"])
    assert {cycle: seen[cycle][0] for cycle in due} == due


def test_every_word_in_order_a_cycle_behind_the_writes():
    depth, rng = 37, random.Random(59)
    words = [rng.getrandbits(20) for _ in range(3 * depth)]
    stimulus = [
        {"w_en": 1, "w_addr": n % depth, "i": word, "r_addr": (n - 1) % depth}
        for n, word in enumerate(words)
    ]
    seen = trace(TwoPort(width=20, depth=depth), stimulus + [{"w_en": 0}] * 2, ["o"])
    assert [o for (o,) in seen[1 + TwoPort.latency :]] == words[:-1]
