"""What a row's exponent does to the sum of its probabilities, over row lengths and spreads.

``python -P -m softmaxfx.study.row_mass`` prints the table of the README.
"""

from collections.abc import Iterator

import click
import numpy as np

from ..golden.config import SoftmaxConfig, preset
from ..golden.proofs.mass import mass_bound
from ..golden.units.softmax import softmax_rows

LENGTHS, SIGMAS = (64, 256, 1024), (0.5, 1.0, 2.0, 3.0)
ROWS = 1000


def mean_mass(config: SoftmaxConfig, length: int, sigma: float) -> float:
    """Mean sum of p over rows of N(0, sigma**2) logits, seed 1."""
    logits = np.random.default_rng(1).normal(0, sigma, (ROWS, length))
    result = softmax_rows(config.input.quantize(logits), config)
    sums = config.output.to_float(result.p).sum(axis=-1)
    return float(np.ldexp(sums, -result.exponent).mean())


def table() -> Iterator[str]:
    """The lines of the table, in Markdown."""
    names = "int8", "int8_row"
    yield "| N | sigma | " + " | ".join(f"mean Σp, `{name}`" for name in names) + " |"
    yield "|---|---|" + "---|" * len(names)
    for length in LENGTHS:
        for sigma in SIGMAS:
            means = [mean_mass(preset(name), length, sigma) for name in names]
            yield f"| {length:,} | {sigma:g} | " + " | ".join(f"{m:.3f}" for m in means) + " |"
    bounds = [mass_bound(preset(name)) for name in names]
    yield "| 1,024 | any row | " + " | ".join(f"1 ± {min(b, 1):.2f}" for b in bounds) + " |"


if __name__ == "__main__":
    click.echo("\n".join(table()))
