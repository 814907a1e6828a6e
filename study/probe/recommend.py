"""Which unit to take for what was recorded: a preset, an input format and an output format."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

from ...golden.config import SoftmaxConfig, preset
from ...golden.errors import ConfigError
from ...golden.formats import SQ, UQ, Format
from ..sweep.report.curves import FACTOR
from ..sweep.report.texts import figure_text, share_text
from .seen import Seen
from .trials import NOTICED, Trial, fewer, tried

PRESETS = ("int8", "int8_row", "base", "full")
"""What is compared, the smallest units first."""
KEPT_WINNERS = 0.995
"""Share of the rows whose winner has to stay, over all sites that decide an answer."""
CLIPPED_WINNERS = 0.001
"""Share of the rows of a site whose winner may saturate."""
MOST_LOST = 0.02
"""Nats that a preset may lose at a site: with them goes a fiftieth of the mass at most, as the tail
of many classes does where it rounds to 0."""
INPUT_FRACTIONS = (2, 3, 4, 5, 6, 7, 8, 9, 10)
OUTPUTS = ((8, False), (8, True), (10, False), (12, False), (14, False), (16, False))
"""Fraction bits that are tried, and whether rows have an exponent of their own."""
WIDEST = 13
"""Integer bits that the exp tables of ``exact_sum`` have room for."""

RULE = (
    "What a unit loses is its divergence from float64, the mean over rows of "
    "sum p ln(p / float64's p) + 1 - sum p. A preset is taken to be good enough where no site "
    f"loses more than {MOST_LOST:g} nats, {share_text(KEPT_WINNERS)} of the rows that decide an "
    "answer (not attention's) keep their winner, ties shared out, and the winner saturates in no "
    f"more than {share_text(CLIPPED_WINNERS)} of the rows of any site; the smallest of these is "
    f"recommended. A format is, where it loses no more than {NOTICED:g} nats or {FACTOR:g} times "
    "what the best one loses, and keeps as many winners. Other inputs have other logits: leave "
    "room."
)

Progress = Callable[[float], object]


@dataclass(frozen=True, eq=False)
class Choice:
    """A preset on trial.

    Attributes:
        clipped: share of all rows whose winner saturates, of the site where it is largest.
        clipped_site: that site. limit: the range beyond which winners saturate.
    """

    name: str
    trial: Trial
    limit: float
    clipped: float
    clipped_site: str

    @property
    def good(self) -> bool:
        """By :data:`RULE`."""
        return _within(self.trial, MOST_LOST) and self.clipped <= CLIPPED_WINNERS


@dataclass(frozen=True, eq=False)
class Recommendation:
    """What is recommended.

    Attributes:
        choices: all presets. preset: the name of the one to take; empty where none is good enough.
        inputs, outputs: formats on trial. input: the one to take; None where no unit holds the
            logits. output: the same, of the probabilities; ``row_exponent`` where rows need one.
        sentence: all of it in a sentence.
    """

    choices: Sequence[Choice]
    preset: str
    inputs: Sequence[Trial]
    outputs: Sequence[Trial]
    input: Format | None
    output: Format | None
    row_exponent: bool
    sentence: str

    @property
    def formats(self) -> str:
        """The formats to take, in words."""
        if self.input is None or self.output is None:
            return "no format"
        exponent = ", each row with an exponent" if self.row_exponent else ""
        return f"{self.input} to {self.output}{exponent}"


def recommend(
    sites: Sequence[Seen], presets: Sequence[str] = PRESETS, progress: Progress = lambda _: None
) -> Recommendation:
    """Try presets and formats on the rows that were kept.

    Args:
        progress: told the share that is done.
    """
    steps = len(presets) + len(INPUT_FRACTIONS) + len(OUTPUTS)
    done = iter(range(1, steps + 1))

    def told(trial: Trial) -> Trial:
        progress(next(done) / steps)
        return trial

    choices = [_choice(name, told(tried(name, preset(name), sites)), sites) for name in presets]
    few = [fewer(site) for site in sites]
    bits = integer_bits(sites)
    inputs = [told(trial) for trial in _inputs(bits, few)]
    chosen = _fewest(inputs)
    fmt = chosen.config.input if chosen and chosen.config else None
    outputs = [told(trial) for trial in _outputs(fmt, few)] if fmt else []
    output = _fewest(outputs)
    progress(1.0)
    good = [choice.name for choice in choices if choice.good]
    return Recommendation(
        choices,
        good[0] if good else "",
        inputs,
        outputs,
        fmt,
        output.config.output if output and output.config else None,
        bool(output and output.config and output.config.has_exponent),
        _sentence(choices, sites, bits),
    )


def integer_bits(sites: Iterable[Seen]) -> int:
    """Integer bits, the sign among them, with which no row's winner saturates."""
    tops = [site.figures.top for site in sites]
    low = min(top.low for top in tops if top.low is not None)
    high = max(top.high for top in tops if top.high is not None)
    bits = 1
    # half a unit of the coarsest fraction is left above: what rounds up to the limit saturates
    while not -(2.0 ** (bits - 1)) <= low <= high < 2.0 ** (bits - 1) - 2.0 ** -INPUT_FRACTIONS[0]:
        bits += 1
    return bits


