"""What is timed has the golden model's bits, and is timed in turns, each engine by itself."""

import json
import os
import shutil
from importlib.util import find_spec

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="torch is not installed")

if find_spec("triton") and not torch.cuda.is_available():
    os.environ.setdefault("TRITON_INTERPRET", "1")  # read when triton is imported

from softmaxfx.golden.errors import ConfigError  # noqa: E402
from softmaxfx.golden.torch.engines.compiled_engine import CompiledEngine, Isa  # noqa: E402
from softmaxfx.golden.torch.engines.numpy_engine import NumpyEngine  # noqa: E402
from softmaxfx.golden.torch.engines.torch_engine import TorchEngine  # noqa: E402
from softmaxfx.study.emulation import (  # noqa: E402
    jobs,
    measured,
    operations,
    places,
    report,
    timing,
    worker,
)
from softmaxfx.study.emulation.cases import (  # noqa: E402
    ATTENTION,
    ATTENTION_BOTH,
    BACKWARD,
    BOTH,
    CUDA,
    FORWARD,
    LOSS,
    OF_ATTENTION,
    QUICK,
    QUICK_CUDA,
    Case,
    Shape,
    cpu_shapes,
    free_memory,
)
from softmaxfx.study.emulation.check import Checked, check_by_golden, check_by_torch, to_check  # noqa: E402
from softmaxfx.study.emulation.jobs import Job, Place  # noqa: E402
from softmaxfx.study.emulation.measured import Measured, Plan, Result  # noqa: E402
from softmaxfx.study.emulation.run import Run  # noqa: E402

SMALL, CAUSAL = Shape((9, 24)), Shape((40, 16), True)
CASES = [
    Case(operation, shape, preset, "exact_sum")
    for preset in ("base", "int8")
    for operation, shape in ((FORWARD, CAUSAL), (BOTH, SMALL), (BOTH, CAUSAL), (LOSS, SMALL))
]
PROCESS = {"engine": "torch", "isa": "", "processor": "P", "torch": "2", "instructions": "A",
           "threads": 1}  # fmt: skip


@pytest.fixture(autouse=True)
def _one_thread():
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def test_the_shapes_are_those_of_networks_and_fit_the_memory():
    little, much = cpu_shapes((8 << 30) - 1), cpu_shapes(8 << 30)
    names = ["4096x1024", "65536x512", "65536x10", "2048x13777", "512x13777"]
    assert little.names() == names
    assert much.names() == [name.replace("2048", "16384") for name in names]
    assert CUDA.names() == ["4096x1024", "65536x512", "65536x10", "16384x13777", "8x16x2048x64"]
    assert [shape.name for shape in much.loss] == ["4096x1024", "512x13777"]
    assert (much.elements, CUDA.elements) == (10**6, 10**8)
    assert free_memory() > 1 << 20


def test_every_operation_is_of_both_presets_and_datapaths():
    cases = cpu_shapes(8 << 30).cases(["4096x1024"])
    assert {case.operation for case in cases} == {FORWARD, BACKWARD, BOTH, LOSS}
    configured = {(case.preset, case.datapath) for case in cases}
    assert configured == {(p, d) for p in ("base", "int8") for d in ("exact_sum", "max_subtract")}
    assert len(cases) == len(set(cases)) == 16
    of_heads = {case.operation for case in CUDA.cases(["8x16x2048x64"])}
    assert of_heads == {ATTENTION, ATTENTION_BOTH}
    assert CUDA.cases()[0].operation == ATTENTION  # what is late is not run


def test_rows_are_as_long_as_the_shape():
    assert Case(FORWARD, Shape((2, 13777)), "base", "exact_sum").config.max_length == 13777
    assert Case(FORWARD, SMALL, "base", "exact_sum").config.max_length == 1024
    assert Shape((8, 16, 2048, 64)).elements == 8 * 16 * 2048 * 2048


@pytest.mark.parametrize("engine", ["torch", "numpy", "compiled"])
@pytest.mark.parametrize("case", CASES, ids=lambda case: case.words)
def test_the_engines_have_the_golden_model_s_bits(case, engine):
    if engine == "compiled" and shutil.which("g++") is None:
        pytest.skip("no g++")
    found = check_by_golden(case, engine, 500)
    assert found.difference == ""
    assert found.elements >= 500


