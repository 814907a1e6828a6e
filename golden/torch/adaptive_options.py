"""What torch's adaptive softmax is made with, and what goes together."""

from collections.abc import Sequence

from torch import Tensor

from ..clusters import Clusters
from ..config import SoftmaxConfig
from ..errors import require, require_whole
from ..given import plain
from .functional import require_real
from .loss_options import REDUCTIONS


def clusters_of(n_classes: int, cutoffs: Sequence[int]) -> Clusters:
    """The clusters of a vocabulary, of numbers from wherever they come.

    Raises:
        ConfigError: cutoffs that make no clusters.
    """
    require_whole("n_classes", plain(n_classes), 2, 2**31 - 1)
    given = tuple(plain(cutoff) for cutoff in cutoffs)
    if given and isinstance(given[-1], int):
        require(
            given[-1] != plain(n_classes),
            f"cutoffs must end below n_classes, which is no cutoff of its own, not at {given[-1]}",
        )
    return Clusters(plain(n_classes), given)


def check_features(in_features: int, div_value: float, tails: int) -> None:
    """Raise ConfigError where a tail would be left without a feature."""
    require_whole("in_features", plain(in_features), 1, 2**31 - 1)
    require(
        isinstance(plain(div_value), int | float) and 1 <= div_value < float("inf"),
        f"div_value must be a number from 1 on, not {div_value!r}",
    )
    for tail in range(1, tails + 1):
        require(
            in_features // div_value**tail >= 1,
            f"div_value must leave every tail a feature, and tail {tail} has in_features // "
            f"div_value**{tail} = {in_features} // {div_value:g}**{tail} = 0",
        )


def check_config(config: SoftmaxConfig, clusters: Clusters) -> None:
    """Raise ConfigError where a configuration is one of other clusters, or of shorter rows."""
    for name in ("vocabulary", "cutoffs"):
        given, own = getattr(config, name), getattr(clusters, name)
        require(given in (None, own), f"config must have {name} {own} or none, not {given}")
    for cluster, length in enumerate(clusters.lengths):
        where = f"tail {cluster}" if cluster else "the head"
        require(
            length <= config.max_length,
            f"config must have a max_length of at least {max(clusters.lengths)}, for {where} has "
            f"{length} elements, not {config.max_length}",
        )


def check_choices(reduction: str, ignore_index: int | None) -> None:
    """Raise ConfigError for a reduction or an index that there is not."""
    require(
        reduction in REDUCTIONS,
        f"reduction must be one of {', '.join(REDUCTIONS)}, not {reduction!r}",
    )
    if ignore_index is not None:
        require_whole("ignore_index", plain(ignore_index), -(2**63), 2**63 - 1)


def check_input(input: Tensor, features: int) -> None:
    """Raise ValueError where a tensor holds no tokens' features."""
    require_real("input", input)
    if input.ndim == 0 or input.shape[-1] != features:
        raise ValueError(
            f"input must have in_features = {features} along its last axis, not the shape "
            f"{tuple(input.shape)}"
        )


def check_target(name: str, target: Tensor, input: Tensor) -> None:
    """Raise ValueError where words are not one a token."""
    whole = not (target.is_floating_point() or target.is_complex())
    if target.shape != input.shape[:-1] or not whole:
        raise ValueError(
            f"{name} must be integers of shape {tuple(input.shape[:-1])}, a word a token, not "
            f"{str(target.dtype).removeprefix('torch.')} of shape {tuple(target.shape)}"
        )
