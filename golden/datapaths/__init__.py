"""The ways to a row's sum: from where distances are measured, how far they reach, how wide the
numbers are."""
