// The DSP block of UltraScale+, which yosys knows as a black box only.
module DSP48E2 (
    input CLK,
    input CEA1, CEA2, CEAD, CEALUMODE, CEB1, CEB2, CEC, CECARRYIN, CECTRL, CED, CEINMODE, CEM, CEP,
    input RSTA, RSTALLCARRYIN, RSTALUMODE, RSTB, RSTC, RSTCTRL, RSTD, RSTINMODE, RSTM, RSTP,
    input [29:0] A, ACIN, input [17:0] B, BCIN, input [47:0] C, PCIN, input [26:0] D,
    input [3:0] ALUMODE, input [2:0] CARRYINSEL, input [4:0] INMODE, input [8:0] OPMODE,
    input CARRYIN, CARRYCASCIN, MULTSIGNIN,
    output [47:0] P
  );
  parameter integer AREG = 1, BREG = 1, CREG = 1, DREG = 1, MREG = 1, PREG = 1;
  parameter integer ACASCREG = 1, BCASCREG = 1, ADREG = 1, ALUMODEREG = 1, INMODEREG = 1;
  parameter integer CARRYINREG = 1, CARRYINSELREG = 1, OPMODEREG = 1;
  parameter A_INPUT = "DIRECT", B_INPUT = "DIRECT", USE_MULT = "MULTIPLY", USE_SIMD = "ONE48";
  parameter AMULTSEL = "A", BMULTSEL = "B";

  // the upper bits choose what else is added: 0 is nothing
  wire [47:0] p;
  assign P = OPMODE[8:7] == 2'b00 ? p : 48'dx;
  xilinx_dsp #(
    .A_BITS(27), .AREG(AREG), .BREG(BREG), .CREG(CREG), .MREG(MREG), .PREG(PREG),
    .OPMODEREG(OPMODEREG)
  ) block (
    .clk(CLK), .cea(CEA2), .ceb(CEB2), .cec(CEC), .cem(CEM), .cep(CEP), .cectrl(CECTRL),
    .rsta(RSTA), .rstb(RSTB), .rstc(RSTC), .rstm(RSTM), .rstp(RSTP), .rstctrl(RSTCTRL),
    .a(A), .b(B), .c(C), .opmode(OPMODE[6:0]), .p(p)
  );
endmodule
