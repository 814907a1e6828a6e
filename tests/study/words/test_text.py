"""A text's words by rank, its parts, and texts that are too short."""

import pytest

from .texts import short_text, torch

from softmaxfx.golden import ConfigError  # isort: skip
from softmaxfx.study.recordings import corpus
from softmaxfx.study.words.text import HELD_OUT_EVERY, read_text, shipped


def test_the_corpus_is_sorted_by_frequency_without_its_rare_words():
    text = shipped(7)
    counts = torch.bincount(torch.from_numpy(text.tokens), minlength=len(text.words))
    assert (counts.diff() <= 0).all()
    assert counts[-1] == 7
    whole = corpus()
    assert text.words[text.tokens[0]] in (whole.words[whole.tokens[0]], "<unk>")
    assert len(text.tokens) == len(whole.tokens)


def test_all_words_of_the_corpus_are_those_that_occur_twice():
    text, whole = shipped(2), corpus()
    assert text.words == whole.words
    assert (text.tokens == whole.tokens).all()


def test_parts_are_of_all_of_the_text_and_share_nothing():
    text = short_text()
    parts = text.parts()
    length = parts.test.shape[1]
    assert parts.validation.shape[1] == length == 5000 // 40
    sections = torch.from_numpy(text.tokens).view(-1, length)
    middle = HELD_OUT_EVERY // 2
    assert torch.equal(parts.validation, sections[middle::20])
    assert torch.equal(parts.test, sections[middle + 10 :: 20])
    assert len(parts.training) == 36 * length


def test_a_text_of_ones_own_is_ranked(tmp_path):
    file = tmp_path / "own.txt"
    words = [f"word{number % 20}" for number in range(3000)]
    file.write_text("The cat, the CAT.\nonce " + " ".join(words) + " the" * 1000, encoding="utf-8")
    text = read_text(file, at_least=2)
    assert text.name == "own.txt"
    assert text.words[0] == "the"
    assert text.words[-3:] == ("word9", "<unk>", "cat")
    assert [text.words[token] for token in text.tokens[:8]] == [
        "the", "cat", "<unk>", "the", "cat", "<unk>", "<unk>", "<unk>",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"too short", r"must have at least 4,000 words and 16 different ones that occur 5 time"
         r"s, and .* has 2 and 1$"),
        (b"same " * 5000, r"has 5,000 and 1$"),
        (b"\xff\xfe", r"^--text must be a text file, not .*: it is not UTF-8$"),
        (None, r"^--text must be a text file, not .*: No such file or directory$"),
    ],
)  # fmt: skip
def test_what_is_no_text_is_refused(content, sentence, tmp_path):
    file = tmp_path / "text"
    if content is not None:
        file.write_bytes(content)
    with pytest.raises(ConfigError, match=sentence):
        read_text(file)