def planted(monkeypatch, method, place, change, field="", engine=TorchEngine):
    """Let an engine give one wrong element."""
    right = getattr(engine, method)

    def wrong(self, *given, **options):
        result = right(self, *given, **options)
        tensor = getattr(result, field) if field else result
        tensor[place] += change
        return result

    monkeypatch.setattr(engine, method, wrong)


@pytest.mark.parametrize(
    ("operation", "method", "field", "place", "names"),
    [
        (FORWARD, "softmax", "result", (8, 23), "p of row 8, element 23 is"),
        (BOTH, "softmax", "result", (0, 0), "p of row 0, element 0 is"),
        (BOTH, "softmax_backward", "", (3, 5), "gradient of row 3, element 5 is"),
        (LOSS, "cross_entropy", "loss", (7,), "loss of row 7 is"),
        (LOSS, "cross_entropy_backward", "", (2, 4), "gradient of row 2, element 4 is"),
    ],
)
def test_one_wrong_bit_is_found_and_named(monkeypatch, operation, method, field, place, names):
    planted(monkeypatch, method, place, 2.0**-10, field)
    found = check_by_golden(Case(operation, SMALL, "base", "exact_sum"), "torch", 9 * 24)
    start = f"torch, {operation} 9x24 base exact_sum: {names} "
    assert found.difference.startswith(start)
    assert ", that of the golden model " in found.difference


@pytest.mark.parametrize(
    ("operation", "method", "field", "place", "names"),
    [
        (FORWARD, "softmax", "result", (8, 23), "p of row 8, element 23 is"),
        (LOSS, "cross_entropy", "loss", (7,), "loss of row 7 is"),
        (ATTENTION, "softmax", "result", (64 + 9, 3), "result of row 73, element 3 is"),
        (
            ATTENTION_BOTH,
            "softmax_backward",
            "",
            (64 + 9, 3),
            "gradient by key of row 67, element 9 is",
        ),
    ],
)
def test_whole_tensors_are_held_against_the_torch_engine(
    monkeypatch, operation, method, field, place, names
):
    shape = QUICK_CUDA.attention[0] if operation in OF_ATTENTION else SMALL
    case = Case(operation, shape, "base", "exact_sum")
    assert check_by_torch(case, "numpy", 1, "cpu") == Checked(shape.elements)
    planted(monkeypatch, method, place, 1.0, field, NumpyEngine)
    found = check_by_torch(case, "numpy", 1, "cpu").difference
    assert found.startswith(f"numpy, {case.words}: {names} ")
    assert ", that of the torch engine " in found
    monkeypatch.undo()
    planted(monkeypatch, method, place, 1.0, field)
    assert ("golden" in check_by_torch(case, "numpy", 9 * 24, "cpu").difference) == (
        operation not in OF_ATTENTION
    )


def test_the_rows_of_a_sample_reach_from_the_first_to_the_last(monkeypatch):
    case = Case(FORWARD, Shape((50, 10)), "base", "exact_sum")
    assert check_by_golden(case, "torch", 20).elements == 20
    assert check_by_golden(case, "torch", 501).elements == 510  # of a second tensor, too
    for row in (0, 49):
        with monkeypatch.context() as patch:
            planted(patch, "softmax", (row, 0), 2.0**-10, "result")
            assert f"row {row}," in check_by_golden(case, "torch", 20).difference


def test_a_backward_pass_is_checked_with_the_forward_pass():
    cases = QUICK.cases()
    left = [case for case in cases if case not in to_check(cases)]
    assert {case.operation for case in left} == {BACKWARD}
    assert {case.operation for case in to_check(cases)} == {FORWARD, BOTH, LOSS}


def test_functions_take_turns_and_the_least_time_counts(monkeypatch):
    ran, clock = [], iter(range(10**6))
    monkeypatch.setattr(timing, "perf_counter", lambda: next(clock))
    run = timing.take_turns(lambda: ran.append("float"), lambda: ran.append("ours"), 1e-9)
    assert ran == ["float", "ours"] * (timing.LEAST_RUNS + 1)
    assert run == Run("eager", 1, 1, timing.LEAST_RUNS)
    assert Run("eager", 2.0, 3.0, 5).ratio == 1.5


