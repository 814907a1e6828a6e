"""Figures and float formats in words."""

BASELINES = ("fp32", "fp16", "bf16", "fp8_e4m3", "fp8_e5m2")
"""Float formats, finest first; roundings to decimals follow them."""


def baseline_title(name: str) -> str:
    """A float baseline, for people."""
    if name.startswith("round_"):
        places = name.removeprefix("round_")
        return f"p to {places} decimal{'' if places == '1' else 's'}"
    return name.replace("_", " ")


def baseline_order(name: str) -> tuple[int, str]:
    """Sorts baselines: formats as listed, then everything else by name."""
    return (BASELINES.index(name), "") if name in BASELINES else (len(BASELINES), name)


def figure_text(value: float | None) -> str:
    """A number with three significant digits, whole thousands with commas."""
    if value is None:
        return "-"
    if isinstance(value, int) or (abs(value) >= 1000 and float(value).is_integer()):
        return f"{value:,.0f}"
    if abs(value) >= 100:
        return f"{value:,.0f}"
    return f"{value:#.3g}".rstrip(".") if value and abs(value) >= 1e-4 else f"{value:.2g}"


def share_text(value: float | None) -> str:
    """A share in per cent; neither 0 nor all unless it is."""
    if value is None:
        return "-"
    percent = 100 * value
    if value == round(value):
        return f"{percent:.0f} %"
    if abs(percent) < 0.01:
        return f"{percent:.1g} %"
    return f"{percent:.3g} %" if percent < 99.95 else f"{percent:.5g} %"
