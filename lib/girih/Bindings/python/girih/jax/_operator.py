# Part of Girih, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Attention as a primitive of JAX, and its rules.

A primitive, and not `jax.ffi.ffi_call` under `jax.custom_batching`: kernels differ
between platforms, and a primitive is lowered for the platforms that a program is
compiled for, and for these only.
"""

from __future__ import annotations

import functools
from typing import Any, List, Sequence, Tuple

import jax
import jax.numpy as jnp
import numpy
from jax.extend.core import Primitive
from jax.interpreters import ad, batching, mlir

from .._errors import InvalidError, UnsupportedError
from .._text import reads_variable
from . import _kernels

#: (q, k, v; spec, scale, layout, lse) -> [o] or [o, lse], as girih.jax.attention says.
attention_p: Any = Primitive("girih_attention")
attention_p.multiple_results = True


def to_bhnd(shape: Sequence[Any], layout: str) -> Tuple[Any, Any, Any, Any]:
    """The sizes of a shape in `layout` as [B, H, N, D]; and back again."""
    b, x, y, d = shape
    return (b, x, y, d) if layout == "bhnd" else (b, y, x, d)


@functools.partial(jax.jit, static_argnames=("spec", "scale", "layout", "lse"))
def call(q: Any, k: Any, v: Any, *, spec: _kernels.Spec, scale: float, layout: str, lse: bool) -> List[Any]:
    """The primitive on checked arrays. Under jit, so that eager calls are compiled, too."""
    return list(attention_p.bind(q, k, v, spec=spec, scale=scale, layout=layout, lse=lse))


def _evaluate(*arrays: Any, **parameters: Any) -> List[Any]:
    """Under jax.disable_jit, where programs are compiled for this alone."""
    with jax.disable_jit(False):
        results: List[Any] = call(*arrays, **parameters)
        return results


attention_p.def_impl(_evaluate)


def _varying(aval: Any) -> Any:
    """The mesh axes of a shard_map along which a value differs; none outside of one."""
    kept = getattr(aval, "mat", None)  # JAX 0.10 and later
    return frozenset(getattr(aval, "vma", ()) if kept is None else kept.varying)


def _results(q: Any, k: Any, v: Any, *, spec: _kernels.Spec, scale: float, layout: str, lse: bool) -> List[Any]:
    batch, heads, num_q, _ = to_bhnd(q.shape, layout)
    # Results vary where an operand does. JAX has changed how types say so, which is why
    # they are made from that operand's.
    widest = max((q, k, v), key=lambda x: len(_varying(x)))
    for name, aval in (("q", q), ("k", k), ("v", v)):
        if not _varying(aval) <= _varying(widest):
            raise InvalidError(
                f"expected {name} to vary along mesh axes {sorted(_varying(widest))} at most, but got "
                f"{sorted(_varying(aval))}; supported: one operand varies wherever another does"
            )
    o = widest.update(shape=(*q.shape[:3], v.shape[3]), weak_type=False)
    if not lse:
        return [o]
    b, x, y, _ = widest.sharding.spec
    sharding = widest.sharding.update(spec=to_bhnd((b, x, y, None), layout)[:3])
    return [o, widest.update(shape=(batch, heads, num_q), dtype=jnp.dtype("float32"), sharding=sharding, weak_type=False)]


attention_p.def_abstract_eval(_results)


def _lower(platform: str, context: Any, q: Any, k: Any, v: Any, *, spec: _kernels.Spec, scale: float,
           layout: str, lse: bool) -> Any:  # fmt: skip
    """Compiles the kernel, or finds it, and names it in the program."""
    shaped_q, _, shaped_v = context.avals_in
    name = _kernels.named(spec, shaped_q.dtype, shaped_q.shape[3], shaped_v.shape[3], platform)
    rule = jax.ffi.ffi_lowering(_kernels.TARGET)
    return rule(context, q, k, v, kernel=name, scale=numpy.float32(scale), layout=layout)


for _platform in _kernels.PLATFORMS:
    mlir.register_lowering(attention_p, functools.partial(_lower, _platform), platform=_platform)


def _differentiate(primals: Any, tangents: Any, **parameters: Any) -> Any:
    raise UnsupportedError(
        "girih.jax.attention has no backward pass: expected inputs that are not differentiated, but "
        "got one that is; jax.lax.stop_gradient(q) keeps gradients away"
    )


ad.primitive_jvps[attention_p] = _differentiate


def _reads_batch(spec: _kernels.Spec) -> bool:
    """Whether pattern or score have the variable b."""
    texts = [spec.pattern.text] + ([] if spec.score is None else [spec.score.text])
    return any(reads_variable(text, "b") for text in texts)


def _batch(arrays: Sequence[Any], dims: Sequence[Any], *, spec: _kernels.Spec, **parameters: Any) -> Any:
    """vmap: its dimension joins the batch, unless what is computed depends on b."""
    size = next(x.shape[d] for x, d in zip(arrays, dims) if d is not None)
    moved = [
        jnp.broadcast_to(x, (size, *x.shape)) if d is None else jnp.moveaxis(x, d, 0)
        for x, d in zip(arrays, dims)
    ]
    bind = functools.partial(attention_p.bind, spec=spec, **parameters)
    if _reads_batch(spec):
        results = jax.lax.map(lambda one: tuple(bind(*one)), tuple(moved))
        return list(results), [0] * len(results)
    folded = bind(*(x.reshape(size * x.shape[1], *x.shape[2:]) for x in moved))
    results = [x.reshape(size, x.shape[0] // size, *x.shape[1:]) for x in folded]
    return results, [0] * len(results)


batching.primitive_batchers[attention_p] = _batch
