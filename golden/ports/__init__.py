"""What the ports of a unit mean: frames cut into rows, two streams joined."""
