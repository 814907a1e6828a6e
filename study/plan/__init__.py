"""Cutoffs of an adaptive softmax, planned from word counts and what its rows cost."""
