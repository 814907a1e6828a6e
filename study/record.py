"""Record the softmax inputs again: train both models and write everything below study/data.

Run as `python -m softmaxfx.study.record`. The recordings in the repository are what this script
wrote; another version of PyTorch or another processor gives slightly different numbers, so the
tests read the recordings and do not make them.
"""

import click
import numpy as np

from .recordings import RECORDINGS_FILE, corpus

try:
    import torch

    from . import corpus_from_stdlib, provenance
    from .record_attention import AttentionRecording, record_attention
    from .train_digits import DigitsRecording, record_digits
    from .train_language import perplexity, split, train, unigram_perplexity
except ModuleNotFoundError as error:
    raise SystemExit(
        f"recording needs the module {error.name}: install the extra softmaxfx[study]"
    ) from error


@click.command()
@click.option("--corpus-from-stdlib", is_flag=True, help="First build the corpus again.")
def main(corpus_from_stdlib: bool) -> None:
    """Train the two models on one core, in about seven minutes, and record their softmax inputs."""
    if corpus_from_stdlib:
        _build_corpus()
    torch.use_deterministic_algorithms(True)
    # How a sum is cut into threads changes its rounding, so the number of threads is fixed.
    torch.set_num_threads(1)
    digits = record_digits()
    attention, perplexities = _record_language()
    _write(digits, attention)
    provenance.write(perplexities)
    click.echo(f"wrote {RECORDINGS_FILE.name} and {provenance.PROVENANCE_FILE.name}")


def _build_corpus() -> None:
    """Build the corpus or end with the one sentence that says why not."""
    try:
        corpus_from_stdlib.build()
    except ValueError as error:
        raise click.ClickException(str(error)) from error


def _record_language() -> tuple[AttentionRecording, provenance.Perplexities]:
    """Train the language model, measure it and record its attention."""
    text = corpus()
    training, held_out = split(text)
    model = train(training, len(text.words))
    perplexities = provenance.Perplexities(
        model=perplexity(model, held_out),
        unigram=unigram_perplexity(training, held_out, len(text.words)),
    )
    return record_attention(model, held_out), perplexities


def _write(digits: DigitsRecording, attention: AttentionRecording) -> None:
    """Put both recordings into one file; the names are those that `recordings` reads."""
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


if __name__ == "__main__":
    main()
