# Part of Girih, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""What is refused by girih.jax.attention: with which exception, and naming what."""

import os
import pathlib
import subprocess
import sys

import numpy
import pytest

jax = pytest.importorskip("jax")
import girih  # noqa: E402
import girih.jax  # noqa: E402
import jax.numpy as jnp  # noqa: E402


def zeros(*shape, dtype="float32"):
    return jnp.zeros(shape, dtype)


Q = zeros(2, 4, 8, 16)

OPERANDS = [
    (dict(q=[[1.0]]), TypeError, "expected q to be an array, but got list"),
    (dict(k=zeros(4, 8, 16)), ValueError, r"expected k to have 4 dimensions \[batch, heads, tokens, dim\], but got shape \(4, 8, 16\)"),
    (dict(v=Q.astype("int32")), NotImplementedError, "expected v to have dtype float32, bfloat16, float16, but got int32"),
    (dict(q=numpy.zeros((2, 4, 8, 16))), NotImplementedError, "expected q to have dtype .*, but got float64"),
    (dict(k=Q.astype("bfloat16")), ValueError, "expected k of q's dtype float32, but got bfloat16"),
    (dict(k=zeros(3, 4, 8, 16)), ValueError, "expected k of q's batch 2, but got 3"),
    (dict(v=zeros(1, 4, 8, 16)), ValueError, "expected v of q's batch 2, but got 1"),
    (dict(k=zeros(2, 4, 8, 32)), ValueError, "expected k of q's head dim 16, but got 32"),
    (dict(v=zeros(2, 2, 8, 16)), ValueError, "expected v of k's number of heads 4, but got 2"),
    (dict(v=zeros(2, 4, 9, 16)), ValueError, "expected v of k's number of tokens 8, but got 9"),
    (dict(k=zeros(2, 3, 8, 16), v=zeros(2, 3, 8, 16)), ValueError, "expected heads of q to be a multiple of k's, but got 4 and 3"),
    (dict(v=zeros(2, 4, 8, 257)), NotImplementedError, "expected v of a head dim from 1 to 256, but got 257"),
    (dict(q=zeros(2, 4, 8, 0), k=zeros(2, 4, 8, 0)), NotImplementedError, "expected q of a head dim from 1 to 256, but got 0"),
    (dict(pattern="causal"), TypeError, "expected pattern to be a girih.Pattern, but got str"),
    (dict(pattern=lambda b, h, q, k: q >= k), TypeError, r"wrap the function: girih.pattern\(f\)"),
    (dict(score=lambda s, b, h, q, k: s), TypeError, "expected score to be a girih.Score, but got function"),
    (dict(scale="big"), TypeError, "expected scale to be a number, but got str"),
    (dict(scale="0.5"), TypeError, "expected scale to be a number, but got str"),
    (dict(layout=["bhnd"]), ValueError, "expected layout 'bhnd' or 'bnhd', but got"),
    (dict(scale=float("nan")), ValueError, "expected scale to be finite, but got nan"),
    (dict(align="middle"), ValueError, "expected align to be 'bottom_right' or 'top_left', but got 'middle'"),
    (dict(layout="hbnd"), ValueError, "expected layout 'bhnd' or 'bnhd', but got 'hbnd'"),
]  # fmt: skip


@pytest.mark.parametrize("jitted", [False, True])
@pytest.mark.parametrize("change, exception, message", OPERANDS, ids=[m[:40] for _, _, m in OPERANDS])
def test_arguments(change, exception, message, jitted):
    arguments = {**dict(q=Q, k=Q, v=Q, pattern=girih.causal), **change}

    def call(**arrays):
        return girih.jax.attention(**{**arguments, **arrays})

    arrays = {n: arguments[n] for n in "qkv" if isinstance(arguments[n], (jax.Array, numpy.ndarray))}
    if jitted and any(x.dtype == numpy.float64 for x in arrays.values()):
        pytest.skip("jit makes it float32")
    with pytest.raises(exception, match=message):
        (jax.jit(call) if jitted else call)(**arrays)


def test_traced_scale():
    with pytest.raises(TypeError, match="expected scale to be a number when the function is traced"):
        jax.jit(lambda s: girih.jax.attention(Q, Q, Q, girih.causal, scale=s))(0.5)


