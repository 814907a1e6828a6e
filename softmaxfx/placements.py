"""Designs on devices: synthesised, placed with every seed, paced and checked side by side."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any, Literal

from .cache import Cache, completed
from .fpga import bench
from .fpga.device import device
from .fpga.flow import Flow, Netlist
from .fpga.gate_level import GateLevel, check_netlist
from .fpga.measure import measure_pace
from .fpga.synthesis import Synthesis, count_cells, summarise
from .fpga.tools import without_log
from .golden.errors import ConfigError
from .inputs import Given
from .jobs import Chosen, announced, tell_known
from .outcomes import Outcome
from .simulations import rows_sha256
from .study.tasks import MadeBy, Maker
from .terminal import console, working

CHECKED_ROWS = 2000
"""Rows that a synthesised netlist is simulated with: some ten times slower than the Verilog."""

MADE_BY = MadeBy(
    "design",
    (
        "golden", "hdl", "sim", "fpga", "files", "code", "outcomes", "study.tasks", "jobs",
        "placements",
    ),
)  # fmt: skip
"""Figures of designs."""


@dataclass(frozen=True)
class Design:
    """A unit on a device.

    Attributes:
        name: in words. primitives: whose the unit has. device: its name.
    """

    name: str
    chosen: Chosen
    primitives: str
    device: str


@dataclass(frozen=True)
class Step:
    """What is done with a design, by itself.

    Attributes:
        kind: ``"netlist"``: it is synthesised; ``"placed"``: placed and routed with a seed;
            ``"paced"``: its elements per cycle are measured; ``"checked"``: its netlist is.
        rows: hash of those that it is checked with, which the maker has.
    """

    design: Design
    kind: Literal["netlist", "placed", "paced", "checked"]
    seed: int = 0
    rows: str = ""

    @property
    def long(self) -> bool:
        """It builds a model, or runs a tool for as long."""
        return True

    @property
    def words(self) -> str:
        does = {
            "netlist": "synthesising", "placed": f"placing and routing, seed {self.seed}",
            "paced": "measuring elements per cycle", "checked": "simulating the netlist",
        }  # fmt: skip
        return f"{self.design.name}: {does[self.kind]}"

    @property
    def key(self) -> str:
        """SHA-256 of all that its outcome depends on."""
        design = self.design
        told = [design.chosen.told, design.primitives, design.device]
        return MADE_BY.key(self.kind, *told, self.seed, self.rows)

    def run(self, folder: Path, given: Mapping[str, Any]) -> Any:
        """What :func:`_summary` puts together.

        Raises:
            ToolError: yosys or nextpnr failed, as nextpnr does where the design does not fit.
            ConfigError: a tool is missing, or a unit that is not the golden model.
        """
        unit = self.design.chosen.exported(folder, self.design.primitives)
        if self.kind == "paced":
            return measure_pace(unit, folder)
        chip = device(self.design.device)
        flow = _flow(chip, folder / "cache")
        netlist = flow.synthesise(unit)  # once: the other steps find its files
        match self.kind:
            case "placed":
                return flow.place(netlist, self.seed)
            case "checked":
                rows = given[self.rows]
                return asdict(check_netlist(unit, netlist.verilog, chip, rows, folder))
        return {"verilog": str(netlist.verilog), "design": str(netlist.design),
                "unit": dict(netlist.unit), "wrapper": dict(netlist.wrapper)}  # fmt: skip


_flow = cache(Flow.find)
"""It runs each tool to see whether it works."""

Refused = Callable[[Design, str], object]
"""Told of a design that a tool failed on, and the tool's sentence."""


def synthesised(
    designs: Sequence[Design], flows: Mapping[str, Flow], seeds: int, out: Path, *,
    check: bool = False, cluster: str | None = None, workers: int | None = None,
    refused: Refused | None = None,
) -> dict[Design, Synthesis]:  # fmt: skip
    """Synthesise designs, place them with seeds 1 to ``seeds``, measure and check them.

    What is known to ``out/cache.sqlite`` is not done again.

    Args:
        flows: by device. check: simulate the netlists, too.
        cluster, workers: see :func:`.clusters.cluster_of`.
        refused: a design that a tool fails on is left out then, and the others go on.

    Raises:
        ConfigError: a step failed; what was done before stays known.
    """
    from .clusters import cluster_of  # Dask takes a second to import
    from .engine import Engine

    given = _rows_of(designs) if check else {}
    steps = {
        design: _steps(design, seeds if flows[design.device].placer else 0, given.get(design))
        for design in designs
    }
    rows = dict(given.values())
    maker = Maker(out if cluster is None else None, MADE_BY, rows)  # others have other disks
    with (
        Engine(maker, cluster_of(cluster, workers), tell=console.print) as engine,
        Cache(out / "cache.sqlite") as cache,
    ):
        found = _Found(cache, engine.run, refused)
        tell_known(cache, [step for own in steps.values() for step in own])
        what = designs[0].name if len(designs) == 1 else f"{len(designs)} units"
        found.complete(f"{what}: synthesising", [own[0] for own in steps.values()])
        others = [step for own in steps.values() for step in own[1:]]
        checking = ", simulating netlists" if check else ""
        found.complete(
            f"{what}: placing and routing, {seeds} seeds, measuring elements per cycle{checking}",
            others,
        )
    return {
        design: _summary(own, found.values, flows, out)
        for design, own in steps.items()
        if design not in found.refused
    }


