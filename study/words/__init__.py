"""A word language model that is trained by the full softmax and by cheaper ones, side by side."""
