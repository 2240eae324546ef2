# Part of Girih, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""girih.jax.attention under JAX's transformations, threads and processes."""

import concurrent.futures
import os
import pathlib
import subprocess
import sys

import numpy
import pytest

jax = pytest.importorskip("jax")
import dense  # noqa: E402
import girih  # noqa: E402
import girih.jax  # noqa: E402
import jax.export  # noqa: E402
import jax.numpy as jnp  # noqa: E402

WINDOW = girih.causal & girih.window(left=20)


def window_mask(n):
    distance = numpy.arange(n)[:, None] - numpy.arange(n)
    return (distance >= 0) & (distance <= 20)


def test_jit_among_others():
    @jax.jit
    def layer(x, w):
        q, k, v = (jnp.einsum("bhnd,de->bhne", x, w[i]) for i in range(3))
        return girih.jax.attention(q, k, v, WINDOW) + x

    rng = numpy.random.default_rng(0)
    x, w = (jnp.asarray(rng.standard_normal(s), jnp.float32) for s in ((2, 4, 99, 16), (3, 16, 16)))
    q, k, v = (jnp.einsum("bhnd,de->bhne", x, w[i]) for i in range(3))
    wanted = dense.attention(q, k, v, window_mask(99))[0] + numpy.asarray(x)
    dense.check(layer(x, w), wanted)


def test_new_shapes_compile_nothing():
    call = jax.jit(lambda q, k, v: girih.jax.attention(q, k, v, WINDOW))
    call(*dense.tensors(0, 1, 1, 1, 10, 10, 16))
    before = girih.default_session().compilations
    for batch, heads, n in ((1, 1, 11), (3, 2, 100), (2, 8, 257)):
        q, k, v = dense.tensors(n, batch, heads, 1, n, n, 16)
        dense.check(call(q, k, v), dense.attention(q, k, v, window_mask(n))[0])
    assert girih.default_session().compilations == before


def test_equal_patterns_are_traced_once():
    q, k, v = dense.tensors(1, 1, 1, 1, 10, 10, 16)
    from girih.jax import _operator

    girih.jax.attention(q, k, v, girih.causal & girih.window(left=7))
    before = _operator.call._cache_size()
    girih.jax.attention(q, k, v, girih.causal & girih.window(left=7))
    assert _operator.call._cache_size() == before
    girih.jax.attention(q, k, v, girih.causal & girih.window(left=8))
    assert _operator.call._cache_size() == before + 1


@pytest.mark.parametrize("axes", [(0, 0, 0), (1, 0, 2), (0, None, None), (None, 3, None)])
def test_vmap(axes):
    operands = []
    for seed, axis in enumerate(axes):
        x = jnp.stack([dense.tensors(10 * seed + i, 2, 4, 4, 50, 50, 16)[seed] for i in range(3)])
        operands.append(x[0] if axis is None else jnp.moveaxis(x, 0, axis))
    got = jax.vmap(lambda q, k, v: girih.jax.attention(q, k, v, WINDOW, return_lse=True), in_axes=axes)(*operands)
    for i in range(3):
        q, k, v = (x if a is None else jnp.take(x, i, a) for x, a in zip(operands, axes))
        for one, wanted in zip(got, dense.attention(q, k, v, window_mask(50))):
            dense.check(one[i], wanted)


def test_vmap_twice_under_jit():
    xs = [x.reshape(2, 3, 1, 2, 40, 16) for x in dense.tensors(3, 6, 2, 2, 40, 40, 16)]
    call = jax.jit(jax.vmap(jax.vmap(lambda q, k, v: girih.jax.attention(q, k, v, WINDOW))))
    q, k, v = (x.reshape(6, 2, 40, 16) for x in xs)
    dense.check(call(*xs).reshape(6, 2, 40, 16), dense.attention(q, k, v, window_mask(40))[0])


def test_vmap_of_patterns_that_read_the_batch():
    """Each element has a batch of its own, which starts at b = 0."""
    pattern = girih.parse("{ b == 0 && k <= q || b == 1 && k >= q }")
    q, k, v = (x.reshape(3, 2, 2, 40, 16) for x in dense.tensors(4, 6, 2, 2, 40, 40, 16))
    got = jax.vmap(lambda q, k, v: girih.jax.attention(q, k, v, pattern))(q, k, v)
    mask = numpy.stack([numpy.tri(40, dtype=bool), numpy.tri(40, dtype=bool).T])[:, None]
    for i in range(3):
        dense.check(got[i], dense.attention(q[i], k[i], v[i], mask)[0])


@pytest.mark.parametrize("argument", [0, 1, 2])
def test_grad_is_refused(argument):
    q, k, v = dense.tensors(5, 1, 1, 1, 8, 8, 16)

    def loss(*qkv):
        return girih.jax.attention(*qkv, girih.causal).sum()

    for function in (loss, jax.jit(loss)):
        with pytest.raises(NotImplementedError, match="no backward pass"):
            jax.grad(function, argnums=argument)(q, k, v)


