"""How a command ends: status 1 says what it found; any other bad end is one sentence and status 2.

1 is a mismatch, an exceeded bound, a failed entry or a goal that nothing meets, as the help of a
command says, and nothing else: neither a full disk nor a defect of this package.
"""

import io
import os
import subprocess
import sys
import traceback
from contextlib import suppress
from typing import Any

import click

from .golden.errors import require
from .sim.processes import ended_by_signals
from .terminal import error_console


class OneSentence(click.Command):
    """A command that refuses empty texts: as a path, ``''`` would be the working directory."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        given, _, _ = self.make_parser(ctx).parse_args(args=list(args))
        for parameter in self.params:
            values = given.get(parameter.name)
            if "" in (values if isinstance(values, list | tuple) else [values]):
                raise click.BadParameter("it must not be empty", ctx, parameter)
        return super().parse_args(ctx, args)


class CommandGroup(OneSentence, click.Group):
    """A group of such commands."""

    command_class = OneSentence


class Program(CommandGroup):
    """The whole command line, which decides how it ends."""

    def main(self, *args: Any, **kwargs: Any) -> Any:
        try:
            _open_streams()
            with ended_by_signals():
                status = super().main(*args, **{**kwargs, "standalone_mode": False})
            sys.stdout.flush()
        except click.exceptions.NoArgsIsHelpError as error:
            error.show()
            status = 2
        except BaseException as error:
            _tell(error.__cause__ if isinstance(error, _EndedError) and error.__cause__ else error)
            status = 2
        _close_streams()
        sys.exit(status if isinstance(status, int) else 0)

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except (KeyboardInterrupt, EOFError, OSError) as error:  # click has its own ends for
            raise _EndedError from error  # these, status 1 among them


class _EndedError(Exception):
    """Carries its cause past click."""


def _tell(error: BaseException) -> None:
    """One sentence on stderr; before it the traceback, where the error is a defect of ours."""
    sentence = _sentence(error)
    if not sentence:
        traceback.print_exception(error)
        sentence = f"a defect of softmaxfx: {type(error).__name__}, as told above"
    line = " ".join(sentence.splitlines())
    with suppress(OSError):  # there may be nobody to tell
        error_console.print(f"softmaxfx: {line}")


def _sentence(error: BaseException) -> str:
    """What a user can do something about; empty for anything else."""
    match error:
        case click.ClickException():
            return error.format_message()
        case KeyboardInterrupt() | click.Abort():
            return "interrupted"
        case MemoryError():
            return f"the memory does not suffice{f': {error}' if str(error) else ''}"
        case subprocess.CalledProcessError():
            return f"{error.cmd[0]} failed with exit status {error.returncode}"
        case SystemExit():  # how click and others end where a pipe is closed
            return "the standard output must be open until the end, not closed"
        case OSError():
            name = error.filename or "a file or pipe that the command needs"
            return f"{name} cannot be used: {error.strerror or error}"
        case ValueError():
            return str(error)
    return ""


def _open_streams() -> None:
    """Make sure that what is printed can be printed.

    A closed stream becomes one to nowhere, as the next file opened would take its number and get
    what others write there. What a stream cannot spell is spelled in another way.
    """
    closed = sys.stdout is None
    for number in range(3):
        try:
            os.fstat(number)
        except OSError:
            nowhere = os.open(os.devnull, os.O_RDWR)  # takes the lowest number that is free
            os.set_inheritable(nowhere, True)
    require(not closed, "the standard output must be open, not closed")
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


def _close_streams() -> None:
    """Drop what a stream does not take: Python would fail over it, with a status of its own."""
    for stream in (sys.stdout, sys.stderr):
        if stream is None:
            continue
        try:
            stream.flush()
        except OSError:
            os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())
