"""Record what attention heads compute and receive while the language model is being trained.

The gradients are those that training itself follows: of the mean loss over its batch, with the
weights and the windows of that step. A fixed-point backward pass meets all of them with formats
that do not change, so the steps are spread from the untrained model to the last update.
"""

from torch import Tensor

from .language_model import HEADS, LAYERS, LanguageModel
from .record_attention import AttentionRecording, record_heads
from .train_language import STEPS, WARM_UP_STEPS, loss_and_heads

# Finished steps: none, then the warm-up (the learning rate is at its highest), a quarter, and all
# but the last.
RECORDED_STEPS = (0, WARM_UP_STEPS, STEPS // 4, STEPS - 1)

# The first head of every layer, on the first text of the batch.
MAPS = slice(0, LAYERS * HEADS, HEADS)


def record_step(
    recorded: dict[int, AttentionRecording], step: int, model: LanguageModel, windows: Tensor
) -> None:
    """Add the recording of a chosen step; leaves the model and its gradients alone."""
    if step in RECORDED_STEPS:
        loss, layers = loss_and_heads(model, windows)
        recorded[step] = record_heads(loss, layers, maps=MAPS, maps_with_gradient=MAPS)
