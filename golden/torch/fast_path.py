"""Torch's native path of its transformers, which calls no softmax that could be another."""

import torch


class FastPath:
    """Keeps the native path off, for all models, from :meth:`turn_off` to :meth:`restore`."""

    _off = 0
    _before = True

    def __init__(self) -> None:
        self._mine = False

    def turn_off(self) -> None:
        if FastPath._off == 0:
            FastPath._before = torch.backends.mha.get_fastpath_enabled()
            torch.backends.mha.set_fastpath_enabled(False)
        FastPath._off += 1
        self._mine = True

    def restore(self) -> None:
        """Make it what it was, once nobody keeps it off."""
        if not self._mine:
            return
        self._mine = False
        FastPath._off -= 1
        if FastPath._off == 0:
            torch.backends.mha.set_fastpath_enabled(FastPath._before)
