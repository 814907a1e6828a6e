"""Recorded softmax inputs and the scripts that record them.

The recordings are what a softmax meets in practice: the logits of a trained classifier and the
attention scores of a trained language model, with the classes and the gradients that the backward
units need. Reading them needs NumPy only; recording them again needs the extra `softmaxfx[study]`.
"""
