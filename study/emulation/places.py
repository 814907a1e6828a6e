"""Where engines are measured: those that are asked for, if they are here."""

import os
from collections.abc import Sequence
from importlib.util import find_spec

from ...golden.config import preset
from ...golden.errors import require
from .jobs import Place

ISAS = ("avx512", "avx2", "portable")
"""Instructions that the compiled engine can be held to, the widest first."""


def require_torch() -> None:
    """Raise :class:`ConfigError` unless torch is installed."""
    require(
        find_spec("torch") is not None,
        "bench-emulation needs torch: pip install 'softmaxfx[torch]'",
    )


def on_cpu(engines: Sequence[str], threads: Sequence[int], isa: str) -> list[Place]:
    """Every engine with every number of threads; 1 and 2 where none is given.

    Args:
        isa: of the compiled engine; empty for the widest.

    Raises:
        ConfigError: an engine that is not here or does not compute on a CPU, more threads than
            processors, instructions that the processor lacks.
    """
    processors = _processors()
    for count in threads:
        require(
            count <= processors,
            f"--threads must be at most the number of processors, {processors}, not {count}",
        )
    require(
        not isa or "compiled" in engines,
        f"--isa must be given with the engine compiled, not with {', '.join(engines)}",
    )
    for engine in engines:
        _require_engine(engine, isa if engine == "compiled" else "")
    counts = dict.fromkeys(threads) or [count for count in (1, 2) if count <= processors]
    return [
        Place(engine, "cpu", count, isa if engine == "compiled" else "")
        for engine in dict.fromkeys(engines)
        for count in counts
    ]


def on_cuda() -> list[Place]:
    """The engine of GPUs.

    Raises:
        ConfigError: no CUDA device, or no Triton.
    """
    import torch

    from ...golden.torch.engines.registry import engine_for

    require(torch.cuda.is_available(), "--cuda needs a CUDA device, and torch finds none")
    engine_for(preset("base"), torch.device("cuda"), "triton")
    return [Place("triton", "cuda")]


def _require_engine(name: str, isa: str) -> None:
    import torch

    from ...golden.torch.engines.registry import engine_for

    engine_for(preset("base"), torch.device("cpu"), name)
    if isa:
        from ...golden.torch.engines.compiled_engine import CompiledEngine, Isa

        lacking = CompiledEngine(Isa[isa]).absence(preset("base"), torch.device("cpu"))
        require(not lacking, f"--isa must be one that is here, not {isa}: {lacking}")


def _processors() -> int:
    """Those that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
