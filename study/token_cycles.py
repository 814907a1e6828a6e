"""What a stream of words costs the adaptive softmax in cycles, simulated, every bit checked."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from ..fpga.exports import exported
from ..golden.config import SoftmaxConfig
from ..golden.errors import require
from ..golden.rows import LogitRows
from ..golden.types import Integers
from ..sim.adaptive_softmax import token_rows
from ..sim.exchange import send_rows
from ..sim.sidecar import Unit
from ..sim.simulator import Model, build
from ..sim.store import claimed
from ..sim.testbench import Neighbours

ANSWER = 64
"""Cycles from a request to the first beat of its row."""
TOKENS_AT_ONCE = 4000
"""Tokens of one run; the next run starts with an empty unit."""
POOL, SPREAD = 64, 3.0
"""Rows that logits are drawn from, and their standard deviation: no cycle depends on a value."""


@dataclass(frozen=True, slots=True)
class TokenCycles:
    """What was measured.

    Attributes:
        tokens: of the stream. rows: that they asked for. beats: of these.
        cycles: from the first word that was accepted to the last beat that came out, of all runs.
        runs: how many; each fills the unit, and empties it, once.
    """

    tokens: int
    rows: int
    beats: int
    cycles: int
    runs: int

    @property
    def per_token(self) -> float:
        """Cycles per token."""
        return self.cycles / self.tokens

    @property
    def beats_per_token(self) -> float:
        """Beats per token, the least that the cycles can be."""
        return self.beats / self.tokens


def token_cycles(
    config: SoftmaxConfig, words: npt.ArrayLike, out: Path, *, answer: int = ANSWER
) -> TokenCycles:
    """Send words to an exported unit and its rows as it asks for them, no neighbour pausing.

    Args:
        words: ids, (tokens,), at least one; one outside the vocabulary has no row.
        out: directory of everything generated.
        answer: cycles from a request to its row, up to 511; 0: rows do not wait to be asked for.

    Raises:
        ConfigError: a unit that cannot be built, no simulator, or a bit that is not the golden
            model's.
    """
    ids: Integers = np.asarray(words, np.int64)
    unit = exported(config, out, unit="adaptive_softmax", rom="memory")
    model = build(unit, out / "models")
    rng = np.random.default_rng(1)
    logits = LogitRows.from_array(rng.normal(0, SPREAD, (POOL, config.max_length)))
    parts = [
        _run(unit, model, logits, ids[start : start + TOKENS_AT_ONCE], out, answer)
        for start in range(0, len(ids), TOKENS_AT_ONCE)
    ]
    rows, beats, cycles = (sum(column) for column in zip(*parts, strict=True))
    return TokenCycles(len(ids), rows, beats, cycles, len(parts))


def _run(
    unit: Unit, model: Model, logits: LogitRows, words: Integers, out: Path, answer: int
) -> tuple[int, int, int]:
    """(rows, beats, cycles) of some tokens, at least one of them with a row."""
    told = np.zeros(len(words), bool)
    tokens = token_rows(logits, words, told, unit.config)
    with claimed(out / "runs" / "tokens") as folder:
        came = send_rows(unit, model, tokens, folder, Neighbours(False, 1, answer=answer))
    score = came.score()
    require(
        score.mismatches == 0,
        f"{unit.top} must equal the golden model before it is measured: {score.first}",
    )
    first = int(came.accepted["s_axis_target"][0])
    last = max(int(cycles[-1]) for cycles in came.part.cycles.values())
    beats = int((-(-tokens.logits.lengths // unit.lanes)).sum())
    return len(tokens.logits.lengths), beats, last - first + 1
