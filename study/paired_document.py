"""The document of trainings in pairs: how they were made, and what came out."""

from collections.abc import Iterator, Sequence

from ..files import markdown_table
from . import paired_report, train_digits, train_language
from .paired_figures import Pairs
from .paired_networks import Digits, Language, Network
from .paired_training import PROMISED, Plan


def document(plans: Sequence[Plan], found: Sequence[Pairs], command: str, picture: str) -> str:
    """All of it as Markdown; every figure is one of the pairs.

    Args:
        command: that makes it again. picture: the name of the file beside it.
    """
    lines = [
        "# Training in pairs",
        "",
        f"Written by `{command}`; do not edit.",
        "",
        "Can one train with the units? The same networks were trained by float32 and by the units, "
        "forward and backward in fixed point, and compared on what they were not trained on. Both "
        "of a pair have the same split, initial weights and batches, and differ by the softmax "
        "alone.",
        "",
        *(f"- {_how(plan)}" for plan in plans),
        "- `float64 loss` is float32 again, but for the loss and its gradient, which are computed "
        "in float64. What it differs by is what float32's own rounding does to a training.",
        "- The interval is Student's, 95 %, of the mean of the differences of pairs. Of the worst "
        "seed, the difference is told.",
        "- Logits clipped: the share of all logits of a training that the loss's unit clipped; "
        "their gradient is 0.",
        f"- {_machine()} Another processor or release of torch rounds in another way, and gives "
        "other figures.",
        "",
        *_results(found, picture),
        f"## What `{PROMISED}` must keep",
        "",
        *_promises(found),
        "",
        "Other configurations are told as they are; nothing is asked of them.",
        *_many_classes(plans),
    ]
    return "\n".join(lines) + "\n"


def _many_classes(plans: Sequence[Plan]) -> list[str]:
    """Why a narrow output that does for ten classes does not for a vocabulary."""
    if not any(isinstance(plan.network, Language) for plan in plans):
        return []
    return [
        "",
        "An output of few bits rounds most probabilities of a large vocabulary to 0, and with them "
        "the gradients of these words: with `int8`, whatever is below 1/512. The target is pushed "
        "up, next to nothing is pushed down for it, and a row's gradient no longer adds up to 0. "
        'With `output_exponent = "row"` rows without a large probability keep theirs.',
    ]


def _how(plan: Plan) -> str:
    return f"{plan.network.name}, {len(plan.seeds)} seeds: {_training(plan.network)}"


def _training(network: Network) -> str:
    """How a network is trained, a sentence or two."""
    match network:
        case Digits():
            return (
                "the convolutional network of `study/train_digits.py` on scikit-learn's digits, "
                f"{100 * train_digits.HELD_OUT_SHARE:g} % of the images held out, {network.epochs} "
                f"epochs in batches of {train_digits.BATCH}. Adam has the learning rate "
                f"{train_digits.LEARNING_RATE:g}, SGD 0.05 and the momentum 0.9. The unit computes "
                "the loss and its gradient; the class is the largest logit."
            )
        case Language():
            return (
                "the causal transformer of `study/train_language.py`, "
                f"{network.updates} updates of the {train_language.STEPS} that its recordings "
                "have, with the learning rate's whole course. Units compute attention's softmax, "
                "its gradient, and the loss over all words with its gradient. The held-out loss is "
                "float32's cross-entropy, with the attention that was trained."
            )
    return f"{network.name}."


def _machine() -> str:
    on = paired_report.machine()
    return f"Trained on {on['processor']}, by torch {on['torch']} and Python {on['python']}."


def _results(found: Sequence[Pairs], picture: str) -> Iterator[str]:
    """A table each network, then the picture."""
    for network in dict.fromkeys(pairs.network for pairs in found):
        part = [pairs for pairs in found if pairs.network == network]
        yield from (f"## {network}: {part[0].measure.name}", "")
        rows = [paired_report.cells(pairs)[1:] for pairs in part]
        yield from (*markdown_table(paired_report.COLUMNS[1:], rows), "")
    yield from (f"![The difference of every seed]({picture})", "")


def _promises(found: Sequence[Pairs]) -> Iterator[str]:
    """What is asked of each of the promised ones, and whether it is kept."""
    for pairs in found:
        if pairs.promised:
            yield f"- {pairs.network}, {pairs.optimiser}, {pairs.softmax}: {_promise(pairs)}"


def _promise(pairs: Pairs) -> str:
    promise, unit = pairs.measure.promise, pairs.measure.of_difference
    asked = [f"no seed is worse by more than {promise.worst:g} {unit}"]
    if promise.within is not None:
        asked.insert(0, f"the interval lies within ±{promise.within:g} {unit}")
    return f"{', and '.join(asked)}: {'kept' if pairs.kept else '**not kept**'}."