def test_grad_around():
    """Gradients that do not go through attention are none of its business."""
    q, k, v = dense.tensors(5, 1, 1, 1, 8, 8, 16)

    def loss(w):
        o = girih.jax.attention(q, k, v, girih.causal)
        return (w * o).sum()

    dense.check(jax.grad(loss)(jnp.ones_like(q)), dense.attention(q, k, v, numpy.tri(8, dtype=bool))[0])
    stopped = jax.grad(lambda x: (girih.jax.attention(jax.lax.stop_gradient(x), k, v, girih.causal) * x).sum())
    dense.check(stopped(q), dense.attention(q, k, v, numpy.tri(8, dtype=bool))[0])


def test_disable_jit():
    q, k, v = dense.tensors(3, 2, 4, 2, 30, 30, 16)
    wanted = girih.jax.attention(q, k, v, WINDOW, return_lse=True)
    with jax.disable_jit():
        given = girih.jax.attention(q, k, v, WINDOW, return_lse=True)
        jitted = jax.jit(lambda q: girih.jax.attention(q, k, v, WINDOW))(q)
        stacked = jax.vmap(lambda q: girih.jax.attention(q, k, v, WINDOW))(q[None])
    for one, other in zip((*given, jitted, stacked[0]), (*wanted, wanted[0], wanted[0])):
        assert numpy.array_equal(one, other)


@pytest.mark.filterwarnings("ignore:Some donated buffers were not usable")
def test_donation():
    call = jax.jit(lambda q, k, v: girih.jax.attention(q, k, v, WINDOW), donate_argnums=(0, 1, 2))
    q, k, v = dense.tensors(6, 2, 2, 2, 128, 128, 32)
    wanted = dense.attention(q, k, v, window_mask(128))[0]
    dense.check(call(q, k, v), wanted)


def test_scan():
    """One program, many calls, its output the next input."""
    q, k, v = dense.tensors(7, 1, 2, 2, 60, 60, 16)
    got = jax.jit(lambda q: jax.lax.scan(lambda x, _: (girih.jax.attention(x, k, v, WINDOW), None), q, length=3)[0])(q)
    wanted = q
    for _ in range(3):
        wanted = jnp.asarray(dense.attention(wanted, k, v, window_mask(60))[0], jnp.float32)
    dense.check(got, numpy.asarray(wanted, numpy.float64))


def test_checkpoint_and_cond():
    q, k, v = dense.tensors(8, 1, 2, 2, 60, 60, 16)

    @jax.jit
    def call(flag):
        attend = jax.checkpoint(lambda pattern: girih.jax.attention(q, k, v, pattern), static_argnums=(0,))
        return jax.lax.cond(flag, lambda: attend(girih.full), lambda: attend(WINDOW))

    dense.check(call(True), dense.attention(q, k, v, numpy.ones((60, 60), bool))[0])
    dense.check(call(False), dense.attention(q, k, v, window_mask(60))[0])


def test_threads():
    call = jax.jit(lambda q, k, v: girih.jax.attention(q, k, v, WINDOW))

    def one(seed):
        n = 64 + seed % 4
        q, k, v = dense.tensors(seed, 1, 4, 2, n, n, 32)
        dense.check(call(q, k, v), dense.attention(q, k, v, window_mask(n))[0])
        return True

    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        assert all(pool.map(one, range(40)))


def test_threads_make_one_kernel():
    before = girih.default_session().compilations
    operands = dense.tensors(0, 1, 1, 1, 10, 10, 17)  # a head dim of this test alone

    def one(seed):
        return girih.jax.attention(*operands, WINDOW, scale=float(seed)).block_until_ready()

    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        list(pool.map(one, range(8)))
    assert girih.default_session().compilations - before <= 1


def run(script, *arguments, **environment):
    """A process of its own; returns what it prints."""
    folder = str(pathlib.Path(__file__).parent)
    path = os.pathsep.join(filter(None, [folder, *sys.path]))
    env = dict(os.environ, JAX_PLATFORMS="cpu", PYTHONPATH=path, **environment)
    done = subprocess.run([sys.executable, "-c", script, *map(str, arguments)], capture_output=True, text=True, env=env,
                          timeout=120)  # fmt: skip
    assert done.returncode == 0, done.stderr[-2000:]
    return done.stdout


CACHED = """
import sys, jax, dense, girih, girih.jax
jax.config.update("jax_compilation_cache_dir", sys.argv[1])
jax.config.update("jax_persistent_cache_min_compile_time_secs", 0)
jax.config.update("jax_persistent_cache_min_entry_size_bytes", -1)
hits = []
jax.monitoring.register_event_listener(lambda name, **_: hits.append(name.endswith("cache_hits")))
q, k, v = dense.tensors(0, 1, 2, 2, 50, 50, 16)
o = jax.jit(lambda q, k, v: girih.jax.attention(q, k, v, girih.causal) + 1)(q, k, v)
dense.check(o - 1, dense.attention(q, k, v, dense.causal(50, 50))[0])
print(sum(hits))
"""


