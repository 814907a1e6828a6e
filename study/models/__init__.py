"""Pretrained networks, and what the format of a softmax does to a whole model."""
