"""``softmaxfx graph``: an expression as a picture, with values and gradients at every node."""

from dataclasses import dataclass
from pathlib import Path

import click
import numpy as np
from rich.table import Table

from .endings import OneSentence
from .files import json_text, require_file, write_whole
from .golden import PRESETS, ConfigError, SoftmaxConfig
from .golden.errors import require
from .golden.graph.expressions import EXPRESSIONS, Expression
from .golden.graph.graph import Graph
from .golden.graph.labels import decimal
from .golden.graph.notation import ROLES, read, read_row, uses_roles
from .golden.graph.picture import picture
from .golden.graph.record import operation, record
from .golden.graph.stages import HardwareValues
from .golden.types import Reals
from .options import chosen_configs
from .outputs import OutFile, json_option
from .study.toml_file import read_toml
from .terminal import console, print_table

SHOWN = 8
"""Elements of a row that the table shows one by one."""


@click.command("graph", cls=OneSentence)
@click.argument("expression", required=False, metavar="[EXPRESSION]")
@click.option("--list", "listed", is_flag=True, help="Name the expressions, and end.")
@click.option("--text", "as_text", is_flag=True, help="Print the expression as a file, and end.")
@click.option(
    "--formats", metavar="P|F.toml",
    help=f"Hold values in a configuration's formats: {', '.join(PRESETS)}, or a file.",
)  # fmt: skip
@click.option(
    "--set", "fields", multiple=True, metavar="FIELD=VALUE",
    help="With --formats: set one field, as in --set datapath=exact_sum.",
)  # fmt: skip
@click.option("--x", "x", metavar="ROW", help="Value of x, as in --x 1.0,2.0,3.0.")
@click.option(
    "--let", "lets", multiple=True, metavar="NAME=ROW",
    help="Value of any input, as in --let dp=0,1,0. Can be given more than once.",
)  # fmt: skip
@click.option(
    "--target", type=click.IntRange(min=0), metavar="K",
    help="Of cross_entropy: index of the right class, from 0.  [default: 0]",
)  # fmt: skip
@click.option(
    "--at", metavar="NODE", help="Node whose gradients are drawn.  [default: the last line's]"
)
@click.option(
    "--upstream", metavar="ROW",
    help="Weights of its elements.  [default: 1 for the first, 0 for the others]",
)  # fmt: skip
@click.option(
    "--out", type=OutFile(), metavar="F.svg", help="The picture.  [default: build/graph/NAME.svg]"
)
@json_option
@click.pass_context
def graph(
    context: click.Context, expression: str | None, listed: bool, as_text: bool,
    formats: str | None, fields: tuple[str, ...], x: str | None, lets: tuple[str, ...],
    target: int | None, at: str | None, upstream: str | None, out: Path | None,
    json_file: Path | None,
) -> None:  # fmt: skip
    """Draw forward values and gradients at every node of an expression.

    EXPRESSION is a name of --list, or a file: an assignment a line, of names, rows of numbers,
    + - * / ^, ( ) and the functions exp, ln, max, sum, reciprocal, sigmoid, relu, softmax, clip and
    saturate; # begins a comment. A name can be given a format:

    \b
        w = 2 -3
        x : SQ(5, 11) = -1 -2
        f : output = sigmoid(sum(w * x) + 0.5)

    Values are float64. With --formats they are what the hardware holds, bit for bit for
    softmax, log_softmax, cross_entropy and softmax_backward; formats like "output" in a file are
    those of the configuration. What overflows, or has no value, is told in a note.

    Exit status 0; 2: the call could not be carried out.
    """  # fmt: skip
    if listed:
        _refuse_others(context, "listed")
        print_table(_listing())
        return
    chosen = _Chosen.of(expression, formats, fields)
    if as_text:
        _refuse_others(context, "as_text", "expression", "formats", "fields")
        console.print(chosen.text.rstrip())
        return
    picture_file = _outputs(chosen.name, out, json_file)
    drawn = chosen.graph(_given(x, lets), target)
    node = drawn[at] if at is not None else drawn.nodes[-1]
    drawn.backward(node, None if upstream is None else _row("--upstream", upstream))
    content = {
        "expression": chosen.name, "text": chosen.text, "formats": formats, "set": list(fields),
        **record(drawn),
    }  # fmt: skip
    print_table(_table(drawn))
    for note in content["notes"]:
        console.print(f"note: {note}")
    write_whole(picture_file, picture(drawn, chosen.heading))
    if json_file is not None:
        write_whole(json_file, json_text(content))
    console.print(f"picture: {picture_file}{f'   values: {json_file}' if json_file else ''}")


