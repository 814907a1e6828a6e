"""The bitwidth sweep: what each bit of a configuration buys on real rows, and what it costs."""
