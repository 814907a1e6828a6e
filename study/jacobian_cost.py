"""What softmax's backward pass costs in torch by its Jacobian, against the D form: memory and time.

dS = (diag(P) - P P^T) dP takes an N x N matrix for a row of N elements. P (dP - D) with
D = sum P dP is the same without the matrix; the hardware computes that.
"""

import gc
import json
import os
import tempfile
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from time import perf_counter
from typing import TYPE_CHECKING

from ..golden.torch.reference import REFERENCES, Reference
from ..sim.testbench import ProgressCallback

if TYPE_CHECKING:
    from torch import Tensor

LENGTHS = (256, 1024, 4096, 16384)
"""Elements of the rows measured."""
DEVICES = tuple(r for r in REFERENCES if r.device != "numpy" and r.dtype == "float32")
"""Where it is measured, where they exist."""
REPETITIONS = 5
SAMPLE_SECONDS = 1e-3
"""A form that is faster is run several times in a row for a sample of its time."""
TOLERANCE = 1e-5
"""Relative to the largest gradient, what both forms may differ by: float32 has 6e-8."""

Function = Callable[["Tensor", "Tensor"], "Tensor"]


@dataclass(frozen=True, slots=True)
class FormCost:
    """What one form costs for one row.

    Attributes:
        peak_bytes: the most that its tensors occupy at once, the result included, P and dP not.
        seconds: median time, that of taking the memory included.
    """

    peak_bytes: int
    seconds: float


@dataclass(frozen=True, slots=True)
class JacobianCost:
    """Both forms for one row, on one device, in one run.

    Attributes:
        length: elements of the row.
        difference: the largest between their results, relative to the largest gradient.
    """

    reference: Reference
    length: int
    jacobian: FormCost
    d_form: FormCost
    difference: float

    @property
    def agree(self) -> bool:
        """Whether both forms gave the same gradients, within float32's precision."""
        return self.difference <= TOLERANCE

    @property
    def memory_ratio(self) -> float:
        """How many times as much memory the Jacobian takes."""
        return self.jacobian.peak_bytes / self.d_form.peak_bytes

    @property
    def time_ratio(self) -> float:
        """How many times as long the Jacobian takes."""
        return self.jacobian.seconds / self.d_form.seconds


def by_jacobian(p: "Tensor", dp: "Tensor") -> "Tensor":
    """(diag(P) - P P^T) dP of one row, with a single N x N matrix: as frugal as the form can be."""
    import torch

    jacobian = torch.outer(p, -p)
    jacobian.diagonal().add_(p)
    return jacobian @ dp


def by_d_form(p: "Tensor", dp: "Tensor") -> "Tensor":
    """P (dP - sum P dP) of one row."""
    return p * (dp - (p * dp).sum())


def measure_all(
    reference: Reference, progress: ProgressCallback = lambda share: None
) -> tuple[list[JacobianCost], str]:
    """Measure rows of every length in turn on a device that is there.

    Args:
        progress: called with the share of the elements of all matrices that is done.

    Returns:
        The costs, and why the longer rows were not measured; empty where all were.
    """
    costs: list[JacobianCost] = []
    work = sum(length**2 for length in LENGTHS)
    for length in LENGTHS:
        try:
            costs.append(measure(reference, length))
        except RuntimeError as error:  # torch has no class for it that holds on every device
            if "memory" not in str(error):
                raise
            return costs, f"not enough memory for {length} x {length} elements: not run"
        progress(sum(cost.length**2 for cost in costs) / work)
    return costs, ""