@dataclass(frozen=True)
class _Chosen:
    """An expression, and the configuration that it is held in.

    Attributes:
        name: of the expression or its file. text: in the notation. heading: of the picture.
        expression: the one of that name; ``None`` for a file's.
    """

    name: str
    text: str
    heading: str
    config: SoftmaxConfig | None
    expression: Expression | None

    @classmethod
    def of(cls, given: str | None, formats: str | None, fields: tuple[str, ...]) -> "_Chosen":
        """What the arguments name.

        Raises:
            ConfigError: there is no such expression, file or configuration, or it has no effect.
        """
        expression = EXPRESSIONS.get(given or "")
        text = _read(given) if expression is None else ""
        config = _config(formats, fields)
        if expression is not None:
            config = None if config is None else expression.fitted(config)
            text = expression.text(config)
        require(
            config is None or uses_roles(text),
            f"--formats must be given for an expression that holds a name in one of "
            f"{', '.join(ROLES)}, as in x : input = 1, and {given} holds none",
        )
        name = Path(str(given)).stem if expression is None else expression.name
        heading = name if formats is None else f"{name}, formats of {Path(formats).stem}"
        return cls(name, text, heading, config, expression)

    def graph(self, given: dict[str, Reals], target: int | None) -> Graph:
        """The graph with its values."""
        formats = None if self.config is None else {r: getattr(self.config, r) for r in ROLES}
        try:
            graph = read(self.text, formats)
            for name, row in given.items():
                graph.give(name, row)
            self._point(graph, given, target)
            graph.forward(self._hardware_values(graph))
        except ValueError as error:
            raise ConfigError(f"{self.name}: {error}") from None
        return graph

    def _point(self, graph: Graph, given: dict[str, Reals], target: int | None) -> None:
        """Set the input that is 1 at the target, where there is one and it is not given."""
        name = self.expression.one_hot if self.expression else ""
        require(target is None or name == "y", "--target must be given for cross_entropy alone")
        require(target is None or name not in given, "--target and --let y must not both be given")
        if name and name not in given:
            size = graph["x"].exact.size
            require((target or 0) < size, f"--target must be from 0 to {size - 1}, not {target}")
            graph.give(name, graph[name].exact.max() * np.eye(size)[target or 0])

    def _hardware_values(self, graph: Graph) -> HardwareValues | None:
        """What the unit holds."""
        of_inputs = self.expression.hardware_values if self.expression else None
        if self.config is None or of_inputs is None:
            return None
        return of_inputs({node.name: node.exact for node in graph.inputs}, self.config)


def _refuse_others(context: click.Context, kept: str, *heeded: str) -> None:
    """Refuse what has no effect beside an option that ends the command early."""
    option = "--list" if kept == "listed" else "--text"
    for parameter in context.command.params:
        given = parameter.name not in (kept, *heeded) and context.params[str(parameter.name)]
        name = parameter.opts[0] if isinstance(parameter, click.Option) else "EXPRESSION"
        require(not given, f"{name} must not be given together with {option}")


def _read(given: str | None) -> str:
    """The text of a file of the user's own."""
    names = f"EXPRESSION must be one of {', '.join(EXPRESSIONS)}, or a readable file"
    require(given is not None, names)
    try:
        return Path(str(given)).read_bytes().decode("utf-8-sig")
    except OSError as error:
        reason = error.strerror or str(error)
    except UnicodeDecodeError:
        reason = "it is no UTF-8 text"
    raise ConfigError(f"{names}, not {given}: {reason}")


def _config(formats: str | None, fields: tuple[str, ...]) -> SoftmaxConfig | None:
    """The configuration of --formats and --set."""
    if formats is None:
        require(not fields, "--set must be given together with --formats")
        return None
    named = formats in PRESETS
    require(
        named or Path(formats).suffix == ".toml" or Path(formats).exists(),
        f"--formats must be one of {', '.join(PRESETS)}, or a TOML file, not {formats!r}",
    )
    if not named:
        read_toml("--formats", Path(formats))  # so that an error names this option
    ((_, config),) = chosen_configs(
        presets=(formats,) if named else (), file=None if named else Path(formats), datapaths=(),
        fields=fields, lanes=None, max_length=None, default=(),
    )  # fmt: skip
    require(
        not config.has_exponent,
        "output_exponent must be none for a graph, whose values have no exponent beside them, not "
        "'row'",
    )
    return config


def _outputs(name: str, out: Path | None, json_file: Path | None) -> Path:
    """The file of the picture, checked."""
    if out is None:
        out = Path("build/graph") / f"{name}.svg"
        require_file("the picture", out)
    require(out.suffix == ".svg", f"--out must be a .svg file, not {out}")
    require(
        json_file is None or json_file.resolve() != out.resolve(),
        f"--json must be another file than the picture, not {json_file}",
    )
    return out


def _given(x: str | None, lets: tuple[str, ...]) -> dict[str, Reals]:
    """Values of inputs by name.

    Raises:
        ConfigError: one that is no row, or is given twice.
    """
    given: dict[str, Reals] = {}
    for option, text in [("--x", f"x={x}")] * (x is not None) + [("--let", let) for let in lets]:
        name, equals, row = (part.strip() for part in text.partition("="))
        require(bool(equals), f"--let must be NAME=ROW, as dp=0,1,0, not {text!r}")
        require(name not in given, f"{name} must be given once, not twice")
        given[name] = _row(option, row)
    return given


def _row(option: str, text: str) -> Reals:
    try:
        return read_row(text)
    except ValueError as error:
        raise ConfigError(f"{option} {error}") from None


def _listing() -> Table:
    table = Table("name", "shows", "inputs")
    for expression in EXPRESSIONS.values():
        inputs = [node.name for node in read(expression.text(None)).inputs]
        table.add_row(expression.name, expression.about, ", ".join(inputs))
    return table


def _table(graph: Graph) -> Table:
    """Every node: what it is, its value and gradient; its format where the hardware holds any."""
    fixed_point = any(node.fixed for node in graph.nodes)
    table = Table("node", "is", "value", f"gradient of {graph.seed.name if graph.seed else ''}")
    if fixed_point:
        table.add_column("format")
        table.add_column("value - float, LSB")
    for node in graph.nodes:
        if node.constant:
            continue
        cells = [node.name, operation(node), _cell(node.value, 6), _cell(node.gradient, 6)]
        if fixed_point:
            difference = node.difference
            fmt = node.fixed.format if node.fixed else ""
            cells += [fmt, "" if difference is None else _cell(difference, 3)]
        table.add_row(*cells)
    return table


def _cell(array: Reals, digits: int) -> str:
    """A row of numbers, a long one by its length, least and largest element."""
    values = array.ravel()
    if values.size > SHOWN:
        least, most = (decimal(float(x), digits) for x in (values.min(), values.max()))
        return f"{values.size}: {least} to {most}"
    return " ".join(decimal(x, digits) for x in values.tolist())
