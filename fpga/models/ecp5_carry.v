// Two bits of a carry chain, for units that instantiate it. Netlists are simulated with yosys' own
// model of it instead.

module CCU2C (
    input CIN, A0, B0, C0, D0, A1, B1, C1, D1,
    output S0, S1, COUT
  );
  parameter [15:0] INIT0 = 16'h0000, INIT1 = 16'h0000;
  parameter INJECT1_0 = "YES", INJECT1_1 = "YES";

  // a bit's LUT says whether a carry goes through; where it does not, its lowest quarter, a
  // function of A and B, says whether one comes out
  wire through0 = INIT0[{D0, C0, B0, A0}], through1 = INIT1[{D1, C1, B1, A1}];
  wire first0 = INIT0[{2'b00, B0, A0}], first1 = INIT1[{2'b00, B1, A1}];
  wire joined0 = INJECT1_0 == "YES", joined1 = INJECT1_1 == "YES";
  wire carry = through0 ? CIN : first0 & ~joined0;
  assign S0 = through0 ^ (CIN & ~joined0);
  assign S1 = through1 ^ (carry & ~joined1);
  assign COUT = through1 ? carry : first1 & ~joined1;
endmodule
