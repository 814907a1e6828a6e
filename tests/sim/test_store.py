import shutil
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from softmaxfx.golden.errors import ConfigError
from softmaxfx.sim.store import claimed, once


def test_a_result_is_computed_once_for_everything_it_depends_on(tmp_path):
    computed = []

    def fill(folder):
        computed.append(folder)
        (folder / "result").write_text("42")

    homes = [once(tmp_path, recipe, fill) for recipe in (["a", 1], ["a", 1], ["a", 2])]
    assert homes[0] == homes[1] != homes[2]
    assert len(computed) == 2
    assert all((home / "result").read_text() == "42" for home in homes)


def test_what_failed_is_no_result(tmp_path):
    def fail(folder):
        (folder / "log").write_text("half of it")
        raise RuntimeError

    def succeed(folder):
        (folder / "log").write_text("all of it")

    with pytest.raises(RuntimeError):
        once(tmp_path, "recipe", fail)
    assert (once(tmp_path, "recipe", succeed) / "log").read_text() == "all of it"
    assert len(list(tmp_path.iterdir())) == 1


def test_a_result_without_its_files_is_computed_again(tmp_path):
    computed = []

    def fill(folder):
        computed.append(folder)
        (folder / "result").write_text("42")

    home = once(tmp_path, "recipe", fill, holds=("result",))
    for remove in (lambda: (home / "result").unlink(), lambda: shutil.rmtree(home)):
        remove()
        assert once(tmp_path, "recipe", fill, holds=("result",)) == home
        assert (home / "result").read_text() == "42"
    assert len(computed) == 3


WORKER = """
import sys, time
from pathlib import Path
from softmaxfx.sim.store import claimed, once
cache, name = Path(sys.argv[1]), sys.argv[2]
def say(what):
    with (cache.parent / "said").open("a") as file: file.write(what + "\\n")
"""

COMPUTES = """
def fill(folder):
    say("began"); time.sleep(1); (folder / "result").write_text("42")
say(once(cache, "recipe", fill).joinpath("result").read_text())
"""

CLAIMS = """
with claimed(cache / "run") as folder:
    say(folder.name)
    folder.mkdir(exist_ok=True)
    while not (cache.parent / "go").exists(): time.sleep(0.02)
"""

DIES = """
def fill(folder):
    (folder / "half").write_text("half"); say("began"); time.sleep(600)
once(cache, "recipe", fill)
"""


def workers(script, folder, count):
    """Processes that run a script at once."""
    command = [sys.executable, "-c", WORKER + script, str(folder / "cache")]
    return [subprocess.Popen([*command, str(number)]) for number in range(count)]


def said(folder, lines):
    """What workers have said, once it is some lines."""
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        file = folder / "said"
        found = file.read_text().splitlines() if file.exists() else []
        if len(found) >= lines:
            return found
        time.sleep(0.02)
    pytest.fail(f"they said {found}")


def test_processes_that_want_the_same_result_compute_it_once(tmp_path):
    for worker in workers(COMPUTES, tmp_path, 4):
        assert worker.wait(timeout=60) == 0
    assert sorted(said(tmp_path, 5)) == ["42"] * 4 + ["began"]
    assert len(list((tmp_path / "cache").iterdir())) == 1


def test_threads_that_want_the_same_result_compute_it_once(tmp_path):
    computed = []

    def fill(folder):
        computed.append(folder)
        time.sleep(0.3)

    with ThreadPoolExecutor(8) as pool:
        homes = set(pool.map(lambda _: once(tmp_path, "recipe", fill), range(8)))
    assert (len(homes), len(computed)) == (1, 1)


def test_a_killed_process_blocks_nobody_and_leaves_no_half(tmp_path):
    (killed,) = workers(DIES, tmp_path, 1)
    said(tmp_path, 1)
    killed.kill()
    killed.wait()

    def fill(folder):
        assert not (folder / "half").exists()
        (folder / "result").write_text("42")

    assert (once(tmp_path / "cache", "recipe", fill) / "result").read_text() == "42"


def test_a_folder_is_claimed_by_one_process_at_a_time(tmp_path):
    claimants = workers(CLAIMS, tmp_path, 3)
    assert sorted(said(tmp_path, 3)) == ["run", "run-2", "run-3"]
    (tmp_path / "go").touch()
    for claimant in claimants:
        assert claimant.wait(timeout=60) == 0
    with claimed(tmp_path / "cache" / "run") as folder:
        assert folder.name == "run"
        assert folder.is_dir()  # its logs stay


def test_a_folder_is_claimed_by_one_thread_at_a_time(tmp_path):
    with claimed(tmp_path / "run") as first, ThreadPoolExecutor(1) as pool:

        def claim():
            with claimed(tmp_path / "run") as folder:
                return folder

        assert [first.name, pool.submit(claim).result().name] == ["run", "run-2"]
        assert pool.submit(claim).result().name == "run-2"


def test_the_folder_of_a_killed_process_is_free(tmp_path):
    (killed,) = workers(CLAIMS, tmp_path, 1)
    assert said(tmp_path, 1) == ["run"]
    killed.kill()
    killed.wait()
    with claimed(tmp_path / "cache" / "run") as folder:
        assert folder.name == "run"


@pytest.mark.parametrize(
    "use",
    [
        lambda folder: once(folder, "recipe", lambda scratch: None),
        lambda folder: claimed(folder / "run").__enter__(),
    ],
    ids=["once", "claimed"],
)
def test_a_cache_that_cannot_be_written_to_is_one_sentence(use, tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(ConfigError, match=r"file/runs must be a writable directory: Not a dir"):
        use(tmp_path / "file" / "runs")
