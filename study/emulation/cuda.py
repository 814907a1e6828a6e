"""Times on a GPU: eager and as a CUDA graph, what they read not in the cache; and peak memory."""

from collections.abc import Callable
from functools import partial
from statistics import median

import torch

from .cases import BACKWARD, BOTH, FORWARD, LOSS, OF_ATTENTION, Case
from .operations import Work, draw, fixed_function, float_function, work
from .run import Run

RUNS, WARM_UPS = 21, 3
BYTES = {FORWARD: 8.0, BACKWARD: 12.125, BOTH: 20.25, LOSS: 12.0}
"""Read and written of an element, at least: float32 in and out, a bit of the gate each way."""


def times_on_cuda(case: Case, engine: str) -> list[Run]:
    """Medians of a case: eager, with the checks that a user gets, and as a graph, without."""
    inputs = draw(case.operation, case.shape, "cuda")
    of_float = float_function(case, inputs)
    eager = fixed_function(case, inputs, engine)
    unchecked = fixed_function(case, inputs, engine, check=False)
    peaks = (None, None)
    if case.operation in OF_ATTENTION:
        peaks = _peak(work(case, of_float, inputs)), _peak(work(case, eager, inputs))
    flush = _flush()
    copied = _copy_rate(case, flush)
    makes = [
        [partial(work, case, one, inputs) for one in (of_float, ours)]
        for ours in (eager, unchecked)
    ]
    runs = {"eager": [make() for make in makes[0]], "graph": [_graph(make) for make in makes[1]]}
    return [
        _run(mode, case, [_seconds(one, flush) for one in both], copied, peaks)
        for mode, both in runs.items()
    ]


def _run(
    mode: str,
    case: Case,
    seconds: list[float],
    copied: float | None,
    peaks: tuple[int | None, int | None],
) -> Run:
    size = BYTES.get(case.operation)
    rate = size and size * case.shape.elements / seconds[1]
    of_float, ours = seconds
    return Run(mode, of_float, ours, RUNS, rate, copied, *peaks)


def _flush() -> Callable[[], object]:
    """Writes more than the L2 cache holds, so that nothing of a run before is left in it."""
    size = torch.cuda.get_device_properties(torch.cuda.current_device()).L2_cache_size
    return torch.empty(max(2 * size, 1 << 28), dtype=torch.uint8, device="cuda").zero_


def _copy_rate(case: Case, flush: Callable[[], object]) -> float | None:
    """Bytes per second, read and written, of a copy that moves as many as the case."""
    if case.operation not in BYTES:
        return None
    half = int(BYTES[case.operation] * case.shape.elements / 2)
    source = torch.empty(half, dtype=torch.uint8, device="cuda")
    target = torch.empty_like(source)
    return 2 * half / _seconds(partial(target.copy_, source), flush)


def _graph(make: Callable[[], Work]) -> Work:
    """Replays a run that was captured.

    Args:
        make: makes the run; on the stream of the capture, as gradients are computed on the stream
            of their functions.
    """
    stream = torch.cuda.Stream()
    stream.wait_stream(torch.cuda.current_stream())
    with torch.cuda.stream(stream):
        run = make()
        for _ in range(WARM_UPS):
            run()
    torch.cuda.current_stream().wait_stream(stream)
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph, stream=stream):
        kept = run()

    def replay() -> object:
        graph.replay()
        return kept  # whose memory the graph writes to

    return replay


def _seconds(run: Work, flush: Callable[[], object]) -> float:
    """Median of some runs, each by events around it."""
    for _ in range(WARM_UPS):
        run()
    events = []
    for _ in range(RUNS):
        flush()
        start, end = (torch.cuda.Event(enable_timing=True) for _ in range(2))
        start.record()
        result = run()
        end.record()
        del result
        events.append((start, end))
    torch.cuda.synchronize()
    return median(start.elapsed_time(end) for start, end in events) / 1000


def _peak(run: Work) -> int:
    """Bytes beyond those allocated before."""
    run()
    torch.cuda.synchronize()
    torch.cuda.reset_peak_memory_stats()
    before = torch.cuda.memory_allocated()
    run()
    torch.cuda.synchronize()
    return torch.cuda.max_memory_allocated() - before
