"""What commands are decorated with."""

from collections.abc import Callable
from typing import Any

Command = Callable[..., Any]
Decorator = Callable[[Command], Command]


def options(*added: Decorator) -> Decorator:
    """Add several options to a command, which shows them in this order."""

    def decorate(command: Command) -> Command:
        for option in reversed(added):
            command = option(command)
        return command

    return decorate
