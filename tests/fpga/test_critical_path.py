import pytest

from softmaxfx.fpga.critical_path import critical_path, signal_name


@pytest.mark.parametrize(
    ("name", "signal"),
    [
        ("dut.core.exp0.o[18]", "core.exp0.o"),
        ("dut.core.exp0.product0_1_TRELLIS_FF_Q_15", "core.exp0.product0_1"),
        ("dut.core.valid_LUT4_Z_D_PFUMX_Z_C0[2]", "core.valid"),
        ("dut.core.accumulate.o_SB_DFFSR_Q_1_DFFLC", "core.accumulate.o"),
        ("dut.core.exponentials.ring.0.0_DOB2", "core.exponentials.ring"),
        ("dut.core.exp0.high.contents.0.0_DOA8[3]", "core.exp0.high.contents"),
        ("dut.core.exp0.$1[34]", "core.exp0"),
        ("dut.core.row_scalar.$1_MULT18X18D_P9", "core.row_scalar"),
        ("dut.core.lengths.leading$4[1]", "core.lengths.leading"),
        ("dut.$abc$4711$n12", ""),
        ("drive[3]", "drive"),
        ("signature_TRELLIS_FF_Q_4", "signature"),
    ],
)
def test_names_are_those_of_the_source(name, signal):
    assert signal_name(name) == signal


def test_the_slowest_path_between_registers_is_taken():
    def step(kind, delay, net="", cell=""):
        return {"type": kind, "delay": delay, "net": net, "to": {"cell": cell}}

    def path(start, *steps):
        return {"from": start, "to": "posedge clk", "path": list(steps)}

    report = {
        "critical_paths": [
            path("<async>", step("source", 0), step("routing", 99, "pin"), step("setup", 0)),
            path("posedge clk", step("clk-to-q", 0.5), step("routing", 1, "dut.x"),
                 step("setup", 0, cell="dut.y_LUT4_Z")),
            path(
                "posedge clk",
                step("clk-to-q", 0.5),
                step("routing", 1.5, "dut.a.x[3]"),
                step("logic", 0.25),
                step("routing", 0.5, "dut.a.y_LUT4_Z_D"),
                step("logic", 0.25),
                step("routing", 0.5, "dut.a.y[1]"),
                step("setup", 0, cell="dut.a.y_TRELLIS_FF_Q_3"),
            ),
        ]
    }  # fmt: skip
    found = critical_path(report)
    assert found.signals == ("a.x", "a.y")
    assert (found.logic_ns, found.routing_ns) == (1.0, 2.5)
    assert str(found) == "a.x > a.y (3.50 ns, 29 % of it logic)"
