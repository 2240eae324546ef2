# Part of Girih, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""What the tests of the Python package share."""

import os
import random

import numpy as np
import pytest

import girih


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


@pytest.fixture(scope="session")
def seed():
    """GIRIH_TEST_SEED, or a seed that is printed."""
    value = int(os.environ.get("GIRIH_TEST_SEED", random.randrange(1 << 31)))
    print(f"GIRIH_TEST_SEED={value}")
    return value


@pytest.fixture
def rng(seed):
    return np.random.default_rng(seed)


@pytest.fixture
def session():
    """A session of its own, without a disk cache."""
    with girih.Session(cache_dir="") as made:
        yield made
