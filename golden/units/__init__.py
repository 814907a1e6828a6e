"""The units: what rows become."""
