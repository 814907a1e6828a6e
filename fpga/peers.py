"""Other people's softmax hardware: figures that were taken once, and where each comes from."""

import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

_FILE = Path(__file__).parent / "data" / "peers.toml"


@dataclass(frozen=True, slots=True, kw_only=True)
class Peer:
    """Another project's unit on ECP5; ``None`` (or empty) where there is no such figure.

    Attributes:
        softmax: what it computes is one.
        fits: on the device; where it does not, there is no Fmax.
        formats: input and output, as the project spells them.
        fmax_mhz: one a seed, seed 1 first.
        lut, ff: of the unit, its wrapper subtracted.
        melem_per_s: with the first seed.
        latency: cycles from a row's first element in to its last one out.
        worst_error: largest |p - float64 softmax of the logits|, on the rows of
            :func:`.bench.sample_rows`.
        source: of the figures, and how they were taken. remark: what a reader must know with them.
        not_built: why it has no figures of a device; empty where it has.
    """

    name: str
    repository: str
    commit: str
    licence: str
    computes: str
    softmax: bool = True
    lanes: int | None = None
    fits: bool = True
    formats: str
    fmax_mhz: tuple[float, ...] = ()
    lut: int | None = None
    ff: int | None = None
    dsp: int | None = None
    bram: int | None = None
    elements_per_cycle: float | None = None
    melem_per_s: float | None = None
    melem_per_s_per_lut: float | None = None
    latency: str = ""
    worst_error: float | None = None
    date: str
    source: str
    remark: str
    not_built: str = ""

    @property
    def url(self) -> str:
        """The source that was measured."""
        return f"https://github.com/{self.repository}/tree/{self.commit}"


@dataclass(frozen=True, slots=True)
class Peers:
    """All of them, the densest first.

    Attributes:
        measurement: how the figures of the device were taken.
    """

    peers: tuple[Peer, ...]
    measurement: dict[str, Any]

    @property
    def built(self) -> list[Peer]:
        """Those with figures of the device."""
        return [peer for peer in self.peers if not peer.not_built]

    @property
    def not_built(self) -> list[Peer]:
        """Those that could not be synthesised."""
        return [peer for peer in self.peers if peer.not_built]


def load_peers() -> Peers:
    """The peers of this package's data file."""
    document = tomllib.loads(_FILE.read_text())
    peers = [
        Peer(**{**fields, "fmax_mhz": tuple(fields.get("fmax_mhz", ()))})
        for fields in document["peer"]
    ]
    peers.sort(key=lambda peer: (not peer.softmax, -(peer.melem_per_s_per_lut or 0)))
    return Peers(tuple(peers), document["measurement"])
