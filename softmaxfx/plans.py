"""What plans go through: products that are measured, rows that are simulated, costs to be met."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from .golden.config import preset
from .golden.types import Integers
from .options import require_packages
from .study.plan import read
from .study.plan.cost import Cost, Cutoffs
from .study.plan.cycles import Cycles
from .study.plan.times import Quarter, Times, Widths
from .study.plan.vocabulary import Vocabulary
from .terminal import working

if TYPE_CHECKING:  # these take a second to import, or need torch
    from .study.plan.document import Study
    from .study.plan.findings import Findings
    from .study.plan.fit import Fit
    from .study.plan.rows import Row
    from .study.plan.through_unit import Through

CLUSTERS = 5
"""Of a plan, at most, unless more or fewer are asked for."""
LANES, BATCH, HIDDEN = 8, 512, 512
"""What costs are of, unless others are asked for."""
FLOORS = (10, 100)
"""Times as high as measured, that the document reckons with besides: a GPU's are."""


def planned(cost: Cost, clusters: int) -> "Findings":
    """All that a cost says of its vocabulary.

    Raises:
        ConfigError: see :meth:`.study.plan.findings.Findings.of`.
    """
    from .study.plan.findings import Findings

    label = f"planning {len(cost.vocabulary):,} words of {cost.vocabulary.source}"
    with working(label) as progress:
        return Findings.of(cost, clusters, progress)


def timed(
    words: Vocabulary, device: str, batch: int, hidden: int, projection: Widths,
    threads: int | None,
) -> "tuple[Times, Fit]":  # fmt: skip
    """The time of a vocabulary's products by a law, which is fitted to those of this machine.

    Args:
        threads: of torch on a CPU; its own choice where it is ``None``.

    Raises:
        ConfigError: no torch, no such device, or a tail without a dimension.
    """
    require_packages("plan --cost cpu or cuda", "torch", extra="torch")
    import torch

    from .study.plan import products
    from .study.plan.fit import fitted

    if threads is not None:
        torch.set_num_threads(threads)
    shapes = products.shapes(batch, hidden, projection.of(hidden, 1)[0], device)
    label = f"measuring {len(shapes)} products on {products.place(device)}"
    with working(label) as progress:
        fit = fitted(products.measured(shapes, device, progress))
    return Times(words, fit.law, batch, hidden, projection), fit


def measured(found: "Findings", device: str) -> dict[Cutoffs, float]:
    """What the products of each split take, in the unit of the cost: of those in the table and on
    the curve that can be priced."""
    from .study.plan import products
    from .study.plan.tables import times_of

    cost = times_of(found)
    priced = [one.rival.cutoffs for one in found.table if one.cost is not None]
    every = dict.fromkeys([*priced, *(split.cutoffs for split in found.curve)])
    splits = [products.of_split(cost, cutoffs, device) for cutoffs in every]
    with working("measuring the products of each split") as progress:
        seconds = products.seconds_of(splits, device, progress)
    return dict(zip(every, map(cost.told, seconds), strict=True))


def simulated_rows(lanes: int, out: Path) -> "list[Row]":
    """Rows of many lengths through the simulated unit.

    Args:
        out: folder of everything generated.

    Raises:
        ConfigError: see :func:`.study.plan.rows.measured`.
    """
    from .sim.simulator import check_tools
    from .study.plan import rows

    check_tools(out / "models")
    config = preset("base").replace(datapath="exact_sum", lanes=lanes)
    with working("simulating rows of the cross-entropy unit (a first run builds it, minutes)"):
        return rows.measured(config, out)


def simulated_tokens(found: "Findings", tokens: Integers, out: Path) -> "list[Through]":
    """Tokens through the simulated unit of every split that one holds.

    Args:
        tokens: words of the vocabulary. out: folder of everything generated.

    Raises:
        ConfigError: see :func:`.study.plan.through_unit.through_unit`.
    """
    from .sim.simulator import check_tools
    from .study.plan.through_unit import through_unit

    check_tools(out / "models")
    label = f"{len(tokens):,} tokens through simulated units (a first run builds them, minutes)"
    with working(label) as progress:
        return through_unit(found, tokens, out, progress)


def study(lists: dict[str, Path], threads: int | None, out: Path) -> "Study":
    """All that the document tells of the shipped corpus, and of other lists of counts by name.

    Raises:
        ConfigError: see :func:`timed` and :func:`simulated_rows`.
    """
    from .study.plan.document import BUFFERS, Study

    words = read.shipped()
    times, fit = timed(words, "cpu", BATCH, HIDDEN, Quarter(), threads)
    by_time = planned(times, CLUSTERS)
    from .study.plan import products

    return Study(
        cycles={buffer: planned(Cycles(words, LANES, buffer), CLUSTERS) for buffer in BUFFERS[:2]},
        times=by_time,
        floors={factor: planned(_higher(times, factor), CLUSTERS) for factor in FLOORS},
        place=products.place("cpu"),
        fit=fit,
        measured=measured(by_time, "cpu"),
        rows=simulated_rows(LANES, out),
        vocabularies=[words, *_named(lists)],
    )


def _higher(times: Times, factor: int) -> Times:
    """The cost, had its products a higher floor."""
    return replace(times, law=replace(times.law, floor=factor * times.law.floor))


def _named(lists: dict[str, Path]) -> Iterator[Vocabulary]:
    for name, file in lists.items():
        yield replace(read.of_counts(file), source=name)
