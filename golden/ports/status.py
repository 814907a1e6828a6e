"""What the status bits in the lowest places of an output's tuser say of a row."""

STATUS = "error", "saturated", "ignored"
"""Bit 0 first."""
STATUS_BITS = len(STATUS)
