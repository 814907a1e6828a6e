"""The figures of our units and of the peers, as cells of tables."""

from .bench import Result
from .peers import Peer
from .synthesis import DSP_LUTS
from .synthesis_report import FIGURES

UNIT_COLUMNS = (
    "unit", "lanes", "datapath", "target", "input → output", "proven bound\nulp", "largest error",
    *(name for name, _ in FIGURES),
)  # fmt: skip
GRADIENT_COLUMNS = (
    "unit", "lanes", "max_length", "inputs → outputs", "proven bounds\nulp",
    *(name for name, _ in FIGURES),
)  # fmt: skip
PEER_COLUMNS = (
    "unit", "what it computes", "lanes", "input → output", "largest error",
    "Fmax MHz", "LUT", "FF", "DSP", "BRAM", "elements per cycle", "latency cycles", "Melem/s",
    "Melem/s per LUT", "licence", "remark", "date and source",
)  # fmt: skip
NONE = "-"


def result_row(result: Result, failure: str) -> list[str]:
    """A row of :data:`UNIT_COLUMNS`; ``failure`` where there are no figures."""
    description = result.unit.description
    return [
        result.case.preset,
        str(description["lanes"]),
        description["datapath"],
        result.case.target,
        f"{description['formats']['input']} → {description['formats']['output']}",
        f"{description['bound_ulp']:.3f}",
        error_text(result.worst_error),
        *_figures(result, failure),
    ]


def gradient_row(result: Result) -> list[str]:
    """A row of :data:`GRADIENT_COLUMNS`."""
    description = result.unit.description
    formats, places = description["formats"], ("p", "input", "grad_input")
    given = [fmt for name, fmt in formats.items() if name in places]
    made = [fmt for name, fmt in formats.items() if name not in places]
    bounds = [description[name] for name in ("bound_ulp", "loss_bound_ulp") if name in description]
    return [
        " ".join(
            filter(None, [description["unit"], description["preset"], description["datapath"]])
        ),
        str(description["lanes"]),
        f"{result.case.config.max_length:,}",
        f"{', '.join(given)} → {', '.join(made)}",
        ", ".join(f"{bound:.3f}" for bound in bounds),
        *_figures(result, result.failure),
    ]


def _figures(result: Result, failure: str) -> list[str]:
    """Of :data:`FIGURES`."""
    if result.synthesis is None:
        return [failure, *[NONE] * (len(FIGURES) - 1)]
    fields = result.synthesis.to_dict()
    return [cell(fields) for _, cell in FIGURES]


def peer_unit_row(peer: Peer) -> list[str]:
    """A row of :data:`UNIT_COLUMNS`."""
    rate, lut, dsp = peer.melem_per_s, peer.lut, peer.dsp
    together = rate / (lut + DSP_LUTS * dsp) if rate and lut and dsp is not None else None
    return [
        peer.name if peer.softmax else f"({peer.name})",
        *_some(peer.lanes),
        NONE,
        "ecp5",
        peer.formats,
        NONE,
        error_text(peer.worst_error),
        *_peer_figures(peer, latency=NONE),  # theirs counts from a row's first element on
        _rate(peer.melem_per_s_per_lut),
        NONE if together is None else f"{together:.3g}",
    ]


def peer_row(peer: Peer) -> list[str]:
    """A row of :data:`PEER_COLUMNS`: all that is known of a peer."""
    return [
        f"[{peer.name}]({peer.url})",
        peer.computes,
        *_some(peer.lanes),
        peer.formats,
        error_text(peer.worst_error),
        *_peer_figures(peer, latency=peer.latency),
        _rate(peer.melem_per_s_per_lut),
        peer.licence,
        peer.remark,
        f"{peer.date}: {peer.source}",
    ]


def _peer_figures(peer: Peer, latency: str) -> list[str]:
    """Fmax, LUT, FF, DSP, BRAM, elements per cycle, latency and Melem/s."""
    fmax = f"{peer.fmax_mhz[0]:.1f}" if peer.fits else "does not fit"
    if len(peer.fmax_mhz) > 1:
        fmax += f" ({min(peer.fmax_mhz):.1f}-{max(peer.fmax_mhz):.1f})"
    return [
        fmax,
        *_some(peer.lut, peer.ff, peer.dsp, peer.bram),
        _rate(peer.elements_per_cycle),
        latency,
        _rate(peer.melem_per_s),
    ]


def _some(*counts: int | None) -> list[str]:
    return [NONE if count is None else f"{count:,}" for count in counts]


def _rate(value: float | None) -> str:
    return NONE if value is None else f"{value:,.4g}"


def error_text(value: float | None) -> str:
    """An error as a power of ten."""
    return NONE if value is None else f"{value:.1e}"