def benched(
    cases: Sequence[bench.Case], flows: Mapping[str, Flow], seeds: int, out: Path, **where: Any
) -> list[bench.Result]:
    """What becomes of cases; where a tool fails on a design, its sentence.

    Args:
        where: the workers; with the others as of :func:`synthesised`.
    """
    failures: dict[Design, str] = {}

    def refused(design: Design, sentence: str) -> None:
        failures[design] = without_log(sentence)
        console.print(failures[design], style="red")

    designs = [_design_of(case, f"{n} of {len(cases)}") for n, case in enumerate(cases, 1)]
    found = synthesised(designs, flows, seeds, out, refused=refused, **where)
    return [
        bench.Result(
            case, design.chosen.exported(out, design.primitives), found.get(design),
            bench.sample_error(case.config) if case.softmax else None, failures.get(design, ""),
        )
        for case, design in zip(cases, designs, strict=True)
    ]  # fmt: skip


def _design_of(case: bench.Case, number: str) -> Design:
    chosen = Chosen(case.unit, case.preset, case.config)
    name = f"{number}: {case.name} for {case.target}"
    return Design(name, chosen, case.primitives, case.device.name)


class _Found:
    """What becomes of steps; those of a design that a tool fails on are left out from then on."""

    def __init__(
        self, cache: Cache, run: Callable[[Iterable[Step]], Iterator[tuple[Step, Outcome]]],
        refused: Refused | None,
    ) -> None:  # fmt: skip
        self._cache, self._run, self._tell_refused = cache, run, refused
        self.refused: set[Design] = set()
        self.values: dict[str, Any] = {}

    def complete(self, label: str, steps: list[Step]) -> None:
        with working(label, time_left=True) as progress:
            wanted = [*self._worth(steps)]
            found = completed(self._cache, wanted, self._all, progress, is_kept=self._is_kept)
        self.values |= {key: outcome.value for key, outcome in found.items()}

    def _all(self, steps: list[Step]) -> Iterator[tuple[Step, Outcome]]:
        return self._run(announced(self._worth(steps)))

    def _worth(self, steps: list[Step]) -> Iterator[Step]:
        return (step for step in steps if step.design not in self.refused)

    def _is_kept(self, step: Step, outcome: Outcome) -> bool:
        """What failed is tried again."""
        if outcome.status == "infeasible":
            if self._tell_refused is None:
                raise ConfigError(outcome.reason)
            if step.design not in self.refused:
                self._tell_refused(step.design, outcome.reason)
            self.refused.add(step.design)
        elif outcome.status == "failed":
            raise ConfigError(f"{step.words}: {outcome.reason}")
        return outcome.status == "done"


def _rows_of(designs: Sequence[Design]) -> dict[Design, tuple[str, Any]]:
    """Rows that netlists are checked with, each with its hash."""
    given = Given(limit=CHECKED_ROWS)
    rows = {one: given.rows(one.chosen.unit, one.chosen.config) for one in designs}
    return {design: (rows_sha256(its), its) for design, its in rows.items()}


def _steps(design: Design, seeds: int, checked: tuple[str, Any] | None) -> list[Step]:
    """All steps of a design: the one that the others need first, then by what they take."""
    return [
        Step(design, "netlist"),
        *(Step(design, "placed", seed) for seed in range(1, seeds + 1)),
        Step(design, "paced"),
        *([Step(design, "checked", rows=checked[0])] if checked else []),
    ]


def _summary(
    steps: Sequence[Step], values: Mapping[str, Any], flows: Mapping[str, Flow], out: Path
) -> Synthesis:
    """The figures of a design, by what its steps found."""
    design = steps[0].design
    by_kind: dict[str, list[Any]] = {}
    for step in steps:
        by_kind.setdefault(step.kind, []).append(values[step.key])
    (made,), (pace,) = by_kind["netlist"], by_kind["paced"]
    netlist = Netlist(**made | {name: Path(made[name]) for name in ("verilog", "design")})
    seeds = tuple(step.seed for step in steps if step.kind == "placed")
    unit, flow = design.chosen.exported(out, design.primitives), flows[design.device]
    if seeds:
        summary = summarise(unit, flow, netlist, seeds, by_kind["placed"], pace)
    else:
        summary = count_cells(unit, flow, netlist, pace)
    for value in by_kind.get("checked", []):
        summary = replace(summary, gate_level=GateLevel(**value))
    return summary
