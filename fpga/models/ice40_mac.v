// A multiplier with all its registers, for units that instantiate it. Netlists are simulated with
// yosys' own model of it instead.

// Behaviour as in Lattice's FPGA-TN-02007: operands, partial products and their sum have a register
// each. What is not modelled is not declared, so that it cannot be used without an error.
module SB_MAC16 (
    input CLK, CE,
    input [15:0] A, B, C, D,
    input AHOLD, BHOLD, CHOLD, DHOLD, IRSTTOP, IRSTBOT, ORSTTOP, ORSTBOT, OLOADTOP, OLOADBOT,
    input ADDSUBTOP, ADDSUBBOT, OHOLDTOP, OHOLDBOT, CI, ACCUMCI, SIGNEXTIN,
    output [31:0] O
  );
  parameter [0:0] A_REG = 0, B_REG = 0, TOP_8x8_MULT_REG = 0, BOT_8x8_MULT_REG = 0;
  parameter [0:0] PIPELINE_16x16_MULT_REG1 = 0, PIPELINE_16x16_MULT_REG2 = 0, B_SIGNED = 0;
  parameter [1:0] TOPOUTPUT_SELECT = 0, BOTOUTPUT_SELECT = 0;

  // every register in use, and the product of 16 bits by 16 at the output: else unknown
  wire modelled = &{A_REG, B_REG, TOP_8x8_MULT_REG, BOT_8x8_MULT_REG, PIPELINE_16x16_MULT_REG1,
                    PIPELINE_16x16_MULT_REG2, TOPOUTPUT_SELECT, BOTOUTPUT_SELECT};
  wire idle = |{AHOLD, BHOLD, IRSTTOP, IRSTBOT};

  reg [15:0] a, b;
  reg [31:0] partial, product;
  always @(posedge CLK) if (CE) begin
    a <= A;
    b <= B;
    partial <= {16'd0, a} * {{16{b[15] & B_SIGNED}}, b};
    product <= partial;
  end
  assign O = modelled && !idle ? product : 32'bx;
endmodule
