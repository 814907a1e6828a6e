// Block RAM of AMD's 7-series and UltraScale+, whatever its ports are called; yosys knows it as a
// black box only.
//
// Behaviour as in AMD's UG473 and UG573: no cascades, no error correction, no inverted clocks. What
// is not modelled is not declared around it, so that it cannot be used without an error.
//
// Where one port reads what the other writes in the same cycle, the device promises the old word if
// the writing port is READ_FIRST, and nothing else; the model then gives the complement of what is
// stored, so that a design which relies on it fails. Both ports are taken to run on one clock.
module xilinx_block_ram #(
    parameter ADDRESS = 14,  // bits that tell all data bits apart
    parameter BYTES = 2,  // of a port; a word twice as wide takes both
    parameter [(1<<ADDRESS)-1:0] INIT = 0,
    parameter [(1<<ADDRESS)/8-1:0] INITP = 0,
    parameter integer READ_WIDTH_A = 0, READ_WIDTH_B = 0, WRITE_WIDTH_A = 0, WRITE_WIDTH_B = 0,
    parameter WRITE_MODE_A = "WRITE_FIRST", WRITE_MODE_B = "WRITE_FIRST",
    parameter integer DOA_REG = 0, DOB_REG = 0,
    parameter [71:0] SRVAL_A = 0, SRVAL_B = 0  // data below parity
  ) (
    input clk_a, clk_b, en_a, en_b, regce_a, regce_b, rstram_a, rstram_b,
    input [ADDRESS-1:0] addr_a, addr_b,
    input [8*BYTES-1:0] di_a, di_b,
    input [BYTES-1:0] dip_a, dip_b,
    input [BYTES-1:0] we_a,
    input [2*BYTES-1:0] we_b,
    output [8*BYTES-1:0] do_a, do_b,
    output [BYTES-1:0] dop_a, dop_b
  );
  localparam WIDE = 9 * BYTES + 1;  // a word that takes both ports is at least so wide

  // a byte with its parity
  reg [8:0] bytes [0:(1<<ADDRESS-3)-1];
  integer n;
  initial for (n = 0; n < 1 << ADDRESS - 3; n = n + 1) bytes[n] = {INITP[n], INIT[8*n +: 8]};

  wire [18*BYTES-1:0] in_a, in_b;
  wire [2*BYTES-1:0] on_a = en_a ? {{BYTES{1'b0}}, we_a} : {2*BYTES{1'b0}};
  wire [2*BYTES-1:0] on_b = en_b ? we_b : {2*BYTES{1'b0}};
  genvar k;
  generate
    for (k = 0; k < BYTES; k = k + 1) begin : lane
      assign in_a[9*k +: 9] = {dip_a[k], di_a[8*k +: 8]};
      assign in_a[9*(k+BYTES) +: 9] = 9'd0;
      assign in_b[9*k +: 9] = WRITE_WIDTH_B < WIDE ? {dip_b[k], di_b[8*k +: 8]} : in_a[9*k +: 9];
      assign in_b[9*(k+BYTES) +: 9] = {dip_b[k], di_b[8*k +: 8]};
    end
  endgenerate

  // The first byte of a word.
  function integer first(input integer width, input [ADDRESS-1:0] address);
    first = width < 18 ? {{35-ADDRESS{1'b0}}, address[ADDRESS-1:3]}
                       : {{35-ADDRESS{1'b0}}, address[ADDRESS-1:3]} / (width / 9) * (width / 9);
  endfunction

  // Bits of a byte that a port writes.
  function [8:0] mask(input integer at, input integer width, input [ADDRESS-1:0] address,
                      input [2*BYTES-1:0] enables);
    integer place;
    begin
      place = at - first(width, address);
      if (width == 0 || place < 0 || 9 * place >= width || !enables[place]) mask = 9'd0;
      else mask = width < 9 ? (9'd1 << width) - 9'd1 << address[2:0] : 9'h1ff;
    end
  endfunction

  // What a port gives for a byte.
  function [8:0] given(input integer at, input integer width, input [ADDRESS-1:0] address,
                       input [18*BYTES-1:0] word);
    given = width < 9 ? word[8:0] << address[2:0] : word[9 * (at - first(width, address)) +: 9];
  endfunction

  // A byte of the word that a reset of the memory's latch gives.
  function [8:0] reset_to(input integer place, input integer width, input [71:0] word);
    reset_to = width < 9 ? word[8:0] : {word[width / 9 * 8 + place], word[8*place +: 8]};
  endfunction

  reg [18*BYTES-1:0] latch_a = 0, latch_b = 0, register_a = 0, register_b = 0;
  reg [8:0] own_a, own_b, other_a, other_b, byte_a, byte_b;
  integer i, j, at_a, at_b;

  always @(posedge clk_a) begin
    for (i = 0; i < 2 * BYTES; i = i + 1) begin
      at_a = first(READ_WIDTH_A, addr_a) + i;
      own_a = mask(at_a, WRITE_WIDTH_A, addr_a, on_a);
      other_a = mask(at_a, WRITE_WIDTH_B, addr_b, on_b);
      byte_a = bytes[at_a[ADDRESS-4:0]];
      if (WRITE_MODE_A == "WRITE_FIRST")
        byte_a = byte_a & ~own_a | given(at_a, WRITE_WIDTH_A, addr_a, in_a) & own_a;
      if (WRITE_MODE_B != "READ_FIRST") byte_a = byte_a ^ other_a;
      if (READ_WIDTH_A < 9) byte_a = byte_a >> addr_a[2:0];
      if (rstram_a)
        byte_a = READ_WIDTH_A < WIDE ? reset_to(i, READ_WIDTH_A, SRVAL_A)
               : i < BYTES ? reset_to(i, 9 * BYTES, SRVAL_A)
               : reset_to(i - BYTES, 9 * BYTES, SRVAL_B);
      if (en_a && 9 * i < READ_WIDTH_A && (rstram_a || !(WRITE_MODE_A == "NO_CHANGE" && |on_a)))
        latch_a[9*i +: 9] <= byte_a;
    end
    if (regce_a) register_a <= latch_a;
    for (i = 0; i < 2 * BYTES; i = i + 1) begin
      at_a = first(WRITE_WIDTH_A, addr_a) + i;
      own_a = mask(at_a, WRITE_WIDTH_A, addr_a, on_a);
      if (own_a != 0)
        bytes[at_a[ADDRESS-4:0]] <= bytes[at_a[ADDRESS-4:0]] & ~own_a
                                    | given(at_a, WRITE_WIDTH_A, addr_a, in_a) & own_a;
    end
  end

  always @(posedge clk_b) begin
    for (j = 0; j < 2 * BYTES; j = j + 1) begin
      at_b = first(READ_WIDTH_B, addr_b) + j;
      own_b = mask(at_b, WRITE_WIDTH_B, addr_b, on_b);
      other_b = mask(at_b, WRITE_WIDTH_A, addr_a, on_a);
      byte_b = bytes[at_b[ADDRESS-4:0]];
      if (WRITE_MODE_B == "WRITE_FIRST")
        byte_b = byte_b & ~own_b | given(at_b, WRITE_WIDTH_B, addr_b, in_b) & own_b;
      if (WRITE_MODE_A != "READ_FIRST") byte_b = byte_b ^ other_b;
      if (READ_WIDTH_B < 9) byte_b = byte_b >> addr_b[2:0];
      if (rstram_b) byte_b = reset_to(j, READ_WIDTH_B, SRVAL_B);
      if (en_b && 9 * j < READ_WIDTH_B && (rstram_b || !(WRITE_MODE_B == "NO_CHANGE" && |on_b)))
        latch_b[9*j +: 9] <= byte_b;
    end
    if (regce_b) register_b <= latch_b;
    for (j = 0; j < 2 * BYTES; j = j + 1) begin
      at_b = first(WRITE_WIDTH_B, addr_b) + j;
      own_b = mask(at_b, WRITE_WIDTH_B, addr_b, on_b);
      if (own_b != 0)
        bytes[at_b[ADDRESS-4:0]] <= bytes[at_b[ADDRESS-4:0]] & ~own_b
                                    | given(at_b, WRITE_WIDTH_B, addr_b, in_b) & own_b;
    end
  end

  wire [18*BYTES-1:0] out_a = DOA_REG != 0 ? register_a : latch_a;
  wire [18*BYTES-1:0] out_b = DOB_REG != 0 ? register_b : latch_b;
  generate
    for (k = 0; k < BYTES; k = k + 1) begin : out
      assign {dop_a[k], do_a[8*k +: 8]} = out_a[9*k +: 9];
      assign {dop_b[k], do_b[8*k +: 8]} =
        READ_WIDTH_A < WIDE ? out_b[9*k +: 9] : out_a[9*(k+BYTES) +: 9];
    end
  endgenerate
endmodule
