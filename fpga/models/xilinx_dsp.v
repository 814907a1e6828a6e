// DSP block of AMD's 7-series and UltraScale+, as in UG479 and UG579: A * B, alone or with C, and the
// registers on the way. Pre-adder, cascades, and other operations of the adder are not modelled.
module xilinx_dsp #(
    parameter A_BITS = 25,
    parameter integer AREG = 1, BREG = 1, CREG = 1, MREG = 1, PREG = 1, OPMODEREG = 1
  ) (
    input clk, cea, ceb, cec, cem, cep, cectrl, rsta, rstb, rstc, rstm, rstp, rstctrl,
    input [29:0] a, input [17:0] b, input [47:0] c,
    input [6:0] opmode,
    output [47:0] p
  );
  reg [A_BITS-1:0] a_held = 0;
  reg [17:0] b_held = 0;
  reg [47:0] c_held = 0, p_held = 0;
  reg [A_BITS+17:0] m_held = 0;
  reg [6:0] opmode_held = 0;

  wire signed [A_BITS-1:0] factor_a = AREG != 0 ? a_held : a[A_BITS-1:0];
  wire signed [17:0] factor_b = BREG != 0 ? b_held : b;
  wire signed [A_BITS+17:0] product = factor_a * factor_b;
  wire signed [A_BITS+17:0] m = MREG != 0 ? m_held : product;
  wire [47:0] addend = CREG != 0 ? c_held : c;
  wire [6:0] operation = OPMODEREG != 0 ? opmode_held : opmode;

  reg [47:0] x, z;
  always @* begin
    case (operation[3:0])
      4'b0000: x = 48'd0;
      4'b0101: x = {{30-A_BITS{m[A_BITS+17]}}, m};
      default: x = 48'dx;
    endcase
    case (operation[6:4])
      3'b000: z = 48'd0;
      3'b011: z = addend;
      default: z = 48'dx;
    endcase
  end

  always @(posedge clk) begin
    if (rsta) a_held <= 0; else if (cea) a_held <= a[A_BITS-1:0];
    if (rstb) b_held <= 0; else if (ceb) b_held <= b;
    if (rstc) c_held <= 0; else if (cec) c_held <= c;
    if (rstm) m_held <= 0; else if (cem) m_held <= product;
    if (rstctrl) opmode_held <= 0; else if (cectrl) opmode_held <= opmode;
    if (rstp) p_held <= 0; else if (cep) p_held <= x + z;
  end
  assign p = PREG != 0 ? p_held : x + z;
endmodule
