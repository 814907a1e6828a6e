"""Train the language model on the corpus and measure it on texts it has not seen."""

import math
from collections.abc import Callable

import torch
from torch import Tensor
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
    optimiser = torch.optim.Adam(model.parameters(), lr=LEARNING_RATE)
    schedule = torch.optim.lr_scheduler.LambdaLR(optimiser, _rate)
    for step in steps("language model", STEPS):
        starts = torch.randint(len(training) - CONTEXT, (BATCH, 1))
        batch = training[starts + torch.arange(CONTEXT + 1)]
        watch(step, model, batch)
        loss, _ = loss_and_heads(model, batch)
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        schedule.step()
    return model.eval()


def loss_and_heads(
    model: LanguageModel, windows: Tensor, reduction: str = "mean"
) -> tuple[Tensor, list[HeadVectors]]:
    """Cross-entropy in nats of the windows' tokens after the first, and what the heads computed.

    windows has the shape (texts, 257). The loss is the mean or the sum over all predicted tokens.
    """
    logits, layers = model(windows[:, :-1])
    predicted = windows[:, 1:].flatten()
    return functional.cross_entropy(logits.flatten(0, 1), predicted, reduction=reduction), layers


def perplexity(model: LanguageModel, held_out: Tensor) -> float:
    """The exponential of the mean loss over the held-out sections."""
    with torch.no_grad():
        losses = [loss_and_heads(model, windows(section))[0] for section in held_out]
    return torch.stack(losses).mean().exp().item()


def unigram_perplexity(training: Tensor, held_out: Tensor, words: int) -> float:
    """The perplexity of word frequencies alone, each training count raised by one."""
    counts = torch.bincount(training, minlength=words) + 1
    predicted = torch.stack([windows(section)[:, 1:] for section in held_out])
    return (counts.sum() / counts[predicted].double()).log().mean().exp().item()


def windows(section: Tensor) -> Tensor:
    """Cut a section into windows of shape (15, 257); neighbours share one token."""
    return section.unfold(0, CONTEXT + 1, CONTEXT)


def _rate(step: int) -> float:
    """Rise to the full learning rate, then fall to zero along half a cosine."""
    warm_up = min(1.0, (step + 1) / WARM_UP_STEPS)
    return warm_up * 0.5 * (1 + math.cos(math.pi * step / STEPS))