def test_compilation_cache(tmp_path):
    """A program from the cache of another process finds its kernel."""
    first, second = (int(run(CACHED, tmp_path)) for _ in range(2))
    assert first == 0 and second > 0


EXPORTING = """
import sys, jax, dense, girih, girih.jax
from jax import export
q, k, v = dense.tensors(0, 1, 2, 2, 50, 50, 16)
call = jax.jit(lambda q, k, v: girih.jax.attention(q, k, v, girih.causal & girih.window(left=30)))
check = export.DisabledSafetyCheck.custom_call("girih_attention")
open(sys.argv[1], "wb").write(export.export(call, disabled_checks=[check])(q, k, v).serialize())
"""
IMPORTING = """
import sys, jax, dense, girih, girih.jax
from jax import export
q, k, v = dense.tensors(0, 1, 2, 2, 50, 50, 16)
call = export.deserialize(open(sys.argv[1], "rb").read()).call
try:
    call(q, k, v).block_until_ready()
    print("no error")
except jax.errors.JaxRuntimeError as error:
    print(error)
girih.jax.prepare(girih.causal & girih.window(left=30), dtype="float32", head_dim=16)
d = __import__("numpy").arange(50)
mask = (d[:, None] >= d) & (d[:, None] - d <= 30)
dense.check(call(q, k, v), dense.attention(q, k, v, mask)[0])
"""


def test_export(tmp_path):
    """An exported program says what it lacks, and runs once that is made."""
    run(EXPORTING, tmp_path / "program")
    said = run(IMPORTING, tmp_path / "program")
    assert "expected a kernel that this process has made" in said and "girih.jax.prepare" in said


def test_export_for_gpus():
    """Kernels are those of the platforms that a program is for, whatever this host has."""
    x = jax.ShapeDtypeStruct((1, 2, 50, 64), jnp.bfloat16)
    call = jax.jit(lambda q, k, v: girih.jax.attention(q, k, v, girih.causal))
    check = jax.export.DisabledSafetyCheck.custom_call("girih_attention")
    text = jax.export.export(call, platforms=["cuda"], disabled_checks=[check])(x, x, x).mlir_module()
    assert "girih_attention" in text
    x = jax.ShapeDtypeStruct((1, 2, 50, 64), jnp.float32)
    with pytest.raises(NotImplementedError, match="f32 is not supported on cuda; supported: bf16, f16"):
        jax.export.export(call, platforms=["cpu", "cuda"], disabled_checks=[check])(x, x, x)


def test_export_for_all_shapes():
    """One program for every batch and length."""
    batch, n = jax.export.symbolic_shape("batch, n")
    x = jax.ShapeDtypeStruct((batch, 2, n, 16), jnp.float32)
    check = jax.export.DisabledSafetyCheck.custom_call("girih_attention")
    call = jax.jit(lambda q, k, v: girih.jax.attention(q, k, v, WINDOW))
    exported = jax.export.export(call, disabled_checks=[check])(x, x, x)
    before = girih.default_session().compilations
    for batch, n in ((1, 10), (3, 77)):
        q, k, v = dense.tensors(n, batch, 2, 2, n, n, 16)
        dense.check(exported.call(q, k, v), dense.attention(q, k, v, window_mask(n))[0])
    assert girih.default_session().compilations == before


SHARDED = """
import jax, dense, girih, girih.jax, numpy
from jax.sharding import Mesh, NamedSharding, PartitionSpec as P
try:
    from jax import shard_map
except ImportError:
    from jax.experimental.shard_map import shard_map
assert len(jax.devices()) == 2
q, k, v = dense.tensors(0, 2, 4, 2, 50, 50, 16)
mesh = Mesh(numpy.array(jax.devices()), ("x",))
for spec in (P("x"), P(None, "x")):  # over the batch, over heads
    def attend(q, k, v):
        return girih.jax.attention(q, k, v, girih.causal, return_lse=True)
    call = shard_map(attend, mesh=mesh, in_specs=(spec,) * 3, out_specs=spec)
    operands = [jax.device_put(x, NamedSharding(mesh, spec)) for x in (q, k, v)]
    o, lse = jax.jit(call)(*operands)
    assert len(o.sharding.device_set) == 2
    wanted = dense.attention(q, k, v, dense.causal(50, 50))
    dense.check(o, wanted[0])
    dense.check(lse, wanted[1])
    try:  # what differs between devices is not returned as if it did not
        jax.jit(shard_map(attend, mesh=mesh, in_specs=(spec,) * 3, out_specs=P()))(*operands)
        raise SystemExit("expected shard_map to refuse out_specs")
    except ValueError as error:
        assert "out_specs" in str(error), error
    text = jax.jit(call).lower(*operands).compile().as_text()
    assert "all-gather" not in text and "all-reduce" not in text, text
o = jax.jit(lambda q, k, v: girih.jax.attention(q, k, v, girih.causal))(*operands)  # automatic: gathered, and right
dense.check(o, dense.attention(q, k, v, dense.causal(50, 50))[0])
"""


def test_shard_map():
    run(SHARDED, XLA_FLAGS="--xla_force_host_platform_device_count=2")
