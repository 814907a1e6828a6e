"""The units with AXI4-Stream ports, under AMBA's names."""
