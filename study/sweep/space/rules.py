"""Rules of a sweep that can be checked before its work: of a space and the rows that are given."""

from collections.abc import Collection, Iterator, Sequence

from ....golden.config import SoftmaxConfig
from ....golden.errors import ConfigError, require
from ....golden.measures.ragged import Ragged
from ..measure.classes import classes_of
from ..measure.sources import Source
from .goal import POINT_METRICS
from .space import Space


def require_rows(space: Space, sources: Sequence[Source], metrics: Collection[str] = ()) -> None:
    """Check that each source can be measured by a configuration of the space.

    Rows that are too long for some of the configurations stay a reason of these.

    Args:
        metrics: that a search names; some source must have each of them.

    Raises:
        ConfigError: a source of masked elements alone, rows that are too long for every
            configuration, a space without one that can be measured, or a metric that no row has.
    """
    for source in sources:
        require(
            bool(source.logits.active.any()),
            f"source {source.name} must have at least one element that is not masked",
        )
        _require_length(space, source)
    for name in metrics:
        if name in POINT_METRICS and not any(_has(source, name) for source in sources):
            names = ", ".join(source.name for source in sources)
            needed = "gradients" if name.startswith("backward_") else "a class that takes part"
            raise ConfigError(
                f"goal must name metrics that the rows have, not {name}: no row of {names} has "
                f"{needed}"
            )


def _require_length(space: Space, source: Source) -> None:
    """Refuse a source that no configuration takes; the first that does ends the search."""
    row = int(source.logits.lengths.argmax())
    longest, most = int(source.logits.lengths[row]), 0
    for config in _measured(space):
        most = max(most, config.max_length)
        if longest <= most:
            return
    require(most > 0, _none(space))
    raise ConfigError(
        f"rows of {source.name} must have at most {most} elements, the largest max_length of space "
        f"{space.name}, not {longest} (row {row})"
    )


def _measured(space: Space) -> Iterator[SoftmaxConfig]:
    """The configurations that a source is measured with."""
    for candidate in space.configurations():
        if candidate.config is not None and candidate.config.function == "softmax":
            yield candidate.config


def _none(space: Space) -> str:
    """Why a space has no configuration to measure."""
    candidate = next(space.configurations())
    reason = candidate.reason or f"function must be softmax, not {candidate.fields['function']}"
    return f"space {space.name} must have a configuration that can be measured; its first: {reason}"


def _has(source: Source, metric: str) -> bool:
    """Whether the rows of a source give a metric."""
    if metric.startswith("backward_"):
        return source.has_gradients
    if not metric.startswith(("loss_", "ece")):
        return True
    if source.targets is None:
        return False
    classes = classes_of(source, Ragged(source.logits))
    return bool(classes.held_out.any() if metric.startswith("ece") else classes.rows.size)
