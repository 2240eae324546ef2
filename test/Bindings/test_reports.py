# Part of Girih, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Masks and reports of patterns."""

import json
import xml.etree.ElementTree

import numpy as np
import pytest

import girih


def test_masks_are_what_the_language_says():
    q, k = np.mgrid[0:20, 0:20]
    assert np.array_equal(girih.causal.mask(20), k <= q)
    assert np.array_equal(girih.window(3, 2).mask(20), (q - k <= 3) & (k - q <= 2))
    assert np.array_equal(girih.strided(3).mask(20), (q - k) % 3 == 0)
    assert np.array_equal(girih.global_(1, 2).mask(20), (q < 1) | (q >= 18) | (k < 1) | (k >= 18))
    offsets = np.array([0, 7, 9, 20])
    document = np.searchsorted(offsets, np.arange(20), side="right")
    expected = document[:, None] == document
    assert np.array_equal(girih.segments(offsets).mask(20), expected)
    assert np.array_equal(girih.segments(list(offsets)).mask(20), expected)


def test_masks_have_the_dimensions_that_are_asked_for():
    mixed = girih.heads([girih.causal, girih.full])
    assert mixed.mask(4, 6, heads=2).shape == (2, 4, 6)
    assert mixed.mask(4, 6, heads=2, batch=3).shape == (3, 2, 4, 6)
    assert girih.causal.mask(4, 6).shape == (4, 6)
    assert mixed.mask(4, heads=2)[1].all() and not mixed.mask(4, heads=2)[0].all()
    # The last query stands at the last key, or the first at the first.
    assert girih.causal.mask(2, 4).tolist() == [[True, True, True, False], [True] * 4]
    top_left = girih.causal.mask(2, 4, align="top_left").tolist()
    assert top_left == [[True, False, False, False], [True, True, False, False]]
    with pytest.raises(girih.InvalidError, match="2\\^34 pairs"):
        girih.causal.mask(1 << 20)


def test_reports():
    pattern = girih.window(left=64, right=64) | girih.global_(first=16)
    report = pattern.explain(1024, dim=64, heads=2)
    assert report["useful_pairs"] == int(pattern.mask(1024, heads=2).sum())
    assert json.loads(report.json()) == dict(report) and len(report) == len(list(report))
    assert "window(left=64" in str(report) and str(report) == repr(report)
    for svg in (report.svg(), report._repr_svg_()):
        assert xml.etree.ElementTree.fromstring(svg).tag.endswith("svg")
    assert report._repr_html_().count("<svg") == 1
    with pytest.raises(KeyError):
        report["nothing"]


def test_reports_of_gpus_have_their_tiles():
    report = girih.causal.explain(1024, dtype="bfloat16", device="cuda")
    tile = (192, 128) if report["chip"] == "sm_90a" else (128, 64)
    assert report["target"] == "cuda" and (report["tile_q"], report["tile_k"]) == tile
    assert report["bytes"] < girih.causal.explain(1024, dtype="float32")["bytes"]
    with pytest.raises(girih.UnsupportedError, match="dtype f32 is not supported on cuda"):
        girih.causal.explain(1024, device="cuda")


def test_svg_files(tmp_path):
    path = tmp_path / "tiles.svg"
    text = girih.causal.explain(512).svg(str(path))
    assert path.read_text() == text


def test_reports_of_long_sequences_take_no_square():
    report = (girih.causal & girih.window(left=255)).explain(1 << 20)
    assert report["useful_pairs"] == 256 * (1 << 20) - 255 * 256 // 2


def test_bad_lengths():
    with pytest.raises(girih.InvalidError, match="heads to be at least 1"):
        girih.causal.explain(64, heads=0)
    with pytest.raises(TypeError, match="n to be an integer"):
        girih.causal.mask(6.5)
    with pytest.raises(girih.InvalidError, match="expected align"):
        girih.causal.mask(6, align="middle")


def test_the_compiler_agrees_with_repr():
    session = girih.default_session()
    for pattern in (
        girih.causal & (girih.window(3) | girih.chunk(4)) - girih.strided(2),
        ~(girih.causal | girih.columns(8, 1, 3)) & girih.blockwise(girih.causal, 4),
        girih.pattern(lambda b, h, q, k: ~(q >= k) & (abs(q - k) < 4) | (k // 3 % 2 == 0)),
        girih.neighborhood([4, 4], [3, 3], stride=[1, 2]),
    ):
        again = girih.parse(session.text(pattern))
        assert session.text(again) == session.text(pattern)
        assert np.array_equal(again.mask(16), pattern.mask(16))
