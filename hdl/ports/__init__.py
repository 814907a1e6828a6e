"""What is inside the ports: beats, frames cut into rows, streams joined."""
