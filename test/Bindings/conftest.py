# Part of Girih, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""What the tests of the Python package share."""

import os
import random

# Tests count compilations: a kernel on disk would hide one.
os.environ["GIRIH_CACHE_DIR"] = ""

import numpy as np  # noqa: E402
import pytest  # noqa: E402

import girih  # noqa: E402


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
