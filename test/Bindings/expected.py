# Part of Girih, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Dense attention in f64, and how far something is from it."""

import numpy as np


def dense(q, k, v, keep, scale=None, score=None):
    """The f64 reference: (out, lse) of masked attention.

    q [B, Hq, Nq, D], k [B, Hkv, Nk, D], v [B, Hkv, Nk, Dv]; keep broadcasts to
    [B, Hq, Nq, Nk]; score: (scores, b, h, q, k) -> scores, absolute positions.
    """
    group = q.shape[1] // k.shape[1]
    k, v = (np.repeat(np.asarray(x, np.float64), group, axis=1) for x in (k, v))
    scores = np.asarray(q, np.float64) @ k.swapaxes(-1, -2)
    scores *= q.shape[-1] ** -0.5 if scale is None else scale
    if score is not None:
        b, h, i, j = np.indices(scores.shape, sparse=True)
        scores = score(scores, b, h, i + scores.shape[3] - scores.shape[2], j)
    scores = np.where(keep, scores, -np.inf)
    top = scores.max(-1, keepdims=True)
    top = np.where(np.isinf(top), 0, top)
    weights = np.exp(scores - top)
    total = weights.sum(-1, keepdims=True)
    with np.errstate(divide="ignore"):
        lse = (top + np.log(total))[..., 0]
    return weights @ v / np.where(total == 0, 1, total), lse


def error(got, expected):
    """Relative, by norm."""
    got = np.asarray(got, np.float64)
    return np.linalg.norm(got - expected) / max(np.linalg.norm(expected), 1e-30)
