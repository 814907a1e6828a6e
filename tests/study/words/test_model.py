"""The model reads a text in several places at once, and averages of its weights are measured."""

from itertools import islice

import pytest

from .texts import WORDS, short_text, torch

from softmaxfx.study.one_thread import one_thread  # isort: skip
from softmaxfx.study.paired_units import Float32
from softmaxfx.study.words.model import Size, Trainer, WordModel, held_out_loss, windows
from softmaxfx.study.words.outputs import Full

SIZE = Size(width=8, streams=4, window=5)


def model():
    torch.manual_seed(0)
    return WordModel(SIZE.width, WORDS, Full().output(SIZE.width, WORDS, Float32()))


def test_windows_go_on_where_the_last_one_ended_and_begin_anew():
    text = torch.arange(4 * 17 + 3)
    first, second, third, again = islice(windows(text, SIZE), 4)
    assert first[0][:, 0].tolist() == [0, 17, 34, 51]
    assert torch.equal(second[0][:, 0], first[0][:, -1])
    assert torch.equal(again[0], first[0])
    assert [anew for _, anew in (first, second, third, again)] == [True, False, False, True]


def test_a_text_in_parts_is_the_text_at_once():
    one, tokens = model().eval(), torch.from_numpy(short_text().tokens[:60]).view(2, 30)
    with torch.no_grad():
        whole, _ = one.loss(tokens)
    for window in (29, 10, 7):
        assert held_out_loss(one, tokens, window) == pytest.approx(whole.item(), abs=1e-5)


def test_a_training_learns_and_its_average_is_less_than_the_latest_step():
    parts = short_text().parts()
    trainer = Trainer(model(), parts.training, SIZE)
    start = held_out_loss(trainer.average, parts.validation)
    with one_thread():
        trainer.step()
        assert not torch.equal(trainer.average.word.weight, trainer.model.word.weight)
        for _ in range(150):
            trainer.step()
    assert held_out_loss(trainer.average, parts.validation) < start - 0.5
    assert trainer.steps == 151
