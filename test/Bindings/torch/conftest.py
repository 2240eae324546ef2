# Part of Girih, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Tests of girih.torch. They run with the package on PYTHONPATH and GIRIH_LIBRARY."""

import os

import pytest

# Tests count compilations: a kernel on disk would hide one.
os.environ["GIRIH_CACHE_DIR"] = ""


@pytest.fixture(autouse=True)
def _no_gradients():
    """Gradients are recorded only where a test is about them."""
    import torch

    with torch.no_grad():
        yield


@pytest.fixture
def compilations():
    """How many kernels have been compiled so far."""
    import girih

    return lambda: girih.default_session().compilations
