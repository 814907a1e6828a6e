"""The numbers of an entry: measured on a source, synthesised for a device, or of a float format."""

from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from ...fpga.device import device
from ...fpga.exports import exported
from ...fpga.flow import Flow
from ...fpga.measure import synthesise
from ...fpga.tools import ToolError
from ...golden.errors import ConfigError
from ...golden.measures.catalogue import DESIGN
from ...outcomes import TransientError
from .measure.floats import baselines
from .measure.measure import Meter
from .measure.sources import Source
from .space.entries import KINDS, Entry, code_version, require_code

Evaluated = dict[str, dict[str, Any]]
"""``"metrics"``: numbers by name; ``"versions"``: of the tools that made them."""


@dataclass(frozen=True)
class Maker:
    """Makes the evaluator of a process; see :class:`..engine.Engine`.

    Attributes:
        sources: that points and float formats are measured on.
        folder: of everything that synthesis generates; where it is ``None``, each process has one
            of its own, for as long as it lives.
        code: that the process must have.
    """

    sources: tuple[Source, ...]
    folder: Path | None
    code: tuple[str, ...] = field(default_factory=lambda: tuple(map(code_version, KINDS)))

    def __call__(self) -> "Evaluator":
        require_code(self.code)
        if self.folder is not None:
            return Evaluator(self.sources, self.folder)
        scratch = TemporaryDirectory(prefix="softmaxfx-")
        return Evaluator(self.sources, Path(scratch.name), scratch)


@dataclass(frozen=True)
class Evaluator:
    """Evaluates entries, and keeps what they have in common."""

    sources: tuple[Source, ...]
    folder: Path
    _scratch: TemporaryDirectory[str] | None = None  # deleted with this object
    _flows: dict[str, Flow] = field(default_factory=dict)

    def __call__(self, entry: Entry) -> Evaluated:
        """The numbers of an entry.

        Raises:
            ConfigError: a configuration that cannot be built.
            TransientError: a tool that is missing, or failed.
        """
        if entry.kind == "design":
            return self._design(entry)
        return {"metrics": self._measured(entry), "versions": {}}

    def _measured(self, entry: Entry) -> dict[str, float]:
        if entry.kind == "float":
            return self._baselines[entry.source][entry.fields["float"]]
        meter = self._meters[entry.source]
        try:
            return meter.measure(entry.config, bound=entry.options.get("bound", True))
        except ConfigError:
            raise
        except ValueError as error:  # rows that the configuration does not take
            raise ConfigError(str(error)) from None

    @cached_property
    def _meters(self) -> dict[str, Meter]:
        return {source.name: Meter(source) for source in self.sources}

    @cached_property
    def _baselines(self) -> dict[str, dict[str, dict[str, float]]]:
        return {source.name: baselines(source) for source in self.sources}

    def _design(self, entry: Entry) -> Evaluated:
        """Synthesised, placed, and its rate measured, as ``softmaxfx synth`` does."""
        seeds = entry.options["seeds"]
        unit = exported(entry.config, self.folder, target=device(entry.source).primitives)
        try:
            synthesis = synthesise(unit, self._flow(entry.source), seeds, self.folder)
        except ToolError as error:
            raise TransientError(error.reason) from None
        except ConfigError as error:  # a tool is missing: the unit itself can be built
            raise TransientError(str(error)) from None
        fields = synthesis.to_dict()
        fmax = fields["fmax_mhz"] or {}  # of a design that is not placed, there is none
        names = {"fmax_mhz": "median", "fmax_min": "min", "fmax_max": "max"}
        fields |= {name: fmax.get(of) for name, of in names.items()} | {"seeds": seeds}
        metrics = {metric.name: fields[metric.name] for metric in DESIGN}
        return {"metrics": metrics, "versions": fields["tools"]}

    def _flow(self, target: str) -> Flow:
        if target not in self._flows:
            try:
                self._flows[target] = Flow.find(device(target), self.folder / "cache")
            except ConfigError as error:
                raise TransientError(str(error)) from None
        return self._flows[target]
