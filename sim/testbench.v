// The neighbours of a unit under test, and the control of a run; wiring.py names them after the unit
// and wires them to it.
//
// Streams come from files and go to files, so that Python is not touched per beat. cocotb drives
// the clock, the reset, how often each neighbour pauses, and `go`. All files are binary: words read
// are big-endian, words written are little-endian, both padded to whole 32-bit words.
//
//   NAME.in        a beat to send: {mark, drain, tlast, tid, tuser, tkeep, tdata}, without the
//                  fields that the stream has not. drain holds the beat back until every row before
//                  it has come out; mark holds no beat: the unit is reset here.
//   NAME.accepted  per beat sent: the cycle in which it was accepted.
//   NAME.out       per beat received: {cycle[32], tlast, tdest, tid, tuser, tkeep, tdata}; all ones where
//                  the unit was reset.
//
// What the unit's inputs are is decided on the falling edge; what happened is counted on the rising
// edge, where the unit's registers move. So no process reads what another writes on the same edge.

`timescale 1ns/1ps

// Sends the beats of a file. A reset comes to all sources at once: the first to reach its mark
// waits, and what the others have not sent until their own marks is skipped.
module bench_source #(
  parameter BITS = 16,
  parameter LAST = 1,  // the payload's highest bit is tlast; without it every beat is a row
  parameter NAME = "source"
) (
  input aclk, go, done, restart, resetting,
  input drained,           // as much has come out as went in
  input first,             // the beat is of the first of a row's two passes
  input [31:0] granted,    // rows that may have been sent, since the last reset
  input [8:0] pause,       // of 256 cycles, those in which no beat is offered that was not before
  input [31:0] seed,       // of the pauses
  input [31:0] cycle,
  output reg tvalid,
  input tready,
  output [BITS-1:0] payload,
  output reg marked,       // waits for a reset
  output reg exhausted,    // nothing is left to send
  output reg [31:0] rows   // sent since the last reset
);
  localparam WORD = (BITS + 2 + 31) / 32 * 32;

  integer file, accepted, bytes_read;
  reg [WORD-1:0] word;
  reg [31:0] state;
  reg running, taken;
  assign payload = word[BITS-1:0];

  initial begin
    tvalid = 0; marked = 0; exhausted = 0; rows = 0; word = 0; state = 1; running = 0; taken = 0;
    file = 0; accepted = 0; bytes_read = 0;
  end

  task fetch;
    begin
      bytes_read = $fread(word, file);
      exhausted = bytes_read != WORD / 8;
      marked = !exhausted && word[BITS+1];
    end
  endtask

  always @(negedge aclk) begin
    if (go && !running && !done) begin
      file = $fopen({NAME, ".in"}, "rb");
      accepted = $fopen({NAME, ".accepted"}, "wb");
      state = seed;
      running = 1;
      fetch;
    end else if (running && taken) begin
      tvalid = 0;
      fetch;
    end
    if (restart) begin
      tvalid = 0;
      while (!marked && !exhausted) fetch;
      if (!exhausted) fetch;
    end
    state = state ^ (state << 13);
    state = state ^ (state >> 17);
    state = state ^ (state << 5);
    if (!tvalid)  // a beat once offered stays offered
      tvalid = running && !done && !resetting && !marked && !exhausted
          && (drained || !word[BITS]) && rows < granted && {1'b0, state[15:8]} >= pause;
    if (done && running) begin
      running = 0;
      $fclose(file);
      $fclose(accepted);
    end
  end

  always @(posedge aclk) begin
    taken <= tvalid && tready;
    if (restart) rows <= 0;
    else if (tvalid && tready) begin
      $fwrite(accepted, "%u", cycle);
      if ((!LAST || payload[BITS-1]) && !first) rows <= rows + 1;
    end
  end
endmodule


// Tells how many of the rows that a unit asks for may be sent: those that it asked for some cycles
// ago. With no such latency rows are sent without being asked for.
module bench_answers (
  input aclk, restart,
  input [8:0] latency,
  input [31:0] asked,      // since the last reset
  output [31:0] granted
);
  reg [31:0] past [0:511];
  reg [8:0] place;
  integer j;
  wire [8:0] then = place - latency;
  assign granted = latency == 0 ? 32'hffffffff : past[then];

  initial begin
    place = 0;
    for (j = 0; j < 512; j = j + 1) past[j] = 0;
  end

  always @(posedge aclk) begin
    place <= place + 1;
    if (restart) for (j = 0; j < 512; j = j + 1) past[j] <= 0;
    else past[place] <= asked;
  end
endmodule


// Receives beats, and writes them to a file.
module bench_sink #(
  parameter BITS = 16,
  parameter LAST = 1,
  parameter NAME = "sink"
) (
  input aclk, go, done, restart, resetting,
  input [8:0] pause,        // of 256 cycles, those in which it is not ready
  input [31:0] seed,
  input [31:0] cycle,
  input [31:0] expected,    // beats after the last reset
  input [31:0] most,        // beats between two resets, and some more
  input tvalid,
  output reg tready,
  input [BITS-1:0] payload,
  output complete,          // no further beat is expected
  output beyond,            // more have come than are ever expected
  output reg [31:0] rows    // received since the last reset
);
  localparam WORD = (BITS + 31) / 32 * 32;

  integer file;
  reg [WORD-1:0] word;
  reg [31:0] state, beats;
  reg running;
  assign complete = beats >= expected;
  assign beyond = beats > most;

  initial begin
    tready = 0; rows = 0; beats = 0; state = 1; running = 0; file = 0; word = 0;
  end

  always @(negedge aclk) begin
    if (go && !running && !done) begin
      file = $fopen({NAME, ".out"}, "wb");
      state = seed;
      running = 1;
    end
    state = state ^ (state << 13);
    state = state ^ (state >> 17);
    state = state ^ (state << 5);
    tready = running && !done && !resetting && {1'b0, state[15:8]} >= pause;
    if (done && running) begin
      running = 0;
      $fclose(file);
    end
  end

  always @(posedge aclk) begin
    word = payload;
    if (restart) begin
      $fwrite(file, "%u%u", {WORD{1'b1}}, 32'hffffffff);
      rows <= 0;
      beats <= 0;
    end else if (tvalid && tready) begin
      $fwrite(file, "%u", {cycle, word});
      beats <= beats + 1;
      if (!LAST || payload[BITS-1]) rows <= rows + 1;
    end
  end
endmodule


// Counts cycles, resets the unit where the sources ask for it, and ends the run. What the unit drives
// may be unknown (X): then nothing moves.
module bench_control #(
  parameter SOURCES = 1,
  parameter SINKS = 1,
  // Cycles without a transfer after which the unit counts as hung.
  parameter PATIENCE = 20000,
  // Cycles to go on after the last beat, in which nothing more may come out.
  parameter LINGER = 300
) (
  input aclk, go,
  input [31:0] seed,                 // of the lengths of resets
  input [31:0] resets,               // of the whole run
  input [SOURCES-1:0] marked, exhausted,
  input [SINKS-1:0] complete,
  input [SINKS-1:0] beyond,
  input moving,                      // some beat passes at the next rising edge
  input offering,                    // the unit offers a beat
  output reg restart,                // the first cycle of a reset
  output resetting,
  output reg done, hung,
  output reg flooded,                // the unit gives beats without end
  output reg [31:0] cycle
);
  reg [2:0] left;  // cycles of a reset that are left
  reg [31:0] idle, linger, resets_done, state;
  assign resetting = left != 0;

  initial begin
    done = 0; hung = 0; flooded = 0; cycle = 0; left = 0; restart = 0;
    idle = 0; linger = 0; resets_done = 0; state = 1;
  end

  always @(posedge aclk) if (!go) state <= seed | 1;
  else if (!done) begin
    cycle <= cycle + 1;
    idle <= moving === 1 ? 0 : idle + 1;
    linger <= moving === 1 || offering === 1 || !(&exhausted) ? 0 : linger + 1;
    state <= {state[30:0], state[31] ^ state[21] ^ state[1] ^ state[0]};
    restart <= 0;
    if (resetting) left <= left - 1;
    // some time after all sources have reached their marks, or the first: others may never do, for
    // want of a partner
    else if (|marked && (&(marked | exhausted) ? state[4:0] == 0 : state[5:0] == 0)) begin
      left <= 1 + state[31:24] % 5;
      restart <= 1;
      resets_done <= resets_done + 1;
    end
    if (idle >= PATIENCE) hung <= 1;
    if (|beyond) flooded <= 1;
    done <= idle >= PATIENCE || |beyond || (linger >= LINGER && &complete && resets_done == resets);
  end
endmodule
