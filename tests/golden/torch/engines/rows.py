"""Rows of real logits where an engine could go wrong."""

import numpy as np

COUNT = 37
"""Elements of the rows: more than bytes of flags hold without a rest."""
INF = np.inf


def near(values, dtype):
    """Values and their neighbours in a dtype."""
    values = np.asarray(values, dtype)
    beside = np.nextafter(values, dtype(-INF)), np.nextafter(values, dtype(INF))
    return np.stack([values, *beside], axis=-1).ravel()


def halves(config, dtype, rng):
    """Logits half-way between codes and beside it, those of the ends of the format included."""
    low, high = config.input.min_code, config.input.max_code
    ends = [low - 1, low, -1, 0, high - 1, high, -config.range_code - 1, config.range_code]
    codes = np.concatenate([ends, rng.integers(low, high, 4)])
    return near((codes + 0.5) * config.input.lsb, dtype)[:COUNT]


def tiny_and_huge(dtype):
    """The ends of a dtype itself."""
    info = np.finfo(dtype)
    few = [info.max, info.tiny, info.smallest_subnormal, info.eps, 0.0, 1e30]
    return np.array([*few, *(-each for each in few)], dtype)


def rows_of(config, dtype, seed=0):
    """(rows, n) of a dtype: none is NaN or +inf; one row has no element that takes part."""
    rng = np.random.default_rng(seed)
    count = min(COUNT, config.max_length)
    x = rng.normal(0, 3, (14, count))
    x[1] *= 8
    x[2] = rng.uniform(-2, 2) * config.range
    x[3:5][rng.random((2, count)) < 0.5] = -INF
    x[5] = -INF
    x[6] = np.where(np.arange(count) == count // 2, x[6], -INF)
    x[7] = -config.range * np.arange(count) / count
    x = x.astype(dtype)
    for row, special in ((8, halves(config, dtype, rng)), (9, tiny_and_huge(dtype))):
        x[row, : len(special)] = special[:count]
    x[10, :: max(count - 1, 1)] = config.range * 4
    return x


def rows_of_one(config, dtype):
    """Rows of one element, one of them masked."""
    return np.concatenate([rows_of(config, dtype)[:, :1], [[dtype(-INF)]]])


def empty_batch(config, dtype):
    return np.zeros((0, min(5, config.max_length)), dtype)


def batches(config):
    """Rows in every shape, of every dtype."""
    for dtype in (np.float32, np.float64):
        for shape in (rows_of, rows_of_one, empty_batch):
            yield shape(config, dtype)


def classes_of(x, seed=1):
    """A class of every row that takes part in it where there is one, or one outside the row."""
    rng = np.random.default_rng(seed)
    score = np.where(x != -INF, rng.random(x.shape), -1)
    classes = score.argmax(axis=-1).astype(np.int64)
    masked = (x == -INF).all(axis=-1)
    outside = np.resize([-100, -1, x.shape[-1], 2**40], len(x))
    return np.where(masked | (np.arange(len(x)) % 5 == 4), outside, classes)


def weights_of(x, seed=2):
    """Weights of all classes in units of 2**-24 that add up to 1 at most; 0 where masked."""
    rng = np.random.default_rng(seed)
    share = np.where(x != -INF, rng.random(x.shape), 0)
    share /= np.maximum(share.sum(axis=-1, keepdims=True), 1)
    share[:: max(len(x), 1)] = 0
    return np.floor(share * 2**24).astype(np.int64)
