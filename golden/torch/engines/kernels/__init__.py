"""The units as Triton kernels, in 64-bit integers.

A program takes some rows, and as many elements of each at once as fit; a row that is longer is
passed over once more for everything that its elements wait for. ``constants`` alone can be imported
without Triton.
"""
