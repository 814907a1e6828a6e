"""Float references of the units. The only room that may import torch."""
