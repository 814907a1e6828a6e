"""A probe: records what enters every softmax of a model, which computes as ever."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

from torch import nn

from ..measures.row_figures import RowFigures
from ..measures.row_record import RowRecord
from ..rows import LogitRows
from .attention import MASK_VALUE
from .fast_path import FastPath
from .intercept import Intercept
from .layers import FixedModule
from .recorder import Recorder, Site
from .refusals import PROBE
from .replace import CLASSES
from .site_record import Sampling, SiteRecord
from .swappable import called, calls_softmax, refuse
from .wrapping import Undone, Wrapping, refuse_twice


def probe(
    model: nn.Module,
    *,
    seed: int = 1,
    mask_value: float | None = MASK_VALUE,
    sampling: Sampling | None = None,
) -> "Probe":
    """Record what enters every softmax of a model, until it is undone.

    The calls are those that :func:`.swapping.swap` would give to units: softmax, log_softmax,
    cross_entropy and scaled_dot_product_attention, however they are called, while the forward
    method of the model, or of a module in it, runs. torch's own functions compute them, so that
    results have the bits of float; attention's scores are computed beside. torch's native path of
    its transformers, which calls none of them, is off for all models meanwhile. To record a loss
    too, probe ``nn.ModuleList([model, loss])``.

    Rows' maxima, minima and counts are of all rows; what takes a look at every element is of rows
    that are drawn, where there are many. Memory does not grow with the rows: about 25 KB for each
    head and epoch, and the rows that are kept.

    Args:
        model: any module; it computes as before.
        seed: of what is drawn.
        mask_value: logits at or below it take no part; None: only those of -inf.
        sampling: how much is looked at closely.

    Returns:
        What is recorded; a context manager that undoes it.

    Raises:
        ProbeError: a module whose softmax cannot be seen (scripted, compiled, fixed point, ...),
            which it names. So does the first forward pass of a model without any, or one that calls
            a function that has a softmax inside.
    """
    return Probe(model, seed, mask_value, sampling or Sampling())


@dataclass(frozen=True, eq=False)
class Probed:
    """What was recorded at one site.

    Attributes:
        epochs: by number, heads as groups. sample: some of the rows; None where none was whole.
    """

    site: Site
    epochs: dict[int, RowRecord]
    sample: LogitRows | None

    @property
    def record(self) -> RowRecord:
        """Of all epochs."""
        first, *others = self.epochs.values()
        for other in others:
            first = first.joined(other)
        return first

    @property
    def figures(self) -> RowFigures:
        """Of all epochs and heads."""
        return RowFigures.of(self.record)


class Probe(Undone):
    """What is recorded of a model; made by :func:`probe`.

    Attributes:
        model: the model.
    """

    def __init__(
        self, model: nn.Module, seed: int, mask_value: float | None, sampling: Sampling
    ) -> None:
        named = dict(model.named_modules())
        for name, module in named.items():
            refuse(name, module, PROBE)
            refuse_twice(name, module, PROBE)
            if isinstance(module, FixedModule):
                raise PROBE.error(
                    f"{called(name, module)} must not be in fixed point: probe the float model"
                )
        self.model = model
        self._recorder = Recorder(named, self._where, sampling, seed, mask_value)
        self._wrapping = Wrapping(Intercept(self._recorder), self.require_some)
        self._fast_path = FastPath()
        self._wrapping.wrap(
            {
                name: module
                for name, module in named.items()
                if calls_softmax(module, name) or type(module) in CLASSES
            }
        )
        self._fast_path.turn_off()

    def epoch(self) -> int:
        """Begin the next epoch, counted from 0; what is recorded from now on is of it."""
        self._recorder.epoch += 1
        return self._recorder.epoch

    def __iter__(self) -> Iterator[Probed]:
        """What was recorded so far, in the order of the first calls."""
        for site, record in self._recorder.sites.items():
            yield _probed(site, record)

    def undo(self) -> None:
        """Make the model what it was; once undone, nothing more happens."""
        self._wrapping.undo()
        self._fast_path.restore()

    def __repr__(self) -> str:
        names = ", ".join(site.name for site in self._recorder.sites)
        return f"Probe({type(self.model).__name__}: {names or 'nothing yet'})"

    def require_some(self) -> None:
        """Raise ProbeError where no softmax was called so far."""
        if not self._recorder.sites:
            raise PROBE.error(
                f"{type(self.model).__name__} must have a softmax to probe: its forward pass "
                "called none (nn.Sequential(model, nn.Softmax(-1)) probes logits)"
            )

    def _where(self) -> tuple[str, Counter[str]]:
        return self._wrapping.site, self._wrapping.calls


def _probed(site: Site, record: SiteRecord) -> Probed:
    record.flush()
    return Probed(site, dict(record.epochs), record.sample.rows())
