"""Where a word is: its cluster, and its places in the rows of the head and of a tail."""

from functools import reduce
from operator import or_, xor

from amaranth.hdl import Cat, Module, Mux, Signal, Value
from amaranth.lib import data, stream, wiring
from amaranth.lib.wiring import In, Out

from ...golden.config import SoftmaxConfig
from ..parts.choice import chosen
from ..parts.compare import above

WORD_BITS = 32
"""Bits of a word's id on a port."""
GROUP = 8
"""Bits of the id that are looked at in one cycle, those too high for a word."""


class Locate(wiring.Component):
    """Finds words in the clusters of a vocabulary; the twin of ``golden.clusters.locate``.

    A pipeline of :attr:`stages` registers that all wait where the last one does.

    Members:
        i: words, see :func:`word_layout`.
        o: where they are, see :func:`place_layout`.
    """

    stages = 3

    def __init__(self, *, config: SoftmaxConfig):
        self._config, self._golden = config, config.clusters
        super().__init__(
            {
                "i": In(stream.Signature(word_layout(config))),
                "o": Out(stream.Signature(place_layout(config))),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        golden, i, o = self._golden, self.i.payload, self.o.payload
        step, valid = Signal(), Signal(self.stages)
        m.d.comb += [
            step.eq(~self.o.valid | self.o.ready),
            self.i.ready.eq(step),
            self.o.valid.eq(valid[-1]),
        ]
        with m.If(step):
            m.d.sync += valid.eq(Cat(self.i.valid, valid[:-1]))

        def staged(value: Value, name: str, stages: int = 1) -> Value:
            """A value some stages later."""
            for number in range(stages):
                stage = Signal(len(value), name=f"{name}_{number + 1}", reset_less=True)
                with m.If(step):
                    m.d.sync += stage.eq(value)
                value = stage
            return value

        bits = golden.vocabulary.bit_length()
        word, far = i.word[:bits], i.word[bits:]
        # first what is reached, then how many cutoffs are, then the places
        groups = [far[low : low + GROUP] for low in range(0, len(far), GROUP)]
        beyond = [staged(group.any(), f"beyond{j}") for j, group in enumerate(groups)]
        beyond.append(staged(above(word, golden.vocabulary - 1), "past_all"))
        reached = [staged(above(word, first - 1), f"reached{first}") for first in golden.cutoffs]
        cluster = staged(_count(reached, golden.tails.bit_length()), "cluster")
        in_head, outside = staged(~reached[0], "in_head"), staged(reduce(or_, beyond), "outside")
        word = staged(word, "word", 2)
        first = chosen((0, *golden.cutoffs), cluster)
        entry = chosen((0, *range(golden.shortlist, golden.head_length)), cluster)
        if self._config.predicts:
            predict = staged(i.predict, "predict", 2)
            outside = outside & ~predict
            m.d.comb += [
                o.word.eq(staged(word, "placed_word")),
                o.predict.eq(staged(predict, "placed_predict")),
            ]
        m.d.comb += [
            o.outside.eq(staged(outside, "placed_outside")),
            o.cluster.eq(staged(cluster, "placed_cluster")),
            o.in_head.eq(staged(in_head, "placed_in_head")),
            o.head.eq(staged(Mux(in_head, word, entry)[: len(o.head)], "head")),
            o.tail.eq(staged((word - first)[: len(o.tail)], "tail")),
        ]
        return m


def word_layout(config: SoftmaxConfig) -> data.StructLayout:
    """A word's id, and whether it is to be predicted instead, where a unit does that."""
    return data.StructLayout({"word": WORD_BITS, **predict_field(config)})


def place_layout(config: SoftmaxConfig) -> data.StructLayout:
    """Where a word is: ``outside`` the vocabulary, ``in_head``, or in the tail ``cluster``;
    ``head``, ``tail``: its places in their rows. The word itself where a unit predicts some."""
    clusters = config.clusters
    places = {name: range(max(clusters.lengths)) for name in ("head", "tail")}
    word = {"word": clusters.vocabulary.bit_length()} if config.predicts else {}
    return data.StructLayout(
        {
            **word,
            **predict_field(config),
            "outside": 1,
            "cluster": range(clusters.tails + 1),
            "in_head": 1,
            **places,
        }
    )


def predict_field(config: SoftmaxConfig) -> dict[str, int]:
    """The field that says that a word is to be predicted; none where a unit predicts none."""
    return {"predict": 1} if config.predicts else {}


def _count(reached: list[Value], bits: int) -> Value:
    """How many of flags are set, of which each is set only where the one before is."""
    # bit b changes at every multiple of 2**b
    return Cat(reduce(xor, reached[(1 << bit) - 1 :: 1 << bit]) for bit in range(bits))
