"""Make the recordings again: train both models and write everything below study/data.

Run as `python -m softmaxfx.study.record`. The recordings in the repository are what this script
wrote; another version of PyTorch or another processor gives slightly different numbers, so the
tests read the recordings and do not make them.
"""

from functools import partial

import click
import numpy as np

from .recordings import GRADIENTS_FILE, RECORDINGS_FILE, corpus

try:
    import torch

    from . import corpus_from_stdlib, provenance
    from .record_attention import AttentionRecording, record_attention
    from .record_training import record_step
    from .train_digits import DigitsRecording, record_digits
    from .train_language import perplexity, split, train, unigram_perplexity
except ModuleNotFoundError as error:
    raise SystemExit(
        f"recording needs the module {error.name}: install the extra softmaxfx[study]"
    ) from error


@click.command()
@click.option("--corpus-from-stdlib", is_flag=True, help="First build the corpus again.")
def main(corpus_from_stdlib: bool) -> None:
    """Train the two models on one core, in about eight minutes, and record what a softmax meets."""
    if corpus_from_stdlib:
        _build_corpus()
    torch.use_deterministic_algorithms(True)
    # How a sum is cut into threads changes its rounding, so the number of threads is fixed.
    torch.set_num_threads(1)
    digits = record_digits()
    attention, training, perplexities = _record_language()
    _write(digits, attention)
    _write_gradients(training)
    provenance.write(perplexities)
    files = (RECORDINGS_FILE, GRADIENTS_FILE, provenance.PROVENANCE_FILE)
    click.echo(f"wrote {', '.join(file.name for file in files)}")


def _build_corpus() -> None:
    """Build the corpus or end with the one sentence that says why not."""
    try:
        corpus_from_stdlib.build()
    except ValueError as error:
        raise click.ClickException(str(error)) from error


def _record_language() -> tuple[
    AttentionRecording, dict[int, AttentionRecording], provenance.Perplexities
]:
    """Train the language model, measure it and record its attention, after and in training."""
    text = corpus()
    training, held_out = split(text)
    steps: dict[int, AttentionRecording] = {}
    model = train(training, len(text.words), watch=partial(record_step, steps))
    perplexities = provenance.Perplexities(
        model=perplexity(model, held_out),
        unigram=unigram_perplexity(training, held_out, len(text.words)),
    )
    return record_attention(model, held_out), steps, perplexities


def _write(digits: DigitsRecording, attention: AttentionRecording) -> None:
    """Put the finished models into one file; the names are those that `recordings` reads."""
    np.savez_compressed(
        RECORDINGS_FILE,
        digits=digits.logits,
        digits_target=digits.target,
        digits_held_out=digits.held_out,
        attention_query=attention.query,
        attention_key=attention.key,
        attention_value=attention.value,
        attention_grad_output=attention.grad_output,
        attention_grad_exponent=np.int8(attention.grad_exponent),
    )


def _write_gradients(training: dict[int, AttentionRecording]) -> None:
    """Put the recorded steps of the training into one file; the first axis is the step."""
    steps = training.values()
    np.savez_compressed(
        GRADIENTS_FILE,
        attention_step=np.array(list(training), dtype=np.int16),
        attention_query=np.stack([step.query for step in steps]),
        attention_key=np.stack([step.key for step in steps]),
        attention_value=np.stack([step.value for step in steps]),
        attention_grad_output=np.stack([step.grad_output for step in steps]),
        attention_grad_exponent=np.array([step.grad_exponent for step in steps], dtype=np.int8),
    )


if __name__ == "__main__":
    main()
