"""Tokens and the rows that answer them, as beats of the adaptive softmax, and golden's answer."""

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from softmaxfx.golden import SoftmaxConfig
from softmaxfx.golden.units.adaptive_rows import Came, answered, requests, token_losses

from .hostile import Stream
from .rows import bytes_of_container, ident_of, packed

LARGEST = (1 << 32) - 1


@dataclass
class Traffic:
    """What goes in by each port: words, and rows in the order in which they are asked for."""

    config: SoftmaxConfig
    rng: np.random.Generator = field(default_factory=lambda: np.random.default_rng(170))
    words: list[int] = field(default_factory=list)
    predict: list[bool] = field(default_factory=list)
    rows: list[Stream] = field(default_factory=list)

    def tell(self, word: int, *, broken: str = "") -> None:
        """A token whose word is told; what is broken is its last row."""
        (cluster,) = self.config.clusters.locate([word])[0].tolist()
        self.words.append(word % (1 << 32))
        self.predict.append(False)
        clusters = [0, *([cluster] if cluster > 0 else [])] if cluster >= 0 else []
        for j in clusters:
            self.rows.append(self.row(j, broken=broken if j == clusters[-1] else ""))

    def ask(self, *, broken: str = "") -> None:
        """A token whose word is predicted; what is broken is the head's row."""
        self.words.append(int(self.rng.integers(0, 1 << 32)))  # not looked at
        self.predict.append(True)
        rows, before = [self.row(0, broken=broken)], self.rows
        for _ in range(2):
            alone = Traffic(self.config, words=[0], predict=[True], rows=rows)
            if len(alone.requests().cluster) > len(rows):
                rows.append(self.row(int(alone.requests().cluster[-1])))
        self.rows = before + rows

    def row(self, cluster: int, *, broken: str = "") -> Stream:
        """A row of random codes, some masked, of a cluster's length or of another."""
        config, rng = self.config, self.rng
        lanes, length = config.lanes, config.clusters.lengths[cluster]
        other = {
            "short": max(length - 1, 1), "long": length + 1, "a beat short": max(length - lanes, 1),
            "a beat long": length + lanes, "endless": 7 * config.max_length + 3, "empty": 0,
        }  # fmt: skip
        length = other.get(broken, length)
        beats = max(-(-length // lanes), 1) + (broken == "null beat")
        keep = np.arange(beats * lanes).reshape(beats, lanes) < length
        if broken == "hole":
            keep[rng.integers(beats), 0] = False
        low, high = config.input.min_code, config.input.max_code
        codes = rng.integers(low, high + 1, (beats, lanes))
        if rng.random() < 0.3:  # ties
            codes = rng.choice(codes[0], codes.shape)
        size = bytes_of_container(config)
        return Stream(
            data=codes,
            keep=np.repeat(keep[:, :, None], size, axis=2),
            mask=rng.random(codes.shape) < rng.choice([0, 0, 0.3, 1], p=[0.5, 0.2, 0.2, 0.1]),
            last=np.arange(beats) == beats - 1,
            ident=np.full(beats, rng.integers(0, 1 << config.id_width)),
        )

    @property
    def stream(self) -> Stream:
        """All rows, one after another."""
        names = ("data", "keep", "mask", "last", "ident")
        return Stream(*(np.concatenate([getattr(r, name) for r in self.rows]) for name in names))

    def _came(self) -> Came:
        stream = self.stream
        return Came.of(stream.frames(self.config), stream.last)

    def requests(self):
        """What is asked for."""
        words = np.array(self.words, np.int64)
        return requests(words, np.array(self.predict), self._came(), self.config)

    def inputs(self) -> list[dict[str, Any]]:
        """Beats of the port of words."""
        pairs = zip(self.words, self.predict, strict=True)
        return [{"word": word, **self._predicted("predict", predict)} for word, predict in pairs]

    def _predicted(self, name: str, value: int) -> dict[str, int]:
        """A field that is there where the unit predicts words."""
        return {name: int(value)} if self.config.predicts else {}

    def answer(self) -> tuple[list[dict], list[dict], list[dict]]:
        """(requests, gradients, losses) by golden."""
        config, came, asked = self.config, self._came(), self.requests()
        frames, rows = came.frames, answered(asked, came.frames, config)
        losses, ident = token_losses(asked, rows), self.stream.ident[frames.ends]
        pairs = zip(asked.cluster.tolist(), asked.predict.tolist(), strict=True)
        wanted = [{"cluster": c, **self._predicted("predict", predict)} for c, predict in pairs]
        gradients = []
        for row in np.flatnonzero(~asked.predict):
            status = {"error": int(rows.error[row]), "ignored": int(rows.ignored[row])}
            status |= ident_of(config, int(ident[row]))
            if config.has_exponent:
                status["exponent"] = int(rows.exponent[row])
            gradients += self._beats(row, frames, rows, status, int(asked.cluster[row]))
        tokens = [
            {
                "loss": int(losses.loss[token]),
                **self._predicted("word", asked.word[token]),
                "error": int(losses.error[token]),
                "ignored": int(losses.ignored[token]),
                **ident_of(config, int(ident[losses.last[token]]) if asked.rows[token] else 0),
            }
            for token in range(len(asked.rows))
        ]
        return wanted, gradients, tokens

    def _beats(self, row, frames, rows, status, cluster) -> list[dict]:
        lanes, codes = self.config.lanes, 1 << self.config.loss_grad.width
        every, beats = (1 << lanes) - 1, []
        for beat in range(int(frames.beats[row])):
            part = slice(beat * lanes, (beat + 1) * lanes)
            grad = np.zeros(lanes, np.int64)
            clipped, present = np.zeros(lanes, bool), frames.present[row, part]
            inside = rows.grad[row, part]
            grad[: len(inside)] = inside
            clipped[: len(inside)] = rows.clipped[row, part]
            beats.append(
                {
                    "p": (grad % codes).tolist(),
                    "keep": every if status["error"] else packed(present),
                    "clipped": packed(clipped),
                    **status,
                    "cluster": cluster,
                    "last": int(beat == frames.beats[row] - 1),
                }
            )
        return beats


def random_traffic(config: SoftmaxConfig, tokens: int, *, predicted: float = 0.0, seed: int = 171):
    """Tokens of every cluster, some outside the vocabulary, a share of them predicted."""
    traffic = Traffic(config, np.random.default_rng(seed))
    clusters, rng = config.clusters, traffic.rng
    edges = [0, *clusters.cutoffs, clusters.vocabulary]
    for _ in range(tokens):
        if rng.random() < predicted:
            traffic.ask()
        elif rng.random() < 0.15:
            traffic.tell(int(rng.choice([-100, LARGEST, clusters.vocabulary, 1 << 31])))
        else:
            j = int(rng.integers(len(clusters.lengths)))
            traffic.tell(
                int(rng.choice([edges[j], edges[j + 1] - 1, rng.integers(*edges[j : j + 2])]))
            )
    return traffic
