"""A picture of the units beside other open hardware."""

from pathlib import Path

from ..files import png, write_whole
from .bench import Result, softmax_results
from .bench_cells import error_text
from .peers import Peers

_OURS, _PORTABLE, _THEIRS, _OTHER = "#1b5e9b", "#8fb8de", "#d9822b", "#bbbbbb"
"""Colours."""


def write_picture(results: list[Result], peers: Peers, path: Path) -> None:
    """Melem/s per LUT of softmax on ECP5, a bar each on a logarithmic axis; a PNG."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot as plt
    from matplotlib.patches import Patch

    bars = []
    for result in softmax_results(results):
        if result.synthesis is not None and result.case.device.name == "ecp5":
            value = result.synthesis.to_dict()["melem_per_s_per_lut"]
            name = f"{result.case.name}{', portable' if result.case.portable else ''}"
            bars.append((name, value, _PORTABLE if result.case.portable else _OURS,
                         result.worst_error))  # fmt: skip
    for peer in peers.built:
        if peer.melem_per_s_per_lut is not None:
            lanes = f"{peer.lanes} lane{'s' if peer.lanes != 1 else ''}"
            bars.append((f"{peer.name}, {lanes}", peer.melem_per_s_per_lut,
                         _THEIRS if peer.softmax else _OTHER, peer.worst_error))  # fmt: skip
    values = [bar[1] for bar in bars]
    figure, axis = plt.subplots(figsize=(9, 0.8 + 0.3 * len(bars)))
    places = range(len(bars), 0, -1)
    axis.barh(places, values, color=[bar[2] for bar in bars])
    for place, (_, value, _, error) in zip(places, bars, strict=True):
        caption = f" {value:#.2g}" + (f"  (error {error_text(error)})" if error is not None else "")
        axis.text(value, place, caption, va="center", fontsize=8)
    axis.set_yticks(places, [bar[0] for bar in bars], fontsize=8)
    axis.set_xscale("log")
    axis.set_xlim(min(values) / 4, 8 * max(values))
    axis.set_xlabel("Melem/s per LUT on ECP5 (logarithmic); error: the largest on the same rows")
    axis.spines[["top", "right"]].set_visible(False)
    legend = (
        ("ours, with primitives", _OURS), ("ours, portable", _PORTABLE),
        ("others", _THEIRS), ("others, not a softmax", _OTHER),
    )  # fmt: skip
    axis.legend(
        handles=[Patch(color=color, label=label) for label, color in legend],
        loc="lower right", fontsize=8, frameon=False,
    )  # fmt: skip
    figure.tight_layout()
    content = png(figure)
    plt.close(figure)
    write_whole(path, content)
