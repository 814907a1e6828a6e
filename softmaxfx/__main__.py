"""``python -m softmaxfx``."""

from .cli import main

main(prog_name="softmaxfx")
