"""EfficientNet-Lite0, a classifier of pictures without squeeze-and-excitation, and with ReLU6.

See Tan and Le, "EfficientNet: Rethinking Model Scaling for Convolutional Neural Networks", 2019,
and https://github.com/tensorflow/tpu/tree/master/models/official/efficientnet/lite.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from torch import Tensor, nn
from torch.nn import functional

EPSILON = 1e-3
"""Of batch norms."""
STEM = 32


@dataclass(frozen=True)
class Stage:
    """Blocks one after the other: how many, the kernel's size, the first one's stride, by what the
    channels are widened inside, and the channels that come out."""

    blocks: int
    kernel: int
    stride: int
    widened: int
    channels: int


LITE0 = (
    Stage(1, 3, 1, 1, 16),
    Stage(2, 3, 2, 6, 24),
    Stage(2, 5, 2, 6, 40),
    Stage(3, 3, 2, 6, 80),
    Stage(3, 5, 1, 6, 112),
    Stage(4, 5, 2, 6, 192),
    Stage(1, 3, 1, 6, 320),
)


class EfficientNet(nn.Module):
    """Probabilities of a picture's classes."""

    def __init__(
        self, stages: tuple[Stage, ...] = LITE0, head: int = 1280, classes: int = 1000
    ) -> None:
        super().__init__()
        self._conv_stem = _Conv(3, STEM, 3, 2)
        self._bn0 = nn.BatchNorm2d(STEM, EPSILON)
        self._blocks = nn.ModuleList(_blocks(stages))
        self._conv_head = _Conv(stages[-1].channels, head, 1, 1)
        self._bn1 = nn.BatchNorm2d(head, EPSILON)
        self._fc = nn.Linear(head, classes)

    @classmethod
    def of(cls, weights: Mapping[str, Tensor]) -> "EfficientNet":
        """The model of the published weights, whose names are this class's."""
        model = cls()
        model.load_state_dict(weights)
        return model.eval().requires_grad_(False)

    def logits(self, pictures: Tensor) -> Tensor:
        """(pictures, classes), of pictures (pictures, 3, height, width) from -1 to 1."""
        x = functional.relu6(self._bn0(self._conv_stem(pictures)))
        for block in self._blocks:
            x = block(x)
        x = functional.relu6(self._bn1(self._conv_head(x)))
        return self._fc(x.mean(dim=(-2, -1)))

    def forward(self, pictures: Tensor) -> Tensor:
        """Probabilities, (pictures, classes), of what :meth:`logits` takes."""
        return functional.softmax(self.logits(pictures), dim=-1)


class _Block(nn.Module):
    """An inverted bottleneck: channels are widened, filtered one by one, and mixed again."""

    def __init__(self, channels: int, stage: Stage, stride: int) -> None:
        super().__init__()
        inside = channels * stage.widened
        self.skips = stride == 1 and channels == stage.channels
        self.widens = stage.widened != 1
        if self.widens:
            self._expand_conv = _Conv(channels, inside, 1, 1)
            self._bn0 = nn.BatchNorm2d(inside, EPSILON)
        self._depthwise_conv = _Conv(inside, inside, stage.kernel, stride, groups=inside)
        self._bn1 = nn.BatchNorm2d(inside, EPSILON)
        self._project_conv = _Conv(inside, stage.channels, 1, 1)
        self._bn2 = nn.BatchNorm2d(stage.channels, EPSILON)

    def forward(self, x: Tensor) -> Tensor:
        inside = functional.relu6(self._bn0(self._expand_conv(x))) if self.widens else x
        inside = functional.relu6(self._bn1(self._depthwise_conv(inside)))
        out = self._bn2(self._project_conv(inside))
        return x + out if self.skips else out


def _blocks(stages: tuple[Stage, ...]) -> list[_Block]:
    """All of them; a stage's first has its stride."""
    blocks, channels = [], STEM
    for stage in stages:
        for number in range(stage.blocks):
            blocks.append(_Block(channels, stage, 1 if number else stage.stride))
            channels = stage.channels
    return blocks


class _Conv(nn.Conv2d):
    """A convolution without bias, padded as TensorFlow does: what is odd goes to the right and to
    the bottom."""

    def __init__(self, channels: int, out: int, kernel: int, stride: int, groups: int = 1) -> None:
        super().__init__(channels, out, kernel, stride, groups=groups, bias=False)

    def forward(self, input: Tensor) -> Tensor:
        height, width = (self._padding(size) for size in input.shape[-2:])
        padded = functional.pad(
            input, (width // 2, width - width // 2, height // 2, height - height // 2)
        )
        return super().forward(padded)

    def _padding(self, size: int) -> int:
        """Zeros along an axis, for ceil(size / stride) results."""
        kernel, stride = self.kernel_size[0], self.stride[0]
        return max((-(-size // stride) - 1) * stride + kernel - size, 0)
