"""The stages of the units in torch's 64-bit integers, on any device, a stage a file.

They have the names and the order of :mod:`softmaxfx.golden.stages`, which says what each computes,
and read its tables. Codes are int64; rows lie along the last axis.
"""
