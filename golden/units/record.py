"""What a unit is, declared once: its streams, what it depends on, and how far it can be off."""

from collections.abc import Callable, Collection
from dataclasses import dataclass

from ..config import SoftmaxConfig
from ..formats import Format
from ..ports.status import STATUS

STATUS_TEXT = "bit " + ", ".join(f"{bit} {name}" for bit, name in enumerate(STATUS))
ROW_TEXT = f"{STATUS_TEXT}, {len(STATUS)} + lane clipped"
EXPONENT_TEXT = "the bits above the row's exponent s: elements are multiplied by 2^s"
MASK_TEXT = "bit a lane: 1 leaves the element out"
PASS_TEXT = "the bit above marks the beats of a first pass"
PREDICT_TEXT = "1: the word is to be predicted, tdata is not looked at"
WORD_TEXT = "the bits above the word, told or predicted; 0 where it is ignored"
CLUSTER_TEXT = "the cluster of the row, 0 the head"


@dataclass(frozen=True, slots=True)
class StreamRecord:
    """A stream port of a unit.

    Attributes:
        name: prefix of its signals. inward: beats go into the unit.
        format: of its elements, of a configuration.
        role: what they are called where formats are listed; empty where they always are the same.
        user: what tuser says, in words; empty where there is none.
        more_user: what it says besides, where words are predicted.
        exponent: tuser says a row's exponent too, where rows have one.
        passes: tuser marks a first pass too, where rows come twice.
        dest: what tdest says, in words; empty where there is none.
        counts: what ends with a beat, or where there is tlast, with that: as many come as go, once
            all have gone through.
        answers: the stream that asks for its rows, one a beat; empty where none does.
    """

    name: str
    inward: bool
    format: Callable[[SoftmaxConfig], Format]
    role: str
    user: str = ""
    exponent: bool = False
    passes: bool = False
    dest: str = ""
    more_user: str = ""
    counts: str = "row"
    answers: str = ""

    def user_text(self, config: SoftmaxConfig) -> str:
        """What tuser says, of a configuration."""
        texts = [
            self.user,
            EXPONENT_TEXT if self.exponent and config.has_exponent else "",
            PASS_TEXT if self.passes and config.two_passes else "",
            self.more_user if config.predicts else "",
        ]
        return ", ".join(filter(None, texts))


@dataclass(frozen=True, slots=True)
class UnitRecord:
    """A unit.

    Attributes:
        name: by which every room knows it.
        fields: of the configuration, those it depends on.
        streams: its stream ports; the main output is ``m_axis``.
        bounds: proven errors by their names in the sidecar, ``bound_ulp`` the first. Proving them
            refuses a configuration that cannot keep a promise.
    """

    name: str
    fields: Collection[str]
    streams: tuple[StreamRecord, ...]
    bounds: Callable[[SoftmaxConfig], dict[str, float]]

    def formats(self, config: SoftmaxConfig) -> dict[str, Format]:
        """Format of every role."""
        return {stream.role: stream.format(config) for stream in self.streams if stream.role}

    def stream_formats(self, config: SoftmaxConfig) -> dict[str, Format]:
        """Format of the elements of every stream."""
        return {stream.name: stream.format(config) for stream in self.streams}

    def stream(self, name: str) -> StreamRecord:
        """The stream of a name."""
        return next(stream for stream in self.streams if stream.name == name)

    def sha256(self, config: SoftmaxConfig) -> str:
        """Hash of a configuration, equal for those that make equal units."""
        return config.sha256(self.fields)
