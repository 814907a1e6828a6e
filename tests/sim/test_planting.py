"""Faults go where they are told to, and nowhere else."""

import pytest

from .planting import Planting

UNIT = """\
module unit(aclk, i, o, \\p$1 );
  input aclk;
  wire aclk;
  input [3:0] i;
  wire [3:0] i;
  output [3:0] o;
  wire [3:0] o;
  output \\p$1 ;
  wire \\p$1 ;
  wire \\o$2 ;
  (* init = 4'h0 *)
  reg [3:0] kept = 4'h0;
  reg [3:0] table_a [1:0];
  initial begin
    table_a[0] = 4'h5;
    table_a[1] = 4'ha;
  end
  always @(posedge aclk)
    kept <= i + kept;
  assign o[3:2] = table_a[kept[0]];
  assign o[1:0] = { \\o$2 , kept[1] };
  unit__inner  inner (
    .i(kept[0]),
    .o(\\o$2 )
  );
  assign \\p$1  = \\o$2 ;
endmodule

module unit__inner(i, o);
  input i;
  wire i;
  output o;
  reg o;
  CELL #(
    .INIT(16'h00ff)
  ) lut (.A(i));
  always @* begin
    casez (i)
      1'h0:
        o = 1'h1;
      default:
        o = 1'h0;
    endcase
  end
endmodule
"""


def changed(fault):
    """The lines that a fault takes out of the unit, and those that it brings."""
    verilog = Planting(UNIT, "unit")
    fault(verilog)
    old, new = ([line.strip() for line in text.split("\n")] for text in (UNIT, verilog.text()))
    return [line for line in old if line not in new], [line for line in new if line not in old]


def test_readers_of_a_register_see_what_was_planted():
    gone, come = changed(lambda verilog: verilog.see("", "kept", "{} & 4'h7"))
    assert gone == ["reg [3:0] kept = 4'h0;", "kept <= i + kept;"]
    assert come == [
        "reg [3:0] planted0  = 4'h0;",
        "wire  [3:0] \\kept ;",
        "planted0  <= i + kept;",
        "assign \\kept  = planted0  & 4'h7;",
    ]


def test_readers_of_an_input_see_what_was_planted():
    gone, come = changed(lambda verilog: verilog.see("", "i", "~{}"))
    assert gone == ["kept <= i + kept;"]
    assert come == [
        "wire  [3:0] planted0 ;",
        "kept <= planted0  + kept;",
        "assign planted0  = ~\\i ;",
    ]


def test_an_output_gives_what_was_planted_though_its_bits_have_drivers_of_their_own():
    gone, come = changed(lambda verilog: verilog.see("", "o", "{ {}[1:0], {}[3:2] }"))
    assert gone == [
        "wire [3:0] o;",
        "assign o[3:2] = table_a[kept[0]];",
        "assign o[1:0] = { \\o$2 , kept[1] };",
    ]
    assert "assign \\o  = { planted0 [1:0], planted0 [3:2] };" in come
    assert "assign planted0 [3:2] = table_a[kept[0]];" in come


def test_an_output_of_an_instance_is_found_by_its_name():
    gone, come = changed(lambda verilog: verilog.see("", "inner.o", "1'b1"))
    assert gone == ["wire \\o$2 ;", ".o(\\o$2 )"]
    assert come == [
        "wire planted0  ;",
        "wire  \\o$2 ;",
        ".o(planted0  )",
        "assign \\o$2  = 1'b1;",
    ]


def test_what_is_inserted_comes_before_what_is_planted_after_it():
    def fault(verilog):
        verilog.insert("inner", "  reg more;\n")
        verilog.see("inner", "o", "{} ^ more")

    text = Planting(UNIT, "unit")
    fault(text)
    tail = text.text().split("endmodule")[1].strip().split("\n")[-2:]
    assert [line.strip() for line in tail] == ["reg more;", "assign \\o  = planted1  ^ more;"]


def test_entries_of_tables_are_changed_and_dropped():
    words = Planting(UNIT, "unit").words()
    assert [(word.width, word.value) for word in words] == [(4, 5), (4, 10), (1, 1), (1, 0)]

    def fault(verilog):
        verilog.change(verilog.word("", "table_a", 0), 4)
        verilog.drop(verilog.word("", "table_a", 1))
        (lut,) = verilog.parameters("CELL", "INIT")
        verilog.change(lut, 1)

    gone, come = changed(fault)
    assert gone == ["table_a[0] = 4'h5;", "table_a[1] = 4'ha;", ".INIT(16'h00ff)"]
    assert [line for line in come if line] == ["table_a[0] = 4'h4;", ".INIT(16'h0001)"]


def test_registers_forget_their_start_and_tables_do_not():
    gone, come = changed(Planting.forget_the_start)
    assert gone == ["reg [3:0] kept = 4'h0;"]
    assert come == ["reg [3:0] kept ;"]


@pytest.mark.parametrize("place", [("", "lost"), ("inner", "kept"), ("", "inner.q")])
def test_a_name_that_is_not_there_is_no_fault(place):
    with pytest.raises(ValueError, match="unpack"):
        Planting(UNIT, "unit").see(*place, "1'b0")


def test_nothing_planted_is_no_fault():
    with pytest.raises(AssertionError, match="nothing was planted"):
        Planting(UNIT, "unit").text()
