// Two bits of a carry chain, for units that instantiate it. Netlists are simulated with yosys' own
// model of it instead.

module CCU2C (
    input CIN, A0, B0, C0, D0, A1, B1, C1, D1,
    output S0, S1, COUT
  );
  parameter [15:0] INIT0 = 16'h0000, INIT1 = 16'h0000;
  parameter INJECT1_0 = "YES", INJECT1_1 = "YES";

  // A LUT's output. An unknown input counts only where the output depends on it.
  function lut(input [15:0] init, input [3:0] i);
    reg [7:0] of_d;
    reg [3:0] of_c;
    reg [1:0] of_b;
    begin
      of_d = i[3] ? init[15:8] : init[7:0];
      of_c = i[2] ? of_d[7:4] : of_d[3:0];
      of_b = i[1] ? of_c[3:2] : of_c[1:0];
      lut = i[0] ? of_b[1] : of_b[0];
    end
  endfunction

  // a bit's LUT says whether a carry goes through; where it does not, its lowest quarter, a
  // function of A and B, says whether one comes out
  wire through0 = lut(INIT0, {D0, C0, B0, A0}), through1 = lut(INIT1, {D1, C1, B1, A1});
  wire first0 = lut(INIT0, {2'b00, B0, A0}), first1 = lut(INIT1, {2'b00, B1, A1});
  wire joined0 = INJECT1_0 == "YES", joined1 = INJECT1_1 == "YES";
  wire carry = through0 ? CIN : first0 & ~joined0;
  assign S0 = through0 ^ (CIN & ~joined0);
  assign S1 = through1 ^ (carry & ~joined1);
  assign COUT = through1 ? carry : first1 & ~joined1;
endmodule
