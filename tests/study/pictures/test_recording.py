"""Recordings: what a rising edge sees in each cycle, at the ports and inside."""

import pytest
from amaranth.hdl import ClockDomain, ClockSignal, Module, ResetSignal
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from softmaxfx.golden import SQ, UQ, ConfigError
from softmaxfx.study.pictures.recording import record
from softmaxfx.study.pictures.traffic import Reader, Source, beats_of

CYCLES = 8


class Counter(wiring.Component):
    """Counts the cycles in which ``step`` is 1."""

    step: In(1)
    count: Out(8)

    def elaborate(self, platform: object) -> Module:
        m = Module()
        m.d.sync += self.count.eq(self.count + self.step)
        return m


class EverySecond(wiring.Component):
    """Takes a beat in even cycles only, and offers it in the cycle after."""

    aclk: In(1)
    aresetn: In(1)
    s_axis_tdata: In(8)
    s_axis_tkeep: In(1)
    s_axis_tlast: In(1)
    s_axis_tvalid: In(1)
    s_axis_tready: Out(1, init=1)
    m_axis_tdata: Out(8)
    m_axis_tvalid: Out(1)
    m_axis_tready: In(1)

    def elaborate(self, platform: object) -> Module:
        m = Module()
        m.domains.sync = ClockDomain(local=True)
        m.submodules.taken = taken = Counter()
        m.d.comb += [
            ClockSignal().eq(self.aclk),
            ResetSignal().eq(~self.aresetn),
            taken.step.eq(self.s_axis_tvalid & self.s_axis_tready),
        ]
        m.d.sync += [
            self.s_axis_tready.eq(~self.s_axis_tready),
            self.m_axis_tvalid.eq(taken.step),
            self.m_axis_tdata.eq(self.s_axis_tdata),
        ]
        return m


def recorded(*inside: str):
    """Two rows of one beat, offered from cycle 1 on; the reader waits in cycle 3."""
    rows = [beats_of(code, SQ(8, 0), 1) for code in ([7], [-1])]
    drivers = [Source("s_axis", *((1, row) for row in rows)), Reader("m_axis", {3})]
    return record(EverySecond(), drivers, CYCLES, inside=inside)


@pytest.mark.parametrize(
    ("signal", "values"),
    [
        ("aresetn", [1, 1, 1, 1, 1, 1, 1, 1]),
        ("s_axis_tready", [1, 0, 1, 0, 1, 0, 1, 0]),
        ("s_axis_tvalid", [0, 1, 1, 1, 1, 0, 0, 0]),
        ("m_axis_tvalid", [0, 0, 0, 1, 0, 1, 0, 0]),
        ("m_axis_tready", [1, 1, 1, 0, 1, 1, 1, 1]),
        ("taken.count", [0, 0, 0, 1, 1, 2, 2, 2]),
    ],
)
def test_a_value_is_what_the_edge_at_the_end_of_the_cycle_sees(signal, values):
    assert recorded("taken.count").values[signal] == values


def test_a_beat_is_offered_until_it_is_taken_and_then_the_next_one():
    assert recorded().values["s_axis_tdata"][1:5] == [7, 7, 255, 255]


def test_what_a_port_offers_is_told_by_row_and_beat():
    offered = list(recorded().offered("s_axis"))
    assert offered == [None, (0, 0), (0, 0), (1, 0), (1, 0), None, None, None]


def test_a_beat_is_taken_in_the_cycle_in_which_both_sides_are_ready():
    assert recorded().taken("s_axis") == {(0, 0): 2, (1, 0): 4}


def test_a_port_without_tlast_has_a_row_a_beat():
    # the component withdraws its first offer, which nobody took: it is still row 0 that comes next
    assert recorded().taken("m_axis") == {(0, 0): 5}


def test_a_signal_that_is_not_there_is_refused():
    with pytest.raises(ConfigError, match=r"signals must be in the simulation.*'taken\.x'"):
        recorded("taken.x")


def test_a_row_is_packed_into_containers_and_its_last_beat_says_what_is_there():
    assert beats_of([1, -1, 2], SQ(5, 3), 2) == [
        {"tdata": 0xFF01, "tkeep": 0b11, "tlast": 0},
        {"tdata": 0x0002, "tkeep": 0b01, "tlast": 1},
    ]
    assert beats_of([1, 2], UQ(0, 9), 2) == [{"tdata": 0x0002_0001, "tkeep": 0b1111, "tlast": 1}]