def test_text_is_wrong():
    for pattern in (girih.parse("causal & windo(left=3)"), girih.parse("{ q >= }")):
        with pytest.raises(girih.InvalidError):
            girih.jax.attention(Q, Q, Q, pattern)


def test_lengths_that_a_pattern_has_not():
    """Known at the launch only: an error of the runtime, and the next launch is well."""
    pattern = girih.segments([0, 5])
    with pytest.raises(jax.errors.JaxRuntimeError, match="expected offsets to end at 8, .* but got 5"):
        girih.jax.attention(Q, Q, Q, pattern).block_until_ready()
    x = zeros(2, 4, 5, 16)
    assert girih.jax.attention(x, x, x, pattern).shape == x.shape


def test_calls_of_the_target_by_others():
    """XLA's target is not for users; what they may do with it is an error."""
    shape = jax.ShapeDtypeStruct(Q.shape, Q.dtype)
    name = girih.jax._kernels.TARGET
    good = dict(kernel="none", scale=numpy.float32(1), layout="bhnd")
    for operands, attributes, message in (
        ((Q, Q, Q), good, "expected a kernel that this process has made, but got 'none'"),
        ((Q, Q), good, "girih_attention is called by girih.jax"),
        ((Q, Q, Q), dict(good, scale=2), "girih_attention is called by girih.jax"),
        ((Q, Q, Q), dict(good, layout="nhbd"), "girih_attention is called by girih.jax"),
        ((Q, Q, Q), {}, "girih_attention is called by girih.jax"),
        ((Q, Q, Q.astype("int32")), good, "expected 4-D tensors of f32, bf16 or f16"),
        ((Q, Q, Q[0]), good, "expected 4-D tensors of f32, bf16 or f16"),
    ):
        with pytest.raises(jax.errors.JaxRuntimeError, match=message):
            jax.block_until_ready(jax.ffi.ffi_call(name, shape)(*operands, **attributes))


def test_kernel_of_other_dtype():
    """A name that does not fit the buffers is refused by the launch."""
    girih.jax.attention(Q, Q, Q, girih.causal)
    kernel = girih.jax._kernels.named(girih.jax._spec(girih.causal, None, "bottom_right"), "float32", 16, 16, "cpu")
    x = Q.astype("float16")
    call = jax.ffi.ffi_call(girih.jax._kernels.TARGET, jax.ShapeDtypeStruct(x.shape, x.dtype))
    with pytest.raises(jax.errors.JaxRuntimeError, match="dtype"):
        call(x, x, x, kernel=kernel, scale=numpy.float32(1), layout="bhnd").block_until_ready()


def test_prepare():
    with pytest.raises(ValueError, match="expected platform 'cpu' or 'cuda', but got 'tpu'"):
        girih.jax.prepare(girih.causal, dtype="float32", head_dim=16, platform="tpu")
    with pytest.raises(NotImplementedError, match="expected dtype to have dtype .*, but got int8"):
        girih.jax.prepare(girih.causal, dtype="int8", head_dim=16)
    with pytest.raises(ValueError, match="expected head_dim to be at least 1, but got 0"):
        girih.jax.prepare(girih.causal, dtype="float32", head_dim=0)


def imports(script, **environment):
    env = dict(os.environ, JAX_PLATFORMS="cpu", PYTHONPATH=os.pathsep.join(filter(None, sys.path)), **environment)
    return subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, env=env, timeout=60)


def test_girih_imports_no_jax():
    done = imports("import sys, girih; girih.causal.mask(3); sys.exit('jax' in sys.modules)")
    assert done.returncode == 0, done.stderr


def test_built_without_jaxlib(tmp_path):
    """A build that had no headers of XLA lacks girih.jax alone, and says so."""
    built = pathlib.Path(girih._library.path()).resolve().parent
    for file in ("libgirih.so", "girih_declarations.py"):
        (tmp_path / file).symlink_to(built / file)
    script = "import girih; girih.causal.mask(3); import girih.jax"
    done = imports(script, GIRIH_LIBRARY=str(tmp_path / "libgirih.so"))
    assert done.returncode == 1
    assert "ImportError: expected to find" in done.stderr and "no jaxlib was installed" in done.stderr
