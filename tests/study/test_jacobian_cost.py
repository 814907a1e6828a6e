"""The Jacobian and the D form give one gradient; their memory grows as N^2 and as N."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from softmaxfx.golden.measures.exact import exact_backward
from softmaxfx.golden.torch.reference import Reference
from softmaxfx.study import jacobian_cost
from softmaxfx.study.jacobian_cost import by_d_form, by_jacobian, measure, measure_all

torch = pytest.importorskip("torch", reason="torch is not installed")

CPU = Reference("torch float32 on CPU", "cpu", "float32")
CUDA = Reference("torch float32 on CUDA", "cuda", "float32")
BYTES = 4
RESIDENT = """
import re, torch
from softmaxfx.study.jacobian_cost import by_d_form, by_jacobian
def most():
    return 1024 * int(re.search(r"VmHWM:\\s+(\\d+) kB", open("/proc/self/status").read())[1])
def grown(form, length):
    p, before = torch.softmax(torch.zeros(length), 0), most()
    form(p, p)
    return most() - before
for form in (by_d_form, by_jacobian):
    form(torch.ones(8), torch.ones(8))
print(grown(by_d_form, 4096), grown(by_jacobian, 4096))
"""


@pytest.fixture(autouse=True)
def _quick(monkeypatch):
    monkeypatch.setattr(jacobian_cost, "REPETITIONS", 3)


def devices():
    return [pytest.param(which, id=which.name) for which in jacobian_cost.DEVICES]


@pytest.mark.parametrize("form", [by_jacobian, by_d_form])
def test_both_forms_give_the_exact_gradient(form):
    p, dp = np.random.default_rng(1).random((2, 50))
    gate = form(torch.from_numpy(p), torch.from_numpy(dp)).numpy()
    np.testing.assert_allclose(gate, exact_backward(p, dp), rtol=1e-12)


def test_it_is_measured_on_both_devices_up_to_16384_elements():
    assert [which.device for which in jacobian_cost.DEVICES] == ["cpu", "cuda"]
    assert {which.dtype for which in jacobian_cost.DEVICES} == {"float32"}
    assert jacobian_cost.LENGTHS == (256, 1024, 4096, 16384)


@pytest.mark.parametrize("which", devices())
def test_memory_grows_as_the_square_and_as_the_length(which):
    if which.absence:
        pytest.skip(which.absence)
    small, large = measure(which, 1024), measure(which, 4096)
    for cost in (small, large):
        matrix = BYTES * cost.length**2
        assert matrix <= cost.jacobian.peak_bytes < 1.01 * matrix
        assert 2 * BYTES * cost.length <= cost.d_form.peak_bytes < 4 * BYTES * cost.length
        assert cost.agree
        assert cost.memory_ratio == cost.jacobian.peak_bytes / cost.d_form.peak_bytes > 100
        assert min(cost.d_form.seconds, cost.jacobian.seconds) > 0
        assert cost.time_ratio == cost.jacobian.seconds / cost.d_form.seconds
    if which.device == "cpu":  # a GPU does as little work as this in no time
        assert large.d_form.seconds < large.jacobian.seconds
    assert large.jacobian.peak_bytes / small.jacobian.peak_bytes == pytest.approx(16, rel=0.01)
    assert large.d_form.peak_bytes / small.d_form.peak_bytes == pytest.approx(4, rel=0.1)


def test_what_torch_tells_is_what_the_process_takes():
    """The most resident memory that a process of its own ever had."""
    if not Path("/proc/self/status").exists():
        pytest.skip("the system does not tell resident memory")
    run = [sys.executable, "-c", RESIDENT]
    printed = subprocess.run(run, capture_output=True, text=True, check=True).stdout
    direct, matrix = map(int, printed.split())
    assert direct < 1 << 20
    assert matrix == pytest.approx(measure(CPU, 4096).jacobian.peak_bytes, rel=0.15)


def test_allocations_within_a_form_count_and_those_before_it_do_not():
    p = torch.ones(1 << 16)

    def three_at_once(p, dp):
        a, b = p + 1, p + 2
        return a + b

    def one_after_another(p, dp):
        a = p + 1
        del a
        return p + 2

    size = BYTES << 16
    few = 64  # the numbers 1 and 2 as tensors
    assert 3 * size <= jacobian_cost._peak_on_cpu(three_at_once, p, p) <= 3 * size + few
    assert size <= jacobian_cost._peak_on_cpu(one_after_another, p, p) <= size + few


def test_the_profiler_s_own_lines_are_not_shown(capfd):
    measure(CPU, 16)
    print("shown", file=sys.stderr)  # noqa: T201
    out, err = capfd.readouterr()
    assert (out, err) == ("", "shown\n")


def test_times_are_those_of_one_thread_and_others_keep_theirs(monkeypatch):
    seen = []
    seconds = jacobian_cost._seconds
    before = torch.get_num_threads()

    def watched(*arguments):
        seen.append(torch.get_num_threads())
        return seconds(*arguments)

    monkeypatch.setattr(jacobian_cost, "_seconds", watched)
    measure(CPU, 16)
    assert set(seen) == {1}
    assert torch.get_num_threads() == before


def test_another_gradient_is_noticed(monkeypatch):
    monkeypatch.setattr(jacobian_cost, "by_jacobian", lambda p, dp: p * dp)
    assert measure(CPU, 256).difference > jacobian_cost.TOLERANCE
    assert not measure(CPU, 256).agree


def test_every_length_is_measured_in_turn(monkeypatch):
    monkeypatch.setattr(jacobian_cost, "LENGTHS", (16, 32, 64))
    shares = []
    costs, note = measure_all(CPU, shares.append)
    assert [cost.length for cost in costs] == [16, 32, 64]
    assert note == ""
    assert shares == sorted(shares)
    assert shares[-1] == 1


def test_a_matrix_that_does_not_fit_ends_the_series_with_a_sentence(monkeypatch):
    def full(p, dp):
        raise RuntimeError("DefaultCPUAllocator: can't allocate memory: you tried to allocate 4 PB")

    monkeypatch.setattr(jacobian_cost, "by_jacobian", full)
    assert measure_all(CPU) == ([], "not enough memory for 256 x 256 elements: not run")


def test_any_other_failure_is_no_result(monkeypatch):
    def broken(p, dp):
        raise RuntimeError("shapes do not match")

    monkeypatch.setattr(jacobian_cost, "by_jacobian", broken)
    with pytest.raises(RuntimeError, match="shapes do not match"):
        measure_all(CPU)


def test_without_cuda_the_device_is_absent(monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    assert CUDA in jacobian_cost.DEVICES
    assert CUDA.absence == "no CUDA device: not run"
