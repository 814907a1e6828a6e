"""What a unit is made of, a stage a file; the twins in `hdl` have the same names."""
