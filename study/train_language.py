"""Train the language model on the corpus and measure it on texts it has not seen."""

import math
from collections.abc import Callable, Iterable, Iterator
from functools import partial

import torch
from torch import Generator, Tensor
from torch.nn import functional

from .language_model import CONTEXT, HeadVectors, LanguageModel
from .progress_bar import steps
from .recordings import Corpus

SEED = 2
STEPS = 1200
WARM_UP_STEPS = 50
BATCH = 8
LEARNING_RATE = 3e-3

# Every tenth stretch of the corpus is held out: the modules come in alphabetical order, so one
# long held-out piece would test other subjects than those that were trained on.
SECTION = 4096
HELD_OUT_EVERY = 10

# Called before every step with the number of finished steps, the model and the step's windows.
# It must neither change the model nor draw random numbers.
Watch = Callable[[int, LanguageModel, Tensor], None]

# Takes logits (tokens, words) and the words that came, (tokens,).
Loss = Callable[[Tensor, Tensor], Tensor]


def split(corpus: Corpus) -> tuple[Tensor, Tensor]:
    """The training tokens, shape (length,), and the held-out sections, shape (sections, 4096)."""
    tokens = torch.tensor(corpus.tokens.astype("int64"))
    sections = tokens[: len(tokens) // SECTION * SECTION].view(-1, SECTION)
    held_out = torch.arange(len(sections)) % HELD_OUT_EVERY == HELD_OUT_EVERY // 2
    return sections[~held_out].flatten(), sections[held_out]


def train(training: Tensor, words: int, watch: Watch) -> LanguageModel:
    """Train from the fixed seed on windows that start at random tokens."""
    torch.manual_seed(SEED)
    model = LanguageModel(words)
    drawn = batches(training, steps("language model", STEPS), torch.default_generator)
    learn(model, drawn, STEPS, functional.cross_entropy, watch)
    return model.eval()


def batches(training: Tensor, updates: Iterable[int], generator: Generator) -> Iterator[Tensor]:
    """For every update eight windows, shape (8, 257), that start at random tokens."""
    for _ in updates:
        starts = torch.randint(len(training) - CONTEXT, (BATCH, 1), generator=generator)
        yield training[starts + torch.arange(CONTEXT + 1)]


def learn(
    model: LanguageModel, drawn: Iterable[Tensor], updates: int, loss: Loss, watch: Watch
) -> None:
    """Minimise the loss over batches, of which there are as many as ``updates`` says."""
    optimiser = torch.optim.Adam(model.parameters(), lr=LEARNING_RATE)
    schedule = torch.optim.lr_scheduler.LambdaLR(optimiser, partial(_rate, updates))
    for step, batch in enumerate(drawn):
        watch(step, model, batch)
        minimised, _ = loss_and_heads(model, batch, loss)
        optimiser.zero_grad()
        minimised.backward()
        optimiser.step()
        schedule.step()


def loss_and_heads(
    model: LanguageModel, windows: Tensor, loss: Loss = functional.cross_entropy
) -> tuple[Tensor, list[HeadVectors]]:
    """The loss of the windows' tokens after the first, and what the heads computed.

    windows has the shape (texts, 257). The loss is the mean cross-entropy in nats over all
    predicted tokens, unless another is given.
    """
    logits, layers = model(windows[:, :-1])
    return loss(logits.flatten(0, 1), windows[:, 1:].flatten()), layers


def perplexity(model: LanguageModel, held_out: Tensor) -> float:
    """The exponential of the mean loss over the held-out sections."""
    return held_out_loss(model, held_out).exp().item()


def held_out_loss(model: LanguageModel, held_out: Tensor) -> Tensor:
    """The mean cross-entropy in nats over the held-out sections, of no dimension."""
    with torch.no_grad():
        losses = [loss_and_heads(model, windows(section))[0] for section in held_out]
    return torch.stack(losses).mean()


def unigram_perplexity(training: Tensor, held_out: Tensor, words: int) -> float:
    """The perplexity of word frequencies alone, each training count raised by one."""
    counts = torch.bincount(training, minlength=words) + 1
    predicted = torch.stack([windows(section)[:, 1:] for section in held_out])
    return (counts.sum() / counts[predicted].double()).log().mean().exp().item()


def windows(section: Tensor) -> Tensor:
    """Cut a section into windows of shape (15, 257); neighbours share one token."""
    return section.unfold(0, CONTEXT + 1, CONTEXT)


def _rate(updates: int, step: int) -> float:
    """Rise to the full learning rate, then fall to zero along half a cosine."""
    warm_up = min(1.0, (step + 1) / WARM_UP_STEPS)
    return warm_up * 0.5 * (1 + math.cos(math.pi * step / updates))
