"""Measure networks by softmaxes, each once: results are kept under a hash of all they depend on."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ...cache import Cache, completed
from ...golden.errors import require
from ...outcomes import Outcome
from ..one_thread import one_thread
from ..tasks import MadeBy
from .figures import Figures
from .goals import Found
from .registry import Network
from .softmaxes import Softmax
from .variants import REFERENCE, Group

MADE_BY = MadeBy(
    "model",
    (
        "golden", "study.one_thread",
        *(
            f"study.models.{name}"
            for name in (
                "answers", "classifier", "efficientnet", "float_attention", "gguf_file", "language",
                "minilm", "photographs", "registry", "safetensors_file", "sentences", "smollm2",
                "softmaxes", "texts", "tiny", "tokenisers",
            )
        ),
    ),
)  # fmt: skip
"""What the figures of a network are made by."""


@dataclass(frozen=True)
class Measurement:
    """A network with a softmax."""

    network: Network
    softmax: Softmax

    @property
    def long(self) -> bool:
        return True

    @property
    def key(self) -> str:
        """SHA-256 of all that its outcome depends on."""
        return MADE_BY.key(self.network.told, self.softmax.told)

    def run(self, folder: Path, given: dict[str, Network]) -> Figures:
        """The figures; the network is the maker's, which keeps what it has read."""
        with one_thread():
            return given[self.network.name].measure(self.softmax)


Run = Callable[[list[Measurement]], Iterator[tuple[Measurement, Outcome]]]
"""Does measurements, and tells each with its outcome as they end. See :mod:`...engine`."""


def measured(
    networks: Sequence[Network],
    groups: Sequence[Group],
    cache: Cache,
    run: Run,
    tell: Callable[[float], object],
) -> Found:
    """Figures by the names of networks and softmaxes, float32's own among them.

    Args:
        cache: keeps them. run: measures what is not known. tell: called with the share that is
            known.

    Raises:
        ConfigError: a measurement that came to no end.
    """
    wanted = {
        (network.name, softmax.name): Measurement(network, softmax)
        for softmax in (REFERENCE, *(each for group in groups for each in group.softmaxes))
        for network in networks
    }
    found = completed(cache, list(wanted.values()), run, tell, is_kept=_ended)
    return {names: found[each.key].value for names, each in wanted.items()}


def _ended(measurement: Measurement, outcome: Outcome) -> bool:
    """True; one that fails ends all of them."""
    require(
        outcome.status == "done",
        f"{measurement.network.name} with {measurement.softmax.name} came to no end: "
        f"{outcome.reason}",
    )
    return True


def given(networks: Sequence[Network]) -> dict[str, Any]:
    """What the maker hands to every measurement."""
    return {network.name: network for network in networks}
