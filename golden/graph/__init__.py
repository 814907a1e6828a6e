"""Computational graphs: values as float and as hardware holds them, gradients, and pictures."""
