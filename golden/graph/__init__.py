"""The computational graph that the formulas of gradients come from."""