def test_a_job_is_read_as_it_was_written():
    job = Job("time", Place("compiled", threads=2, isa="avx2"), CASES, 7, 0.5, 3.0)
    assert Job.from_json(job.to_json()) == job


def test_each_job_has_a_process_with_its_threads_and_instructions():
    told = []
    job = Job("time", Place("torch", threads=2), CASES[:1], 0, seconds=0)
    first = job.run(told.append)
    assert first == told
    assert first[1]["case"] == json.loads(job.to_json())["cases"][0]
    if CompiledEngine(Isa.avx2).absence(CASES[0].config, torch.device("cpu")):
        pytest.skip("the compiled engine or AVX2 is not here")
    second = Job("check", Place("compiled", isa="avx2"), CASES[:1], 1).run(told.append)
    assert len({os.getpid(), first[0]["pid"], second[0]["pid"]}) == 3
    assert (first[0]["threads"], second[0]["threads"]) == (2, 1)
    assert second[0]["instructions"] == "AVX2"
    assert torch.get_num_threads() == 1


def test_what_others_set_for_torch_does_not_reach_a_process(monkeypatch):
    monkeypatch.setenv("OMP_NUM_THREADS", "7")
    monkeypatch.setenv("ATEN_CPU_CAPABILITY", "default")
    assert "OMP_NUM_THREADS" not in Place("torch").environment
    assert "ATEN_CPU_CAPABILITY" not in Place("torch").environment
    assert Place("compiled", isa="avx2").environment["ATEN_CPU_CAPABILITY"] == "avx2"


def test_a_process_that_fails_says_why_in_a_sentence(monkeypatch):
    monkeypatch.setattr(jobs, "COMMAND", ("/bin/sh", "-c", "echo lost; exit 3"))
    with pytest.raises(ConfigError, match=r"engine torch, 1 thread must end well, not .* 3: lost"):
        Job("check", Place("torch"), [], 1).run(print)


def test_what_is_late_is_not_timed():
    late = Job("time", Place("torch"), CASES[:2], 0, seconds=0, budget=-1)
    assert [told["runs"] for told in worker._times(late)] == [[], []]
    (told,) = worker._times(Job("time", Place("torch"), CASES[:1], 0, seconds=0))
    (run,) = told["runs"]
    assert Run(**run).ratio > 0
    checks = worker._checks(Job("check", Place("torch"), CASES[:1], 1, budget=-1))
    with pytest.raises(ConfigError, match="the checks must take at most -1 s"):
        next(checks)


def test_all_is_checked_before_anything_is_timed(monkeypatch):
    done, wrong = [], []

    def run(job, tell):
        done.append((job.phase, job.place.engine))
        more = {"difference": "".join(wrong), "checked": 5, "runs": []}
        return [{"pid": 1}, *({"case": case.to_dict(), **more} for case in job.cases)]

    monkeypatch.setattr(Job, "run", run)
    plan = Plan([Place("torch"), Place("numpy")], [Case(BOTH, SMALL, "base", "exact_sum")], 5)
    found = plan.measure(shown)
    assert done == [(phase, e) for phase in ("check", "time") for e in ("torch", "numpy")]
    assert [(result.checked, result.run) for result in found.results] == [(5, None)] * 2
    done.clear()
    wrong.append("p of row 3")
    assert plan.measure(shown) == Measured([{"pid": 1}], [], "p of row 3")
    assert done == [("check", "torch")]


class shown:  # noqa: N801  (a context manager, as terminal.working is)
    def __init__(self, label):
        self.label = label

    def __enter__(self):
        return lambda share: None

    def __exit__(self, *_):
        return None


def test_the_time_on_a_gpu_ends(monkeypatch):
    budgets = []

    def run(job, tell):
        budgets.append(job.budget)
        return [{}, {"case": CASES[0].to_dict(), "difference": "", "checked": 1, "runs": []}]

    monkeypatch.setattr(Job, "run", run)
    Plan([Place("triton", "cuda")], CASES[:1], 1).measure(shown)
    assert 0 < budgets[1] <= measured.LIMIT < 360
    Plan([Place("torch")], CASES[:1], 1).measure(shown)
    assert budgets[3] == float("inf")