def measure(reference: Reference, length: int) -> JacobianCost:
    """Measure both forms for a row of ``length`` elements on a device that is there.

    Peak memory is counted by torch's allocator: on CUDA by ``max_memory_allocated``, on the CPU by
    ``torch.profiler``, which records every allocation; the process' resident memory, counted in
    pages, would not show the D form at all. The forms take turns, so that a machine that slows
    down slows both. On the CPU they run in one thread: several wait for each other, which on a
    busy machine takes longer than the work.

    Raises:
        RuntimeError: the matrix does not fit the device's memory.
    """
    import torch

    generator = torch.Generator().manual_seed(1)
    logits, dp = torch.randn(2, length, generator=generator)
    p, dp = torch.softmax(logits, 0).to(reference.device), dp.to(reference.device)
    forms: tuple[Function, ...] = by_jacobian, by_d_form
    matrix, direct = (form(p, dp) for form in forms)  # also takes what is allocated only once
    difference = float((matrix - direct).abs().max() / direct.abs().max())
    del matrix, direct
    peak_of = _peak_on_cuda if reference.device == "cuda" else _peak_on_cpu
    peaks = [peak_of(form, p, dp) for form in forms]
    times: tuple[list[float], ...] = [], []
    with _one_thread():
        runs = [_runs_of(form, p, dp) for form in forms]
        for _ in range(REPETITIONS):
            for form, count, taken in zip(forms, runs, times, strict=True):
                taken.append(_seconds(form, p, dp, count) / count)
    costs = [FormCost(peak, median(taken)) for peak, taken in zip(peaks, times, strict=True)]
    return JacobianCost(reference, length, *costs, difference=difference)


@contextmanager
def _one_thread() -> Iterator[None]:
    """Let torch use one thread of the CPU."""
    import torch

    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(threads)


def _runs_of(form: Function, p: "Tensor", dp: "Tensor") -> int:
    """Runs that make a sample of time long enough to be measured."""
    count = 1
    while (seconds := _seconds(form, p, dp, count)) < SAMPLE_SECONDS / 2:
        count *= 2
    return max(count, round(count * SAMPLE_SECONDS / seconds))


def _seconds(form: Function, p: "Tensor", dp: "Tensor", count: int) -> float:
    """Time of some runs, the device's work included."""
    _wait_for(p)
    start = perf_counter()
    for _ in range(count):
        form(p, dp)
    _wait_for(p)
    return perf_counter() - start


def _wait_for(tensor: "Tensor") -> None:
    """Return when the tensor's device has done all that it was told to."""
    import torch

    if tensor.is_cuda:
        torch.cuda.synchronize(tensor.device)


def _peak_on_cuda(form: Function, p: "Tensor", dp: "Tensor") -> int:
    """Bytes beyond those allocated before."""
    import torch

    torch.cuda.synchronize(p.device)
    torch.cuda.reset_peak_memory_stats(p.device)
    before = torch.cuda.memory_allocated(p.device)
    form(p, dp)
    torch.cuda.synchronize(p.device)
    return torch.cuda.max_memory_allocated(p.device) - before


def _peak_on_cpu(form: Function, p: "Tensor", dp: "Tensor") -> int:
    """The largest sum of the allocations, less what was freed, that the profiler recorded."""
    from torch.profiler import ProfilerActivity, profile

    gc.collect()  # a tensor of someone else's, freed meanwhile, would count
    with tempfile.TemporaryDirectory() as folder:
        trace = Path(folder) / "trace.json"
        # some versions of torch warn that a cycle ends, of which there is one only
        with _silenced(), warnings.catch_warnings(action="ignore", category=UserWarning):
            with profile(activities=[ProfilerActivity.CPU], profile_memory=True) as profiler:
                form(p, dp)
            profiler.export_chrome_trace(str(trace))
        events = json.loads(trace.read_text())["traceEvents"]
    changes = [event for event in events if event.get("name") == "[memory]"]
    allocated = peak = 0
    for event in sorted(changes, key=lambda event: event["ts"]):
        allocated += event["args"]["Bytes"]
        peak = max(peak, allocated)
    return peak


@contextmanager
def _silenced() -> Iterator[None]:
    """Drop what the profiler's own library writes to the process' standard error."""
    kept = os.dup(2)
    try:
        with Path(os.devnull).open("w") as nowhere:
            os.dup2(nowhere.fileno(), 2)
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)