def wide(fmt: Format, output: Format, exponent: bool = False) -> SoftmaxConfig:
    """A unit that clips nothing: an exact sum over its whole input format.

    Raises:
        ConfigError: no unit has such an input.
    """
    return preset("full").replace(
        input=fmt,
        output=output,
        range=2.0 ** (fmt.i - 1),
        output_exponent="row" if exponent else "none",
        loss=UQ(min(fmt.i + 1, 13), 8),
    )


def _inputs(bits: int, sites: Sequence[Seen]) -> Iterator[Trial]:
    """Input formats with an output that loses next to nothing."""
    for fraction in INPUT_FRACTIONS:
        yield _tried(SQ(bits, fraction), UQ(0, 16), False, sites)


def _outputs(fmt: Format, sites: Sequence[Seen]) -> Iterator[Trial]:
    for fraction, exponent in OUTPUTS:
        yield _tried(fmt, UQ(0, fraction), exponent, sites)


def _tried(fmt: Format, output: Format, exponent: bool, sites: Sequence[Seen]) -> Trial:
    name = f"{fmt} to {output}{' and s' if exponent else ''}"
    try:
        config = wide(fmt, output, exponent)
    except ConfigError as error:
        return Trial(name, None, (), str(error))
    return tried(name, config, sites)


def good_enough(trials: Sequence[Trial]) -> list[bool]:
    """Which formats are, by :data:`RULE`, of those that were tried together."""
    least = min((trial.lost for trial in trials if trial.config is not None), default=0.0)
    return [_within(trial, max(NOTICED, FACTOR * least)) for trial in trials]


def _within(trial: Trial, most: float) -> bool:
    return trial.lost <= most and (trial.top1 is None or trial.top1 >= KEPT_WINNERS)


def _fewest(trials: Sequence[Trial]) -> Trial | None:
    """The fewest bits that are good enough, as all with more bits are; where none are, those that
    lose least."""
    kept = good_enough(trials)
    for place, trial in enumerate(trials):
        alone = trial.config is not None and trial.config.has_exponent
        if kept[place] and (alone or all(kept[place:])):
            return trial
    feasible = [trial for trial in trials if trial.config is not None]
    return min(feasible, key=lambda trial: trial.lost, default=None)


def _choice(name: str, trial: Trial, sites: Sequence[Seen]) -> Choice:
    config = preset(name)
    limit = config.range if config.clip == "input" else 2.0 ** (config.input.i - 1)
    shares = {site.name: site.figures.beyond[f"{limit:g}"] or 0.0 for site in sites}
    worst = max(shares, key=lambda name: shares[name])
    return Choice(name, trial, limit, shares[worst], worst)


def _sentence(choices: Sequence[Choice], sites: Sequence[Seen], bits: int) -> str:
    """What to take, and why not what is smaller."""
    place = next((place for place, choice in enumerate(choices) if choice.good), None)
    if place is None:
        return f"Take none of the presets: {_failure(choices[-1])}. {_beyond(choices[-1], bits)}"
    chosen = choices[place]
    if place == 0:
        return (
            f"Take {chosen.name}: of {_counted(sites)} rows {share_text(chosen.clipped)} at most, "
            f"of any site, have their maximum beyond ±{chosen.limit:g}, and none loses more than "
            f"{figure_text(chosen.trial.lost)} nats."
        )
    return f"Take {chosen.name}: {_failure(*_strongest(choices[:place]))}."


def _strongest(failed: Sequence[Choice]) -> Sequence[Choice]:
    """Of the units that are too small those that fail alike, by saturation if any does."""
    clipped = [choice for choice in failed if choice.clipped > CLIPPED_WINNERS]
    most = max((choice.clipped for choice in clipped), default=0.0)
    return [choice for choice in clipped if choice.clipped == most] or failed[-1:]


def _failure(*choices: Choice) -> str:
    """Why presets that fail alike are not good enough, without a full stop."""
    choice, trial = choices[0], choices[0].trial
    if choice.clipped > CLIPPED_WINNERS:
        return (
            f"{share_text(choice.clipped)} of the rows of {choice.clipped_site} have their maximum "
            f"beyond ±{choice.limit:g}, where {_listed([one.name for one in choices])} "
            f"saturate{'s' * (len(choices) == 1)}"
        )
    if trial.infeasible:
        return f"{choice.name} cannot be built for these rows ({trial.infeasible})"
    if trial.lost > MOST_LOST and trial.worst is not None:
        return (
            f"{choice.name} loses {figure_text(trial.lost)} nats a row of {trial.worst.site}, and "
            f"{MOST_LOST:g} are allowed"
        )
    return (
        f"{choice.name} keeps the winner of {share_text(trial.top1)} of the rows, and "
        f"{share_text(KEPT_WINNERS)} are asked for"
    )


def _listed(names: Sequence[str]) -> str:
    *first, last = names
    return f"{', '.join(first)} and {last}" if first else last


def _beyond(choice: Choice, bits: int) -> str:
    if choice.clipped <= CLIPPED_WINNERS:
        return "See the formats."
    if bits > WIDEST:
        return "No unit holds them: scale the logits."
    return f"An input of {bits} integer bits holds them."


def _counted(sites: Sequence[Seen]) -> str:
    return f"{sum(site.figures.rows for site in sites):,}"
