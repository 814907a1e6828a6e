"""What computes the units' bits on tensors: engines behind one interface."""
