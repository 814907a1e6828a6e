// Streams words from a file into the unit under test and its output into another file.
//
// cocotb drives the clock, the reset, the share of pauses on both sides, and `go`; files carry the
// beats, so that Python is not touched per beat. All files are binary: words read are big-endian,
// words written are little-endian, both padded to whole 32-bit words.
//
//   input.bin    a beat: {reset, drain, tlast, tid, tuser, tkeep, tdata}. reset resets the unit
//                before the beat; drain holds it back until every row before it has come out.
//   accepted.bin per accepted beat: the cycle in which it was accepted.
//   output.bin   per output beat: {cycle[32], tlast, tid, tuser, tkeep, tdata}; all ones where the
//                unit was reset.
//
// The environment's inputs change on the falling edge, the unit's registers on the rising edge.

module bench;
  parameter S_DATA = 16, S_USER = 1, M_DATA = 16, M_USER = 4, ID = 1;
  // Cycles without a transfer on either side after which the unit counts as hung.
  parameter PATIENCE = 20000;
  // Cycles to go on after the last row, in which nothing more may come out.
  parameter LINGER = 300;

  localparam S_KEEP = S_DATA / 8, M_KEEP = M_DATA / 8;
  localparam S_BITS = S_DATA + S_KEEP + S_USER + ID + 3;
  localparam M_BITS = M_DATA + M_KEEP + M_USER + ID + 1;
  localparam S_WORD = (S_BITS + 31) / 32 * 32, M_WORD = (M_BITS + 31) / 32 * 32;

  reg aclk           /*verilator public_flat_rw*/;
  reg aresetn        /*verilator public_flat_rw*/;
  reg go             /*verilator public_flat_rw*/;
  reg [8:0] s_pause  /*verilator public_flat_rw*/;  // of 256 cycles, those the source pauses
  reg [8:0] m_pause  /*verilator public_flat_rw*/;  // of 256 cycles, those the sink is not ready
  reg [31:0] s_seed  /*verilator public_flat_rw*/;
  reg [31:0] m_seed  /*verilator public_flat_rw*/;
  reg done           /*verilator public_flat_rw*/;
  reg hung           /*verilator public_flat_rw*/;

  reg [S_DATA-1:0] s_axis_tdata;
  reg [S_KEEP-1:0] s_axis_tkeep;
  reg [S_USER-1:0] s_axis_tuser;
  reg [ID-1:0] s_axis_tid;
  wire [ID-1:0] m_axis_tid;
  reg s_axis_tlast, s_axis_tvalid, m_axis_tready;
  wire s_axis_tready, m_axis_tvalid, m_axis_tlast;
  wire [M_DATA-1:0] m_axis_tdata;
  wire [M_KEEP-1:0] m_axis_tkeep;
  wire [M_USER-1:0] m_axis_tuser;

`ifndef TID
  assign m_axis_tid = 0;
`endif
  reg [2:0] resetting;  // cycles of a reset that are left

  `DUT dut (
    .aclk(aclk), .aresetn(aresetn && resetting == 0),
`ifdef TID
    .s_axis_tid(s_axis_tid), .m_axis_tid(m_axis_tid),
`endif
    .s_axis_tdata(s_axis_tdata), .s_axis_tkeep(s_axis_tkeep), .s_axis_tuser(s_axis_tuser),
    .s_axis_tlast(s_axis_tlast), .s_axis_tvalid(s_axis_tvalid), .s_axis_tready(s_axis_tready),
    .m_axis_tdata(m_axis_tdata), .m_axis_tkeep(m_axis_tkeep), .m_axis_tuser(m_axis_tuser),
    .m_axis_tlast(m_axis_tlast), .m_axis_tvalid(m_axis_tvalid), .m_axis_tready(m_axis_tready)
  );

  function [31:0] xorshift(input [31:0] x);
    reg [31:0] a, b;
    begin
      a = x ^ (x << 13);
      b = a ^ (a >> 17);
      xorshift = b ^ (b << 5);
    end
  endfunction

  integer input_file, accepted_file, output_file, bytes_read;
  reg running, reset, drain, word_held, offered;
  reg [S_WORD-1:0] word;
  reg [31:0] cycle, rows_in, rows_out, idle, linger;

  initial begin
    go = 0; running = 0; done = 0; hung = 0; s_pause = 0; m_pause = 0; s_seed = 1; m_seed = 2;
    s_axis_tvalid = 0; m_axis_tready = 0; s_axis_tlast = 0;
    s_axis_tdata = 0; s_axis_tkeep = 0; s_axis_tuser = 0;
    cycle = 0; rows_in = 0; rows_out = 0; idle = 0; linger = 0; word_held = 0; offered = 0;
    drain = 0; reset = 0; resetting = 0; s_axis_tid = 0;    input_file = 0; accepted_file = 0; output_file = 0; bytes_read = 0; word = 0;
  end

  // The environment: decides on the falling edge what the next rising edge sees.
  always @(negedge aclk) begin
    if (go && !running) begin
      input_file = $fopen("input.bin", "rb");
      accepted_file = $fopen("accepted.bin", "wb");
      output_file = $fopen("output.bin", "wb");
      running = 1;
    end
    if (running && !done) begin
      if (!word_held) begin
        bytes_read = $fread(word, input_file);
        word_held = bytes_read == S_WORD / 8;
        {reset, drain, s_axis_tlast, s_axis_tid, s_axis_tuser, s_axis_tkeep, s_axis_tdata} =
            word[S_BITS-1:0];
        if (word_held && reset) begin
          resetting = 5;
          rows_in = 0;
          rows_out = 0;
          $fwrite(output_file, "%u%u", {M_WORD{1'b1}}, 32'hffffffff);
        end
      end
      if (resetting != 0) resetting = resetting - 1;
      s_seed = xorshift(s_seed);
      // a beat once offered stays offered
      offered = word_held && resetting == 0 && (offered ||
          ((!drain || rows_in == rows_out) && {1'b0, s_seed[15:8]} >= s_pause));
      s_axis_tvalid = offered;
      m_seed = xorshift(m_seed);
      m_axis_tready = resetting == 0 && {1'b0, m_seed[15:8]} >= m_pause;

      if (s_axis_tvalid || m_axis_tvalid || word_held) linger = 0; else linger = linger + 1;
      if (idle >= PATIENCE) hung = 1;
      if (hung || (linger >= LINGER && rows_in == rows_out)) begin
        done = 1;
        s_axis_tvalid = 0;
        $fclose(input_file); $fclose(accepted_file); $fclose(output_file);
      end
    end
  end

  // The transfers: what both sides agreed on at the rising edge. both were sampled
  // before the edge moved the unit on.
  reg s_fire, m_fire;
  reg [M_WORD-1:0] m_word;
  always @(posedge aclk) if (running && !done) begin
    s_fire = s_axis_tvalid && s_axis_tready;
    m_fire = m_axis_tvalid && m_axis_tready;
    m_word = {m_axis_tlast, m_axis_tid, m_axis_tuser, m_axis_tkeep, m_axis_tdata};
    cycle = cycle + 1;
    idle = (s_fire || m_fire) ? 0 : idle + 1;
    if (s_fire) begin
      $fwrite(accepted_file, "%u", cycle);
      word_held = 0;
      offered = 0;
      if (s_axis_tlast) rows_in = rows_in + 1;
    end
    if (m_fire) begin
      $fwrite(output_file, "%u", {cycle, m_word});
      if (m_axis_tlast) rows_out = rows_out + 1;
    end
  end
endmodule
