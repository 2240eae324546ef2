# Part of Girih, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Python examples print what their expected.txt says."""

import os
import pathlib
import subprocess
import sys

import pytest

import girih

ROOT = pathlib.Path(__file__).resolve().parents[2] / "examples"
FOLDERS = sorted(path.parent for path in ROOT.glob("*/expected.txt"))


def test_there_are_examples():
    assert len(FOLDERS) >= 3


@pytest.fixture(scope="module")
def cache(tmp_path_factory):
    """A disk cache that is empty at first: what examples print must not depend on it."""
    return str(tmp_path_factory.mktemp("cache"))


@pytest.mark.parametrize("state", ["cold", "warm"])
@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.name)
def test_example(folder, state, cache):
    (program,) = folder.glob("*.py")
    # Paths of the environment may be relative to where the tests run.
    package = pathlib.Path(girih.__file__).resolve().parents[1]
    env = dict(os.environ, PYTHONPATH=str(package), GIRIH_CACHE_DIR=cache)
    if "GIRIH_LIBRARY" in env:
        env["GIRIH_LIBRARY"] = os.path.abspath(env["GIRIH_LIBRARY"])
    done = subprocess.run(
        [sys.executable, program.name],
        cwd=folder,
        env=env,
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.returncode == 0, done.stderr
    assert os.listdir(cache), f"no kernel was kept, so that nothing was {state}"
    assert done.stdout == (folder / "expected.txt").read_text()
