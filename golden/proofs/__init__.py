"""How far a unit can be from the exact result, proven over every input."""
