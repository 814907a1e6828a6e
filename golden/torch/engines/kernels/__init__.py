"""The units as Triton kernels, in integers of 32 bits where widths allow, else of 64.

A program takes some rows, and as many elements of each at once as fit; a row that is longer is
passed over once more for everything that its elements wait for. Attention's kernels do so by the
blocks of a head. ``constants`` alone can be imported without Triton.
"""
