// Simulation models of the ECP5 blocks that yosys knows as black boxes only.
//
// Ports and parameters as in yosys' techlibs/lattice/cells_bb_ecp5.v; behaviour as in Lattice's
// FPGA-TN-02204 (memory) and FPGA-TN-02205 (multiplier), addresses and contents as in yosys'
// brams_map_16kd.v and nextpnr. What is not modelled is not declared, so that it cannot be used
// without an error.

// A block RAM of 1024 words of 18 bits, or 512 of 36 with the data of both ports side by side.
//
// Where one port reads what the other writes in the same cycle, the device promises nothing; the
// model gives the complement of what is stored, so that a design which relies on it fails. Both
// ports are taken to run on one clock for that.
module DP16KD (
    input DIA0, DIA1, DIA2, DIA3, DIA4, DIA5, DIA6, DIA7, DIA8,
    DIA9, DIA10, DIA11, DIA12, DIA13, DIA14, DIA15, DIA16, DIA17,
    input ADA0, ADA1, ADA2, ADA3, ADA4, ADA5, ADA6,
    ADA7, ADA8, ADA9, ADA10, ADA11, ADA12, ADA13,
    input CEA, OCEA, CLKA, WEA, RSTA, CSA2, CSA1, CSA0,
    output DOA0, DOA1, DOA2, DOA3, DOA4, DOA5, DOA6, DOA7, DOA8,
    DOA9, DOA10, DOA11, DOA12, DOA13, DOA14, DOA15, DOA16, DOA17,
    input DIB0, DIB1, DIB2, DIB3, DIB4, DIB5, DIB6, DIB7, DIB8,
    DIB9, DIB10, DIB11, DIB12, DIB13, DIB14, DIB15, DIB16, DIB17,
    input ADB0, ADB1, ADB2, ADB3, ADB4, ADB5, ADB6,
    ADB7, ADB8, ADB9, ADB10, ADB11, ADB12, ADB13,
    input CEB, OCEB, CLKB, WEB, RSTB, CSB2, CSB1, CSB0,
    output DOB0, DOB1, DOB2, DOB3, DOB4, DOB5, DOB6, DOB7, DOB8,
    DOB9, DOB10, DOB11, DOB12, DOB13, DOB14, DOB15, DOB16, DOB17
  );
  parameter DATA_WIDTH_A = 18, DATA_WIDTH_B = 18;
  parameter REGMODE_A = "NOREG", REGMODE_B = "NOREG";
  parameter RESETMODE = "SYNC", ASYNC_RESET_RELEASE = "SYNC";
  parameter [39:0] CSDECODE_A = "0b000", CSDECODE_B = "0b000";
  parameter WRITEMODE_A = "NORMAL", WRITEMODE_B = "NORMAL";
  parameter CLKAMUX = "CLKA", CLKBMUX = "CLKB";
  parameter GSR = "ENABLED", INIT_DATA = "STATIC";
  parameter [319:0] INITVAL_00 = 0, INITVAL_01 = 0, INITVAL_02 = 0, INITVAL_03 = 0;
  parameter [319:0] INITVAL_04 = 0, INITVAL_05 = 0, INITVAL_06 = 0, INITVAL_07 = 0;
  parameter [319:0] INITVAL_08 = 0, INITVAL_09 = 0, INITVAL_0A = 0, INITVAL_0B = 0;
  parameter [319:0] INITVAL_0C = 0, INITVAL_0D = 0, INITVAL_0E = 0, INITVAL_0F = 0;
  parameter [319:0] INITVAL_10 = 0, INITVAL_11 = 0, INITVAL_12 = 0, INITVAL_13 = 0;
  parameter [319:0] INITVAL_14 = 0, INITVAL_15 = 0, INITVAL_16 = 0, INITVAL_17 = 0;
  parameter [319:0] INITVAL_18 = 0, INITVAL_19 = 0, INITVAL_1A = 0, INITVAL_1B = 0;
  parameter [319:0] INITVAL_1C = 0, INITVAL_1D = 0, INITVAL_1E = 0, INITVAL_1F = 0;
  parameter [319:0] INITVAL_20 = 0, INITVAL_21 = 0, INITVAL_22 = 0, INITVAL_23 = 0;
  parameter [319:0] INITVAL_24 = 0, INITVAL_25 = 0, INITVAL_26 = 0, INITVAL_27 = 0;
  parameter [319:0] INITVAL_28 = 0, INITVAL_29 = 0, INITVAL_2A = 0, INITVAL_2B = 0;
  parameter [319:0] INITVAL_2C = 0, INITVAL_2D = 0, INITVAL_2E = 0, INITVAL_2F = 0;
  parameter [319:0] INITVAL_30 = 0, INITVAL_31 = 0, INITVAL_32 = 0, INITVAL_33 = 0;
  parameter [319:0] INITVAL_34 = 0, INITVAL_35 = 0, INITVAL_36 = 0, INITVAL_37 = 0;
  parameter [319:0] INITVAL_38 = 0, INITVAL_39 = 0, INITVAL_3A = 0, INITVAL_3B = 0;
  parameter [319:0] INITVAL_3C = 0, INITVAL_3D = 0, INITVAL_3E = 0, INITVAL_3F = 0;

  // 16 words of 20 bits a parameter, the upper two bits of each unused
  localparam [20479:0] INIT = {
    INITVAL_3F, INITVAL_3E, INITVAL_3D, INITVAL_3C, INITVAL_3B, INITVAL_3A, INITVAL_39, INITVAL_38,
    INITVAL_37, INITVAL_36, INITVAL_35, INITVAL_34, INITVAL_33, INITVAL_32, INITVAL_31, INITVAL_30,
    INITVAL_2F, INITVAL_2E, INITVAL_2D, INITVAL_2C, INITVAL_2B, INITVAL_2A, INITVAL_29, INITVAL_28,
    INITVAL_27, INITVAL_26, INITVAL_25, INITVAL_24, INITVAL_23, INITVAL_22, INITVAL_21, INITVAL_20,
    INITVAL_1F, INITVAL_1E, INITVAL_1D, INITVAL_1C, INITVAL_1B, INITVAL_1A, INITVAL_19, INITVAL_18,
    INITVAL_17, INITVAL_16, INITVAL_15, INITVAL_14, INITVAL_13, INITVAL_12, INITVAL_11, INITVAL_10,
    INITVAL_0F, INITVAL_0E, INITVAL_0D, INITVAL_0C, INITVAL_0B, INITVAL_0A, INITVAL_09, INITVAL_08,
    INITVAL_07, INITVAL_06, INITVAL_05, INITVAL_04, INITVAL_03, INITVAL_02, INITVAL_01, INITVAL_00
  };

  reg [8:0] bytes [0:2047];
  integer n;
  initial for (n = 0; n < 2048; n = n + 1) bytes[n] = INIT[n / 2 * 20 + n % 2 * 9 +: 9];

  wire [13:0] address_a = {ADA13, ADA12, ADA11, ADA10, ADA9, ADA8, ADA7, ADA6, ADA5,
    ADA4, ADA3, ADA2, ADA1, ADA0};
  wire [13:0] address_b = {ADB13, ADB12, ADB11, ADB10, ADB9, ADB8, ADB7, ADB6, ADB5,
    ADB4, ADB3, ADB2, ADB1, ADB0};
  wire [17:0] data_a = {DIA17, DIA16, DIA15, DIA14, DIA13, DIA12, DIA11, DIA10, DIA9,
    DIA8, DIA7, DIA6, DIA5, DIA4, DIA3, DIA2, DIA1, DIA0};
  wire [17:0] data_b = {DIB17, DIB16, DIB15, DIB14, DIB13, DIB12, DIB11, DIB10, DIB9,
    DIB8, DIB7, DIB6, DIB5, DIB4, DIB3, DIB2, DIB1, DIB0};
  wire clock_a = CLKAMUX == "INV" ? ~CLKA : CLKA;
  wire clock_b = CLKBMUX == "INV" ? ~CLKB : CLKB;
  wire enable_a = CEA && {CSA2, CSA1, CSA0} == {CSDECODE_A[16], CSDECODE_A[8], CSDECODE_A[0]};
  wire enable_b = CEB && {CSB2, CSB1, CSB0} == {CSDECODE_B[16], CSDECODE_B[8], CSDECODE_B[0]};
  wire synchronous = RESETMODE == "SYNC";
  // 36 bits wide, the block is Lattice's PDPW16KD: it has byte enables but no write enable
  wire write_a = enable_a && (WEA || DATA_WIDTH_A == 36) && !(synchronous && RSTA);
  wire write_b = enable_b && WEB && !(synchronous && RSTB);

  // The bits of the array that an access touches, four bytes of the address being one block.
  function [35:0] mask(input integer width, input [13:0] address);
    case (width)
      36: mask = 36'hfffffffff;
      18: mask = 36'h3ffff << 18 * address[4];
      9: mask = 36'h1ff << 9 * address[4:3];
      4: mask = 36'hf << 9 * address[4:3] + 4 * address[2];
      2: mask = 36'h3 << 9 * address[4:3] + 2 * address[2:1];
      default: mask = 36'h1 << 9 * address[4:3] + address[2:0];
    endcase
  endfunction

  // Where the lowest of them lies.
  function [5:0] place(input integer width, input [13:0] address);
    case (width)
      36: place = 0;
      18: place = 18 * address[4];
      9: place = 9 * address[4:3];
      4: place = 9 * address[4:3] + 4 * address[2];
      2: place = 9 * address[4:3] + 2 * address[2:1];
      default: place = 9 * address[4:3] + address[2:0];
    endcase
  endfunction

  // The byte enables of wide writes lie on address bits that these do not need.
  function [35:0] written(input integer width, input [13:0] address);
    case (width)
      36: written = {{9{address[3]}}, {9{address[2]}}, {9{address[1]}}, {9{address[0]}}};
      18: written = {{9{address[1]}}, {9{address[0]}}} << place(width, address);
      default: written = mask(width, address);
    endcase
  endfunction

  wire [35:0] block_a = {bytes[{address_a[13:5], 2'd3}], bytes[{address_a[13:5], 2'd2}],
                         bytes[{address_a[13:5], 2'd1}], bytes[{address_a[13:5], 2'd0}]};
  wire [35:0] block_b = {bytes[{address_b[13:5], 2'd3}], bytes[{address_b[13:5], 2'd2}],
                         bytes[{address_b[13:5], 2'd1}], bytes[{address_b[13:5], 2'd0}]};
  wire [35:0] written_a = write_a ? written(DATA_WIDTH_A, address_a) : 0;
  wire [35:0] written_b = write_b ? written(DATA_WIDTH_B, address_b) : 0;
  wire [35:0] new_a = (DATA_WIDTH_A == 36 ? {data_b, data_a} : {18'd0, data_a})
                      << place(DATA_WIDTH_A, address_a);
  wire [35:0] new_b = {18'd0, data_b} << place(DATA_WIDTH_B, address_b);
  wire [35:0] merged_a = block_a & ~written_a | new_a & written_a;
  wire [35:0] merged_b = block_b & ~written_b | new_b & written_b;

  always @(posedge clock_a) begin
    if (|written_a[8:0]) bytes[{address_a[13:5], 2'd0}] <= merged_a[8:0];
    if (|written_a[17:9]) bytes[{address_a[13:5], 2'd1}] <= merged_a[17:9];
    if (|written_a[26:18]) bytes[{address_a[13:5], 2'd2}] <= merged_a[26:18];
    if (|written_a[35:27]) bytes[{address_a[13:5], 2'd3}] <= merged_a[35:27];
  end
  always @(posedge clock_b) begin
    if (|written_b[8:0]) bytes[{address_b[13:5], 2'd0}] <= merged_b[8:0];
    if (|written_b[17:9]) bytes[{address_b[13:5], 2'd1}] <= merged_b[17:9];
    if (|written_b[26:18]) bytes[{address_b[13:5], 2'd2}] <= merged_b[26:18];
    if (|written_b[35:27]) bytes[{address_b[13:5], 2'd3}] <= merged_b[35:27];
  end

  // What a port reads: its own write first, if it shows that; the other's as the complement.
  wire same = address_a[13:5] == address_b[13:5];
  wire [35:0] own_a = WRITEMODE_A == "WRITETHROUGH" ? merged_a : block_a;
  wire [35:0] own_b = WRITEMODE_B == "WRITETHROUGH" ? merged_b : block_b;
  wire [35:0] shown_a = own_a ^ (same ? written_b : 0);
  wire [35:0] shown_b = own_b ^ (same ? written_a : 0);
  wire [35:0] read_a = (shown_a & mask(DATA_WIDTH_A, address_a)) >> place(DATA_WIDTH_A, address_a);
  wire [35:0] read_b = (shown_b & mask(DATA_WIDTH_B, address_b)) >> place(DATA_WIDTH_B, address_b);
  wire load_a = enable_a && !(WEA && WRITEMODE_A == "NORMAL");
  wire load_b = enable_b && !(WEB && WRITEMODE_B == "NORMAL");

  reg [35:0] latch_a = 0, latch_b = 0, register_a = 0, register_b = 0;
  wire clear_a = !synchronous && RSTA, clear_b = !synchronous && RSTB;
  always @(posedge clock_a or posedge clear_a)
    if (clear_a || RSTA) {latch_a, register_a} <= 0;
    else begin
      if (load_a) latch_a <= read_a;
      if (OCEA) register_a <= latch_a;
    end
  always @(posedge clock_b or posedge clear_b)
    if (clear_b || RSTB) {latch_b, register_b} <= 0;
    else begin
      if (load_b) latch_b <= read_b;
      if (OCEB) register_b <= latch_b;
    end

  wire [35:0] out_a = REGMODE_A == "OUTREG" ? register_a : latch_a;
  wire [35:0] out_b = REGMODE_B == "OUTREG" ? register_b : latch_b;
  // a word of 36 bits is read through port B, its low half coming out at port A
  assign {DOA17, DOA16, DOA15, DOA14, DOA13, DOA12, DOA11, DOA10, DOA9,
    DOA8, DOA7, DOA6, DOA5, DOA4, DOA3, DOA2, DOA1, DOA0} =
    DATA_WIDTH_B == 36 ? out_b[17:0] : out_a[17:0];
  assign {DOB17, DOB16, DOB15, DOB14, DOB13, DOB12, DOB11, DOB10, DOB9,
    DOB8, DOB7, DOB6, DOB5, DOB4, DOB3, DOB2, DOB1, DOB0} =
    DATA_WIDTH_B == 36 ? out_b[35:18] : out_b[17:0];
endmodule

// A register of the multiplier, or a wire where its clock is "NONE".
module ecp5_register #(
    parameter CLK = "NONE", CE = "CE0", RST = "RST0", RESETMODE = "SYNC", WIDTH = 1
  ) (
    input [3:0] clk, ce, rst, input [WIDTH-1:0] d, output [WIDTH-1:0] q
  );
  wire clock = CLK == "CLK0" ? clk[0] : CLK == "CLK1" ? clk[1] : CLK == "CLK2" ? clk[2] : clk[3];
  wire enable = CE == "CE0" ? ce[0] : CE == "CE1" ? ce[1] : CE == "CE2" ? ce[2] : ce[3];
  wire reset = RST == "RST0" ? rst[0] : RST == "RST1" ? rst[1] : RST == "RST2" ? rst[2] : rst[3];
  wire clear = RESETMODE == "ASYNC" && reset;
  reg [WIDTH-1:0] held = 0;
  always @(posedge clock or posedge clear)
    if (clear || reset) held <= 0;
    else if (enable) held <= d;
  assign q = CLK == "NONE" ? d : held;
endmodule

// A multiplier with registers at its inputs, inside, and at its output, each of which may be left
// out. Operands come from A and B, not from the shift chains of its neighbours.
module MULT18X18D (
    input A0, A1, A2, A3, A4, A5, A6, A7, A8,
    A9, A10, A11, A12, A13, A14, A15, A16, A17,
    input B0, B1, B2, B3, B4, B5, B6, B7, B8,
    B9, B10, B11, B12, B13, B14, B15, B16, B17,
    input C0, C1, C2, C3, C4, C5, C6, C7, C8,
    C9, C10, C11, C12, C13, C14, C15, C16, C17,
    input SIGNEDA, SIGNEDB, SOURCEA, SOURCEB,
    input CLK3, CLK2, CLK1, CLK0, CE3, CE2, CE1, CE0, RST3, RST2, RST1, RST0,
    output P0, P1, P2, P3, P4, P5, P6, P7, P8,
    P9, P10, P11, P12, P13, P14, P15, P16, P17,
    P18, P19, P20, P21, P22, P23, P24, P25, P26,
    P27, P28, P29, P30, P31, P32, P33, P34, P35,
    output SIGNEDP
  );
  parameter REG_INPUTA_CLK = "NONE", REG_INPUTA_CE = "CE0", REG_INPUTA_RST = "RST0";
  parameter REG_INPUTB_CLK = "NONE", REG_INPUTB_CE = "CE0", REG_INPUTB_RST = "RST0";
  parameter REG_PIPELINE_CLK = "NONE", REG_PIPELINE_CE = "CE0", REG_PIPELINE_RST = "RST0";
  parameter REG_OUTPUT_CLK = "NONE", REG_OUTPUT_CE = "CE0", REG_OUTPUT_RST = "RST0";
  parameter CLK0_DIV = "ENABLED", CLK1_DIV = "ENABLED", CLK2_DIV = "ENABLED", CLK3_DIV = "ENABLED";
  parameter GSR = "ENABLED", SOURCEB_MODE = "B_SHIFT", MULT_BYPASS = "DISABLED";
  parameter RESETMODE = "SYNC";

  wire [3:0] clk = {CLK3, CLK2, CLK1, CLK0}, ce = {CE3, CE2, CE1, CE0};
  wire [3:0] rst = {RST3, RST2, RST1, RST0};
  wire [17:0] a = {A17, A16, A15, A14, A13, A12, A11, A10, A9,
    A8, A7, A6, A5, A4, A3, A2, A1, A0};
  wire [17:0] b = {B17, B16, B15, B14, B13, B12, B11, B10, B9,
    B8, B7, B6, B5, B4, B3, B2, B1, B0};

  // an operand and its sign travel together: 19 bits, always signed
  wire signed [18:0] left, right;
  ecp5_register #(.CLK(REG_INPUTA_CLK), .CE(REG_INPUTA_CE), .RST(REG_INPUTA_RST),
                  .RESETMODE(RESETMODE), .WIDTH(19))
    input_a (.clk(clk), .ce(ce), .rst(rst), .d({SIGNEDA & A17, a}), .q(left));
  ecp5_register #(.CLK(REG_INPUTB_CLK), .CE(REG_INPUTB_CE), .RST(REG_INPUTB_RST),
                  .RESETMODE(RESETMODE), .WIDTH(19))
    input_b (.clk(clk), .ce(ce), .rst(rst), .d({SIGNEDB & B17, b}), .q(right));

  wire signed [37:0] product = left * right;
  wire [35:0] piped, p;
  ecp5_register #(.CLK(REG_PIPELINE_CLK), .CE(REG_PIPELINE_CE), .RST(REG_PIPELINE_RST),
                  .RESETMODE(RESETMODE), .WIDTH(36))
    pipeline (.clk(clk), .ce(ce), .rst(rst), .d(product[35:0]), .q(piped));
  ecp5_register #(.CLK(REG_OUTPUT_CLK), .CE(REG_OUTPUT_CE), .RST(REG_OUTPUT_RST),
                  .RESETMODE(RESETMODE), .WIDTH(36))
    out (.clk(clk), .ce(ce), .rst(rst), .d(piped), .q(p));
  assign {P35, P34, P33, P32, P31, P30, P29, P28, P27,
    P26, P25, P24, P23, P22, P21, P20, P19, P18,
    P17, P16, P15, P14, P13, P12, P11, P10, P9,
    P8, P7, P6, P5, P4, P3, P2, P1, P0} = p;
  assign SIGNEDP = SIGNEDA | SIGNEDB;
endmodule