def test_engines_have_places_of_their_own(monkeypatch):
    monkeypatch.setattr(places, "_processors", lambda: 2)
    found = places.on_cpu(("torch", "numpy"), (), "")
    assert [(p.engine, p.threads) for p in found] == [
        ("torch", 1), ("torch", 2), ("numpy", 1), ("numpy", 2)
    ]  # fmt: skip
    monkeypatch.setattr(places, "_processors", lambda: 1)
    assert [p.threads for p in places.on_cpu(("torch",), (), "")] == [1]


def timed(device="cpu", **more) -> Measured:
    place = Place("triton" if device == "cuda" else "torch", device)
    return Measured(
        [PROCESS], [Result(place, CASES[0], 500, Run("eager", 0.002, 0.003, 7, **more))]
    )


def test_a_document_keeps_the_section_of_another_device(tmp_path):
    path = tmp_path / "docs" / "emulation.md"
    report.write_document(timed(), path)
    first = path.read_text()
    assert (
        "| torch | 1 | forward | 40x16 causal | base | exact_sum | 2.000 | 3.000 | 1.50 |" in first
    )
    assert "torch: P, torch 2 with A, threads 1" in first
    assert report.CUDA not in first
    rates = {"bytes_per_second": 1.5e12, "copy_bytes_per_second": 2e12}
    report.write_document(timed("cuda", **rates), path)
    both = path.read_text()
    assert "| eager | 2.000 | 3.000 | 1.50 | 1,500 | 2,000 | - | - |" in both
    for lines in (first.splitlines(), both.splitlines()):
        assert [line for line in lines if line.startswith("## ")] == [
            f"## {title}" for title in (report.CPU, report.CUDA, "Again") if f"## {title}" in lines
        ]
    assert set(first.splitlines()) < set(both.splitlines())
    report.write_document(timed(), path)
    assert path.read_text() == both


def test_a_case_that_was_not_timed_is_told_as_such():
    late = Measured([PROCESS], [Result(Place("triton", "cuda"), CASES[0], 500, None)])
    heading, (row,) = report.cells(late)
    assert len(heading) == len(row)
    assert row[heading.index("ratio")] == "not run"
    (fields,) = report.fields(late)["results"]
    assert fields["ratio"] is None


@pytest.mark.long
@pytest.mark.parametrize("operation", [BOTH, LOSS, *OF_ATTENTION])
@pytest.mark.parametrize("preset", ["base", "int8"])
def test_what_a_gpu_is_asked_runs_in_the_interpreter(monkeypatch, operation, preset):
    if find_spec("triton") is None or torch.cuda.is_available():
        pytest.skip("triton is not installed, or has a GPU")
    monkeypatch.setattr(operations, "OF_HEADS", torch.float32)  # it rounds halves another way
    shape = Shape((1, 2, 40, 16), True) if operation in OF_ATTENTION else SMALL
    case = Case(operation, shape, preset, "exact_sum")
    with np.errstate(all="ignore"):  # NumPy warns where a GPU does not
        assert check_by_torch(case, "triton", 1, "cpu") == Checked(shape.elements)
        inputs = operations.draw(operation, shape, "cpu")
        ours = operations.fixed_function(case, inputs, "triton", check=False)
        run = timing.take_turns(
            operations.work(case, operations.float_function(case, inputs), inputs),
            operations.work(case, ours, inputs),
            0.0,
        )
    assert run.ratio > 0


def test_every_kernel_is_checked_and_timed_on_a_gpu():
    if not torch.cuda.is_available():
        pytest.skip("no CUDA device")
    told = []
    for phase in ("check", "time"):
        Job(phase, *places.on_cuda(), QUICK_CUDA.cases(), QUICK_CUDA.elements).run(told.append)
    assert all(not one.get("difference") for one in told)
    modes = [[run["mode"] for run in one["runs"]] for one in told if "runs" in one]
    assert modes == [["eager", "graph"]] * len(QUICK_CUDA.cases())
