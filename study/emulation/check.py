"""Whether an engine gives the golden model's bits, of a sample of rows of every case."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from ...golden.types import Reals
from .cases import BACKWARD, FORWARD, LOSS, OF_ATTENTION, Case
from .gold import GoldenRows
from .operations import Inputs, draw, draw_exact, outputs

SAMPLE = 10**6
"""Elements that the golden model computes, which takes most of a second, at least."""

Check = Callable[[Case, str, int], "Checked"]


@dataclass(frozen=True, slots=True)
class Checked:
    """What a check found.

    Attributes:
        elements: of each output that were compared.
        difference: the first, in words; empty where there is none.
    """

    elements: int
    difference: str = ""


def to_check(cases: list[Case]) -> list[Case]:
    """Those that give every output: a backward pass gives what forward + backward does."""
    return [case for case in cases if case.operation != BACKWARD]


def check_by_golden(case: Case, engine: str, elements: int, device: str = "cpu") -> Checked:
    """Hold an engine's outputs against the golden model's.

    Args:
        elements: of each output at least: some rows of a tensor, or those of several tensors.
    """
    done, seed = 0, 0
    while done < elements:
        seed += 1
        inputs = draw(case.operation, case.shape, device, seed)
        rows = _sampled(case, elements - done)
        given = {name: _reals(each[rows]) for name, each in outputs(case, inputs, engine).items()}
        done += len(rows) * case.shape.length
        difference = _difference(given, _gold(case, inputs, rows), rows, "the golden model")
        if difference:
            return Checked(done, f"{engine}, {case.words}: {difference}")
    return Checked(done)


def check_by_torch(case: Case, engine: str, elements: int, device: str = "cuda") -> Checked:
    """Hold an engine's outputs, all of them, against those of the engine in torch's operations on
    the same device, which is held against the golden model first, a sample.

    Attention is of what :func:`.operations.draw_exact` draws, as its products are float.
    """
    of_attention = case.operation in OF_ATTENTION
    if not of_attention and engine != "torch":
        sample = check_by_golden(case, "torch", min(elements, SAMPLE), device)
        if sample.difference:
            return sample
    done, seed = 0, 0
    while done < elements:
        seed += 1
        inputs = (
            draw_exact(case, device, seed)
            if of_attention
            else draw(case.operation, case.shape, device, seed)
        )
        given, gold = outputs(case, inputs, engine), outputs(case, inputs, "torch")
        done += _rows_in(inputs) * case.shape.length
        if not all(torch.equal(given[name], gold[name]) for name in gold):
            return Checked(done, f"{engine}, {case.words}: {_first_on_device(given, gold)}")
    return Checked(done)


def _rows_in(inputs: Inputs) -> int:
    return inputs.given[0][..., 0].numel()


def _sampled(case: Case, elements: int) -> Tensor:
    """Rows from the first to the last one, evenly spread, with so many elements if there are."""
    rows, n = case.shape.size
    count = min(-(-elements // n), rows)
    return torch.linspace(0, rows - 1, count, dtype=torch.float64).round().long()


def _gold(case: Case, inputs: Inputs, rows: Tensor) -> dict[str, Reals]:
    """What the golden model gives of some rows, by the outputs' names."""
    gold = GoldenRows.of(_reals(inputs.given[0][rows]), case.config)
    if case.operation == FORWARD:
        return {"p": gold.p()}
    if case.operation == LOSS:
        assert inputs.target is not None
        target = inputs.target[rows].cpu().numpy()
        share = np.float32(1 / len(inputs.target))  # the mean's gradient
        return {"loss": gold.loss(target), "gradient": gold.loss_gradient(target, share)}
    assert inputs.upstream is not None
    return {"p": gold.p(), "gradient": gold.gradient(_reals(inputs.upstream[rows]))}


def _reals(x: Tensor) -> Reals:
    return x.detach().cpu().double().numpy()


def _first_on_device(given: dict[str, Tensor], gold: dict[str, Tensor]) -> str:
    """The first difference of whole tensors; only its row leaves the device."""
    name = next(name for name in gold if not torch.equal(given[name], gold[name]))
    ours, theirs = (each[name].reshape(-1, *each[name].shape[-1:]) for each in (given, gold))
    if gold[name].ndim == 1:  # a loss a row
        ours, theirs = ours[0], theirs[0]
    row = (ours != theirs).nonzero()[0, :1]
    one = {name: _reals(ours[row])}, {name: _reals(theirs[row])}
    return _difference(*one, row, "the torch engine")


def _difference(given: dict[str, Reals], gold: dict[str, Reals], rows: Tensor, whose: str) -> str:
    """The first difference, in words; empty where there is none."""
    for name, gold_values in gold.items():
        unlike = np.argwhere(given[name] != gold_values)
        if len(unlike):
            row, *column = map(int, unlike[0])
            element = f", element {column[0]}" if column else ""
            ours, theirs = (float(each[tuple(unlike[0])]) for each in (given[name], gold_values))
            return (
                f"{name} of row {int(rows[row])}{element} is {ours!r}, that of {whose} {theirs!r}"
            )
    return ""
