"""The twins of the golden stages."""
