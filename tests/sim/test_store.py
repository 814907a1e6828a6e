import pytest

from softmaxfx.sim.store import once


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
