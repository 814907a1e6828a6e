// The DSP block of 7-series, for units that instantiate it. Netlists are simulated with yosys'
// own model of it instead.
module DSP48E1 (
    input CLK,
    input CEA1, CEA2, CEAD, CEALUMODE, CEB1, CEB2, CEC, CECARRYIN, CECTRL, CED, CEINMODE, CEM, CEP,
    input RSTA, RSTALLCARRYIN, RSTALUMODE, RSTB, RSTC, RSTCTRL, RSTD, RSTINMODE, RSTM, RSTP,
    input [29:0] A, ACIN, input [17:0] B, BCIN, input [47:0] C, PCIN, input [24:0] D,
    input [3:0] ALUMODE, input [2:0] CARRYINSEL, input [4:0] INMODE, input [6:0] OPMODE,
    input CARRYIN, CARRYCASCIN, MULTSIGNIN,
    output [47:0] P
  );
  parameter integer AREG = 1, BREG = 1, CREG = 1, DREG = 1, MREG = 1, PREG = 1;
  parameter integer ACASCREG = 1, BCASCREG = 1, ADREG = 1, ALUMODEREG = 1, INMODEREG = 1;
  parameter integer CARRYINREG = 1, CARRYINSELREG = 1, OPMODEREG = 1;
  parameter A_INPUT = "DIRECT", B_INPUT = "DIRECT", USE_MULT = "MULTIPLY", USE_SIMD = "ONE48";
  parameter USE_DPORT = "FALSE";

  xilinx_dsp #(
    .A_BITS(25), .AREG(AREG), .BREG(BREG), .CREG(CREG), .MREG(MREG), .PREG(PREG),
    .OPMODEREG(OPMODEREG)
  ) block (
    .clk(CLK), .cea(CEA2), .ceb(CEB2), .cec(CEC), .cem(CEM), .cep(CEP), .cectrl(CECTRL),
    .rsta(RSTA), .rstb(RSTB), .rstc(RSTC), .rstm(RSTM), .rstp(RSTP), .rstctrl(RSTCTRL),
    .a(A), .b(B), .c(C), .opmode(OPMODE), .p(P)
  );
endmodule
