"""Which engine computes, and what is said where it is not the fastest."""

import warnings

import pytest

from .units_in_torch import torch

from softmaxfx.golden import ConfigError, preset  # isort: skip
from softmaxfx.golden.torch.engines import registry
from softmaxfx.golden.torch.engines.registry import (
    ENTRIES,
    Choice,
    EngineFallbackWarning,
    Entry,
    _engine,
    engine_for,
    which_engine,
)

CPU = torch.device("cpu")


class Absent:
    """An engine that cannot take any configuration."""

    name = "absent"

    def absence(self, config, device):
        return f"absent takes no {config.input}."


class Present(Absent):
    name = "present"

    def absence(self, config, device):
        return ""


ABSENT = Entry("absent", "softmaxfx.none", "Absent")
PRESENT = Entry("present", "softmaxfx.none", "Present")


@pytest.fixture
def entries(monkeypatch):
    """Sets the engines that there are."""
    registry._engine_for.cache_clear()
    built = {ABSENT: Absent(), PRESENT: Present()}

    def use(*chosen):
        monkeypatch.setattr(registry, "ENTRIES", chosen)
        monkeypatch.setattr(registry, "_engine", lambda entry: built[entry])

    # the fast path of _engine keeps what it built: entries of other tests stay as they are
    built |= {Entry("absent", "softmaxfx.none", "Absent", ("cuda",)): Absent()}
    yield use
    registry._engine_for.cache_clear()


def test_every_engine_of_the_list_is_what_its_name_says():
    for entry in ENTRIES:
        device = torch.device(entry.devices[0] if entry.devices else "cpu")
        if not _engine(entry).absence(preset("base"), device):
            assert engine_for(preset("base"), device, entry.name).name == entry.name


def test_engines_of_the_cpu_are_there():
    assert which_engine(preset("base"), "cpu") == Choice("compiled", {})
    for name in ("compiled", "torch", "numpy"):
        assert engine_for(preset("base"), CPU, name).name == name


def test_the_fastest_engine_that_can_is_taken():
    choice = which_engine(preset("base"), "cpu")
    assert engine_for(preset("base"), CPU).name == choice.name


def test_a_slower_engine_warns_once_for_each_configuration(entries):
    entries(ABSENT, PRESENT)
    with pytest.warns(EngineFallbackWarning, match=r"^the engine present computes on cpu what "):
        assert engine_for(preset("base"), CPU).name == "present"
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        engine_for(preset("base"), CPU)
    with pytest.warns(EngineFallbackWarning, match=r"absent: absent takes no SQ\(5, 3\)$"):
        engine_for(preset("int8"), CPU)
    assert which_engine(preset("base")).passed_over == {"absent": "absent takes no SQ(5, 11)."}


def test_an_engine_of_other_devices_is_passed_over_in_silence(entries):
    entries(Entry("absent", "softmaxfx.none", "Absent", ("cuda",)), PRESENT)
    assert engine_for(preset("base"), CPU).name == "present"
    assert which_engine(preset("base")).passed_over == {}


def test_no_engine_is_an_error(entries):
    entries(ABSENT)
    sentence = r"^config must suit an engine for cpu: absent: absent takes no SQ\(5, 11\)$"
    with pytest.raises(ConfigError, match=sentence):
        engine_for(preset("base"), CPU)


def test_a_named_engine_that_cannot_is_an_error(entries):
    entries(ABSENT, PRESENT)
    with pytest.raises(ConfigError, match=r"^engine must be one that can compute this, not 'abs"):
        engine_for(preset("base"), CPU, "absent")
    with pytest.raises(ConfigError, match=r"^engine must be one of absent, present, not 'fast'$"):
        engine_for(preset("base"), CPU, "fast")
