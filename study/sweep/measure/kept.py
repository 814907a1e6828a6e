"""The latest results of a computation, kept by what they depend on."""

from collections import OrderedDict
from collections.abc import Callable, Hashable
from typing import Generic, TypeVar

Result = TypeVar("Result")


class Kept(Generic[Result]):
    """At most ``most`` results; the one that was not asked for the longest goes first.

    Results are handed out more than once: nobody may change one.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._results: OrderedDict[Hashable, Result] = OrderedDict()

    def of(self, key: Hashable, compute: Callable[[], Result]) -> Result:
        """The result of a key, computed where it is not there; what fails is not kept."""
        if key not in self._results:
            self._results[key] = compute()
            if len(self._results) > self._most:
                self._results.popitem(last=False)
        self._results.move_to_end(key)
        return self._results[key]
