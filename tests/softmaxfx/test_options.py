"""The options that choose a configuration: each field once, each value read as it was meant."""

import click
import pytest
from click.testing import CliRunner

from softmaxfx.golden import SQ, UQ, ConfigError, preset
from softmaxfx.options import chosen_configs, config_options


def chosen(*arguments, default=("base",), default_datapaths=()):
    """The configurations that a command line chooses."""
    found = []

    @click.command()
    @config_options
    def command(**options):
        found.extend(
            chosen_configs(**options, default=default, default_datapaths=default_datapaths)
        )

    result = CliRunner().invoke(command, [str(a) for a in arguments], catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return [config for _, config in found]


def set_(*fields):
    return [part for field in fields for part in ("--set", field)]


VALUES = {
    "a whole number": ("lanes=4", {"lanes": 4}),
    "spaces": (" lanes = 4 ", {"lanes": 4}),
    "an end of line": ("lanes=4\n", {"lanes": 4}),
    "hexadecimal": ("lanes=0x10", {"lanes": 16}),
    "a sign": ("lanes=+4", {"lanes": 4}),
    "thousands": ("max_length=1_000", {"max_length": 1000}),
    "no zero before the point": ("scale=.5", {"scale": 0.5}),
    "none behind it": ("range=5.", {"range": 5.0}),
    "neither, and a sign": ("scale=+.25", {"scale": 0.25}),
    "an exponent": ("scale=1e-3", {"scale": 0.001}),
    "an exponent behind a bare point": ("scale=5.E-1", {"scale": 0.5}),
    "a format": ("output=UQ(0, 12)", {"output": UQ(0, 12)}),
    "a format in quotes": ('output="UQ(0, 12)"', {"output": UQ(0, 12)}),
    "a format of another tool": ("input=ap_fixed<16,5,AP_RND,AP_SAT>", {"input": SQ(5, 11)}),
    "a word": ("datapath=exact_sum", {"datapath": "exact_sum"}),
    "a list": ("exp_split=[8, 8]", {"exp_split": (8, 8)}),
}


@pytest.mark.parametrize(("text", "changes"), VALUES.values(), ids=VALUES)
def test_a_value_is_read_as_it_was_meant(text, changes):
    assert chosen(*set_(text)) == [preset("base", **changes)]


NOT_READ = {
    "two lines": ("lanes=2\nmax_length=5", "one value and nothing behind it"),
    "two lines of another system": ("lanes=2\r\nmax_length=5", "one value and nothing behind it"),
    "a comment": ("lanes=2 # or 4", "one value and nothing behind it"),
    "nothing": ("lanes=", "one value and nothing behind it"),
    "no field": ("=2", "--set must be FIELD=VALUE with a field of input, output"),
    "two fields": (
        "lanes=2, max_length=5",
        "lanes must be a whole number .*, not '2, max_length=5'",
    ),
    "a word for a number": ("lanes=two", "lanes must be a whole number from 1 to 64, not 'two'"),
    "a zero in front": ("lanes=010", "lanes must be a whole number from 1 to 64, not '010'"),
    "a float of a whole number": ("lanes=8.", "lanes must be a whole number .*, not 8.0"),
    "half a number": ("scale=1e", "scale must be a positive number .*, not '1e'"),
    "a point": ("scale=.", "scale must be a positive number .*, not '.'"),
    "a comma": ("scale=0,5", "scale must be a positive number .*, not '0,5'"),
    "no number": ("scale=nan", "scale must be a positive number .*, not nan"),
    "without end": ("range=inf", "range must be a positive number .*, not inf"),
    "a date": ("range=2020-01-01", "range must be a positive number .*, not datetime.date"),
    "a table": ("lanes={a=1}", "lanes must be a whole number .*, not {'a': 1}"),
    "yes": ("lanes=true", "lanes must be a whole number from 1 to 64, not True"),
    "a deep list": ("exp_split=" + "[" * 5000, "exp_split must be a list of widths"),
    "thousands of digits": ("lanes=" + "9" * 5000, "lanes must be a whole number"),
    "thousands of them in hexadecimal": ("lanes=0x" + "f" * 9000, "lanes must be a number below"),
}


@pytest.mark.parametrize(("text", "sentence"), NOT_READ.values(), ids=NOT_READ)
def test_a_value_that_is_none_is_one_sentence(text, sentence):
    with pytest.raises(ConfigError, match=sentence) as caught:
        chosen(*set_(text))
    assert "\n" not in str(caught.value)


TWICE = {
    "two of the same": (set_("lanes=2", "lanes=4"), "lanes", "2 times (by --set)"),
    "two that are equal": (set_("lanes=2", "lanes=2"), "lanes", "2 times (by --set)"),
    "spelled apart": (set_("lanes=2", " lanes =4"), "lanes", "2 times (by --set)"),
    "an option of its own": (
        [*set_("lanes=2"), "--lanes", 4], "lanes", "2 times (by --set and --lanes)",
    ),
    "the other one": (
        ["--max-length", 4, *set_("max_length=2")], "max_length",
        "2 times (by --set and --max-length)",
    ),
    "datapaths": (
        ["--datapath", "exact_sum", *set_("datapath=max_subtract")], "datapath",
        "2 times (by --set and --datapath)",
    ),
    "three": (
        [*set_("lanes=2", "lanes=4"), "--lanes", 1], "lanes", "3 times (by --set and --lanes)",
    ),
}  # fmt: skip


@pytest.mark.parametrize(("arguments", "field", "how"), TWICE.values(), ids=TWICE)
def test_a_field_that_is_set_twice_is_refused(arguments, field, how):
    with pytest.raises(ConfigError) as caught:
        chosen(*arguments)
    assert str(caught.value) == f"{field} must be set once, not {how}"


def test_datapaths_and_defaults():
    both = ("max_subtract", "exact_sum")
    assert [c.datapath for c in chosen(default_datapaths=both)] == [*both]
    assert [c.datapath for c in chosen("--datapath", both[0], "--datapath", both[1])] == [*both]
    (one,) = chosen(*set_("datapath=exact_sum"), default_datapaths=both)
    assert one.datapath == "exact_sum"


FILES = {
    "plain": b"lanes = 2\n",
    "with a byte order mark": b"\xef\xbb\xbflanes = 2\n",
    "with line ends of another system": b"lanes = 2\r\n",
    "with a comment": b"# mine\nlanes = 2 # or 4\n",
}


@pytest.mark.parametrize("content", FILES.values(), ids=FILES)
def test_a_file_of_fields_is_read(content, tmp_path):
    file = tmp_path / "mine.toml"
    file.write_bytes(content)
    assert chosen("--config", file) == [preset("base", lanes=2)]
    assert chosen("--config", file, "--lanes", 4) == [preset("base", lanes=4)]


NO_FILES = {
    "of another encoding": ("lanes = 2".encode("utf-16"), "it is no UTF-8 text"),
    "half written": (b"lanes = ", "Invalid value"),
    "with a field twice": (b"lanes = 2\nlanes = 4", "Cannot overwrite a value"),
    "with thousands of digits": (b"lanes = " + b"9" * 5000, "Exceeds the limit"),
    "that is deep": (b"exp_split = " + b"[" * 5000, "its values are nested too deeply"),
    "of zeros": (b"\0" * 20, "Invalid"),
}


@pytest.mark.parametrize(("content", "reason"), NO_FILES.values(), ids=NO_FILES)
def test_a_file_that_is_none_is_one_sentence(content, reason, tmp_path):
    file = tmp_path / "mine.toml"
    file.write_bytes(content)
    with pytest.raises(
        ConfigError, match=rf"^--config must be a readable TOML file, .*{reason}"
    ) as e:
        chosen("--config", file)
    assert "\n" not in str(e.value)


@pytest.mark.parametrize(
    ("name", "reason"), [("none.toml", "No such file or directory"), (".", "Is a directory")]
)
def test_a_file_that_is_not_there_is_one_sentence(name, reason, tmp_path):
    with pytest.raises(ConfigError, match=rf"readable TOML file, not .*: {reason}$"):
        chosen("--config", tmp_path / name)
