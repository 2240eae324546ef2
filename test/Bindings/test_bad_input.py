# Part of Girih, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Every bad input is an exception of the fitting type that names the argument."""

import subprocess
import sys
import textwrap
import threading

import numpy as np
import pytest

import girih

Q = np.ones((1, 2, 8, 16), np.float32)


def attend(q=Q, k=Q, v=Q, pattern=girih.causal, **options):
    return girih.attention(q, k, v, pattern, **options)


class OnCuda:
    """Claims to be on a GPU."""

    def __init__(self, array, index=0):
        self.array, self.index = array, index

    def __dlpack_device__(self):
        return (2, self.index)

    def __dlpack__(self, **options):
        return self.array.__dlpack__()


class SameCapsule:
    """Hands out one capsule again and again."""

    def __init__(self, array):
        self.capsule = array.__dlpack__()

    def __dlpack_device__(self):
        return (1, 0)

    def __dlpack__(self, **options):
        return self.capsule


@pytest.mark.parametrize(
    "options, kind, message",
    [
        (dict(q=Q[0]), ValueError, r"expected q to have 4 dimensions .* \(2, 8, 16\)"),
        (dict(v=Q[0, 0]), ValueError, "expected v to have 4 dimensions"),
        (dict(k=Q.astype(np.float16)), ValueError, "q and k of one dtype.*float32 and float16"),
        (dict(q=Q.astype(np.float64)), NotImplementedError, "q to have dtype float32, bfloat16, float16"),
        (dict(v=Q.astype(np.int32)), NotImplementedError, "expected v to have dtype .* int32"),
        (dict(k=OnCuda(Q)), ValueError, "q and k on one device.*q on the CPU and k on CUDA device 0"),
        (dict(q=OnCuda(Q, 1), k=OnCuda(Q), v=OnCuda(Q)), ValueError, "CUDA device 1 and k on CUDA device 0"),
        (dict(out=OnCuda(Q)), ValueError, "q and out on one device"),
        (dict(q=[[1.0]]), TypeError, "expected q to be an array with __dlpack__ .* list"),
        (dict(k=None), TypeError, "expected k to be an array"),
        (dict(q=Q[..., :8]), ValueError, "8 and 16|16"),
        (dict(k=Q[:, :, :4]), ValueError, "4"),
        (dict(q=np.ones((1, 3, 8, 16), np.float32)), ValueError, "3"),
        (dict(q=np.ones((2, 2, 8, 16), np.float32)), ValueError, "batch"),
        (dict(q=np.ones((1, 2, 16, 8), np.float32).swapaxes(2, 3)), (ValueError, NotImplementedError), "q"),
        (dict(q=Q.astype(">f4")), NotImplementedError, "byte order"),
        (dict(out=Q[:, :, :4]), ValueError, "out to have shape"),
        (dict(out=Q.astype(np.float16)), ValueError, "out to have dtype float32"),
        (dict(pattern="causal"), TypeError, r"girih\.parse\(text\)"),
        (dict(pattern=lambda b, h, q, k: q >= k), TypeError, r"girih\.pattern\(f\)"),
        (dict(pattern=None), TypeError, "expected pattern to be a girih.Pattern, but got NoneType"),
        (dict(score=lambda s, b, h, q, k: s), TypeError, r"girih\.score\(f\)"),
        (dict(score="score"), TypeError, r"girih\.score\(f\)"),
        (dict(align="left"), ValueError, "align to be 'bottom_right' or 'top_left'"),
        (dict(threads=-1), ValueError, "threads to be at least 0"),
        (dict(threads=1.5), TypeError, "threads to be an integer"),
        (dict(scale="1"), TypeError, "scale to be a number, but got str"),
        (dict(scale=float("nan")), ValueError, "scale to be finite, but got nan"),
        (dict(threads=1 << 17), ValueError, "threads to be at most 4096, but got 131072"),
        (dict(threads=1 << 40), ValueError, "threads to be at most 4096, but got 1099511627776"),
        (dict(q=Q[:0], k=Q, v=Q), ValueError, "batch of k to be 0, but got 1"),
        (dict(q=Q[:, :0], k=Q[..., :0], v=Q), ValueError, "head dim of k to be 16, but got 0"),
        (dict(k=Q[:, :0], v=Q[:, :0]), ValueError, "heads of q to be a multiple of heads of k, but got 2 and 0"),
        (dict(q=np.ma.array(Q)), ValueError, "expected q without a mask, .*filled"),
        (dict(stream=7), ValueError, "no stream for tensors on the CPU"),
        (dict(pattern=girih.parse("windw(left=3)")), ValueError, "did you mean 'window'"),
        (dict(pattern=girih.window(left=-3)), ValueError, "left"),
        (dict(pattern=girih.segments([0, 5])), ValueError, "offsets"),
        (dict(pattern=girih.segments(np.array([0, 5]))), ValueError, "offsets"),
        (dict(pattern=girih.neighborhood([3, 3], [3, 3])), ValueError, "grid"),
        (dict(pattern=girih.heads([girih.causal])), ValueError, "head"),
    ],
    ids=lambda value: None,
)
def test_messages(options, kind, message):
    with pytest.raises(kind, match=message) as raised:
        attend(**options)
    assert isinstance(raised.value, girih.Error)


def test_read_only_output():
    out = np.empty_like(Q)
    out.flags.writeable = False
    with pytest.raises(girih.InvalidError, match="out to be writable"):
        attend(out=out)


def test_out_that_inputs_share():
    """Outputs are written while inputs are still read."""
    q, k, v = (np.random.default_rng(seed).standard_normal(Q.shape, np.float32) for seed in range(3))
    for name, out in (("q", q), ("k", k), ("v", v), ("v", v[:, ::-1])):
        with pytest.raises(girih.InvalidError, match=f"expected o and {name} to lie apart in memory"):
            girih.attention(q, k, v, girih.causal, out=out)
    both = np.empty((2, *Q.shape), np.float32)
    both[0] = k
    out = girih.attention(q, both[0], v, girih.causal, out=both[1])
    assert np.array_equal(out, girih.attention(q, k, v, girih.causal))


def test_out_that_others_share():
    out = np.broadcast_to(np.zeros(16, np.float32), Q.shape)
    with pytest.raises(girih.InvalidError, match="out|o "):
        girih.attention(Q, Q, Q, girih.causal, out=np.lib.stride_tricks.as_strided(
            np.zeros(16, np.float32), Q.shape, (0, 0, 0, 4)))
    with pytest.raises(girih.InvalidError, match="out to be writable"):
        attend(out=out)


def test_a_capsule_is_taken_once():
    once = SameCapsule(Q)
    attend(q=once, out=np.empty_like(Q))
    with pytest.raises(girih.InvalidError, match="q, but got one that was taken before"):
        attend(q=once, out=np.empty_like(Q))
    with pytest.raises(girih.InvalidError, match="k, but got one that was taken before"):
        both = SameCapsule(Q)
        attend(q=both, k=both, v=both, out=np.empty_like(Q))
    with pytest.raises(TypeError, match="expected q to be an array with __dlpack__"):
        attend(q=Q.__dlpack__())


def test_unknown_frameworks_need_an_output():
    class Plain(SameCapsule):
        pass

    with pytest.raises(TypeError, match="pass out="):
        attend(q=Plain(Q))


def test_torch_tensors():
    torch = pytest.importorskip("torch")
    t = torch.from_numpy(Q)
    with pytest.raises(girih.UnsupportedError, match="expected q without requires_grad"):
        attend(t.clone().requires_grad_(), t, t)
    with pytest.raises(girih.UnsupportedError, match="expected v without requires_grad"):
        attend(t, t, torch.nn.Parameter(t))
    with pytest.raises(girih.UnsupportedError, match="expected k without requires_grad"):
        attend(Q, t.clone().requires_grad_(), t)
    with pytest.raises(girih.UnsupportedError, match="expected k on the CPU or a CUDA device.*meta"):
        attend(t, t.to("meta"), t)
    with pytest.raises(girih.InvalidError, match="expected v without a pending negation"):
        attend(t, t, torch.complex(t, t).conj().imag)
    with pytest.raises(girih.UnsupportedError, match="expected q to be a dense tensor"):
        attend(t.to_sparse(), t, t)
    with pytest.raises(girih.UnsupportedError, match="torch.complex64|complex64"):
        attend(t.to(torch.complex64), t, t)


def test_calls_that_are_recorded():
    """Rather than made: there is no memory to compute with."""
    torch = pytest.importorskip("torch")
    from torch._subclasses.fake_tensor import FakeTensorMode
    from torch.fx.experimental.proxy_tensor import make_fx

    t = torch.from_numpy(Q)
    kernel = girih.compile(girih.causal, head_dim=16)

    def attend_to(q):
        return attend(q, q, q)

    message = r"girih\.torch\.attention is the operator"
    for record in (
        lambda: torch.jit.trace(attend_to, (t,)),
        lambda: make_fx(attend_to)(t),
        lambda: make_fx(lambda q: kernel(q, q, q))(t),
        lambda: torch.vmap(attend_to)(t[None]),
        lambda: torch.func.jvp(attend_to, (t,), (t,)),
        lambda: torch.func.grad(lambda q: attend_to(q).sum())(t),
    ):
        with pytest.raises(girih.UnsupportedError, match=message):
            record()
    with FakeTensorMode() as mode:
        fake = mode.from_tensor(t)
        with pytest.raises(girih.UnsupportedError, match=message):
            attend_to(fake)
    with pytest.raises(girih.UnsupportedError, match=message):
        attend_to(fake)
    with pytest.raises(girih.UnsupportedError, match="without a tangent"):
        with torch.autograd.forward_ad.dual_level():
            attend_to(torch.autograd.forward_ad.make_dual(t, t))
    assert torch.equal(attend_to(t), torch.from_numpy(attend()))


def test_arrays_of_jax():
    jax = pytest.importorskip("jax")
    q = jax.numpy.asarray(Q)
    with pytest.raises(girih.InvalidError, match="expected out to be an array that may be written, .* jax"):
        girih.attention(q, q, q, girih.causal, out=q + 0)
    with pytest.raises(girih.UnsupportedError, match=r"girih\.jax\.attention is the function"):
        jax.jit(lambda q: girih.attention(q, q, q, girih.causal))(q)


@pytest.mark.parametrize("framework", ["numpy", "torch", "jax"])
def test_queries_that_see_nothing(framework):
    """No query, or no key: nothing is compiled, and results are those of masked rows."""
    library = pytest.importorskip(framework if framework != "jax" else "jax.numpy")

    def zeros(*shape):
        return library.zeros(shape, dtype=library.float32)

    for q, k, v in (
        ((1, 2, 0, 16), (1, 2, 0, 16), (1, 2, 0, 16)),
        ((1, 2, 0, 16), (1, 2, 8, 16), (1, 2, 8, 24)),
        ((1, 2, 3, 16), (1, 2, 0, 16), (1, 2, 0, 24)),
        ((1, 0, 3, 16), (1, 0, 8, 16), (1, 0, 8, 16)),
        ((0, 2, 3, 16), (0, 2, 8, 16), (0, 2, 8, 16)),
    ):
        with girih.Session(cache_dir="") as session:
            out, lse = girih.attention(
                zeros(*q), zeros(*k), zeros(*v), girih.causal, return_lse=True, session=session
            )
            assert session.compilations == 0
        assert type(out) is type(zeros(1)) and tuple(out.shape) == (*q[:3], v[3])
        assert not np.asarray(out).any()
        assert tuple(lse.shape) == q[:3] and bool((np.asarray(lse) == -np.inf).all())
    kernel = girih.compile(girih.causal, head_dim=16)
    out = zeros(1, 2, 3, 16) + 7 if framework != "jax" else None
    result = kernel(zeros(1, 2, 3, 16), zeros(1, 2, 0, 16), zeros(1, 2, 0, 16), out=out)
    assert not np.asarray(result).any() and (out is None or result is out)
    with pytest.raises(girih.InvalidError, match="the head dim of q to be 16, but got 8"):
        kernel(zeros(1, 2, 3, 8), zeros(1, 2, 0, 8), zeros(1, 2, 0, 8))


def test_kernels_are_for_the_device_of_the_tensors():
    from girih import _launch
    from girih._options import Layout

    class Session:
        def kernel(self, pattern, score, options):
            return options

    layout = Layout("bfloat16", (2, 3), (1, 2, 8, 16), None)
    assert _launch._kernel_for(Session(), girih.causal, None, 0, [layout] * 3).device_id == 3
    on_cpu = layout._replace(device=(1, 0))
    assert _launch._kernel_for(Session(), girih.causal, None, 0, [on_cpu] * 3).device_id == 0


def test_kernels_of_graphs_are_held(monkeypatch):
    from girih import _launch

    class Kernel:
        def __init__(self, is_captured):
            self.is_captured = is_captured

    monkeypatch.setattr(_launch, "_captured", set())
    one, other = Kernel(True), Kernel(False)
    _launch._hold_captured(one)
    _launch._hold_captured(other)
    assert _launch._captured == {one}
    assert not girih.compile(girih.causal, head_dim=16).is_captured


def test_streams_belong_to_devices():
    from girih import _frameworks

    class Stream:
        def __init__(self, index):
            self.device, self.cuda_stream = type("Device", (), {"index": index}), 1234

    assert _frameworks.stream_handle(Stream(0), (2, 0)) == 1234
    assert _frameworks.stream_handle(77, (2, 0)) == 77
    with pytest.raises(girih.InvalidError, match="stream of CUDA device 0.*one of CUDA device 1"):
        _frameworks.stream_handle(Stream(1), (2, 0))
    with pytest.raises(TypeError, match="expected stream to be an integer or a stream"):
        _frameworks.stream_handle("stream", (2, 0))


def test_sessions_and_kernels(session):
    kernel = session.compile(girih.causal, head_dim=16)
    with girih.Session(cache_dir="") as other:
        with pytest.raises(girih.InvalidError, match="one of another session"):
            girih.attention(Q, Q, Q, kernel, session=other)
        with pytest.raises(girih.InvalidError, match="one of another session"):
            other.emit(kernel, "girih")
    with pytest.raises(girih.InvalidError, match="open session"):
        girih.attention(Q, Q, Q, girih.causal, session=other)
    with pytest.raises(girih.InvalidError, match="open session"):
        other.compilations
    with pytest.raises(TypeError, match="beside a kernel"):
        girih.attention(Q, Q, Q, kernel, align="top_left")
    with pytest.raises(girih.InvalidError, match="dtype"):
        kernel(Q.astype(np.float16), Q.astype(np.float16), Q.astype(np.float16))
    wide = np.ones((1, 2, 8, 32), np.float32)
    with pytest.raises(girih.InvalidError, match="32"):
        kernel(wide, wide, wide)
    with pytest.raises(girih.InvalidError, match="head_dim"):
        session.compile(girih.causal, head_dim=0)
    with pytest.raises(girih.UnsupportedError, match="dtype"):
        session.compile(girih.causal, head_dim=16, dtype="float64")
    with pytest.raises(girih.InvalidError, match="device to be 'cpu' or 'cuda'"):
        session.compile(girih.causal, head_dim=16, device="tpu")
    with pytest.raises(girih.Error, match="nonsense"):
        session.emit(kernel, "nonsense")
    with pytest.raises(girih.InvalidError, match="stage without NUL"):
        session.emit(kernel, "girih\0x")
    for wrong, kind, message in (
        (dict(tile=5), TypeError, r"tile to be a pair \(queries, keys\), but got 5"),
        (dict(tile=(64, 64, 64)), TypeError, "tile to be a pair"),
        (dict(chip=3), TypeError, "chip to be a name, but got int 3"),
        (dict(device=["cpu"]), TypeError, r"device to be 'cpu' or 'cuda', but got \['cpu'\]"),
        (dict(head_dim=1 << 31), ValueError, "head_dim to be at most 2147483647, but got 2147483648"),
    ):
        with pytest.raises(kind, match=message) as raised:
            session.compile(girih.causal, **{"head_dim": 16, **wrong})
        assert isinstance(raised.value, girih.Error)
    with pytest.raises(girih.InvalidError, match="cache_dir without NUL"):
        girih.Session(cache_dir="a\0b")
    girih.Session(cache_dir="", cache_size=1 << 33).close()
    with pytest.raises(girih.InvalidError, match="cache_size to be at most 9223372036854775807"):
        girih.Session(cache_size=1 << 63)


def test_failures_leave_the_session_usable(session):
    for _ in range(3):
        with pytest.raises(girih.InvalidError):
            girih.attention(Q, Q, Q, girih.segments([0, 5]), session=session)
        girih.attention(Q, Q, Q, girih.causal, session=session)
    assert session.compilations <= 2


def test_many_threads(session):
    """Concurrent first calls compile once, and all get the right values."""
    expected = girih.attention(Q, Q, Q, girih.causal, session=girih.default_session())
    failures = []

    def work(number):
        try:
            for round in range(20):
                width = round % 3 + 1
                out = girih.attention(Q * 1, Q, Q, girih.causal, session=session, threads=width)
                assert np.array_equal(out, expected)
                girih.pattern(lambda b, h, q, k: (q >= k) & (k % (number + 1) == 0)).mask(16)
        except BaseException as error:  # the thread's failure is the test's
            failures.append(error)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failures and session.compilations == 1


def run(script):
    """Runs Python code in a process of its own; its output."""
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(script)], capture_output=True, text=True, timeout=120
    )
    assert done.returncode == 0, done.stderr
    return done.stdout + done.stderr


def test_forks():
    output = run(
        """
        import os, sys
        import numpy as np
        import girih

        q = np.ones((1, 2, 300, 16), np.float32)
        kernel = girih.compile(girih.causal, head_dim=16)
        expected = kernel(q, q, q)
        session = girih.default_session()
        child = os.fork()
        if child == 0:
            try:
                for use in (
                    lambda: kernel(q, q, q),
                    lambda: girih.attention(q, q, q, girih.causal, session=session),
                    lambda: session.compile(girih.window(3), head_dim=16),
                    lambda: session.mask(girih.causal, 8),
                ):
                    try:
                        use()
                    except girih.InvalidError as error:
                        assert "fork" in str(error), error
                    else:
                        raise AssertionError("expected an error after fork")
                assert np.array_equal(girih.attention(q, q, q, girih.causal), expected)
                assert girih.default_session() is not session
                del kernel, session
                print("child is fine", flush=True)
                os._exit(0)
            except BaseException:
                import traceback

                traceback.print_exc()
                os._exit(1)
        assert os.waitpid(child, 0)[1] == 0
        assert np.array_equal(kernel(q, q, q), expected)
        """
    )
    assert "child is fine" in output


def test_progress():
    script = """
        import os
        os.environ["GIRIH_PROGRESS"] = "{setting}"
        import girih, girih._progress, numpy as np
        girih._progress.DELAY = {delay}
        q = np.ones((1, 1, 8, 16), np.float32)
        girih.attention(q, q, q, girih.window(left=5), session=girih.Session(cache_dir=""))
    """
    shown = run(script.format(setting=1, delay=0.0))
    assert "girih: compiling window(left=5)" in shown and shown.endswith("\033[K")
    assert run(script.format(setting=1, delay=60)) == ""  # it did not take that long
    assert run(script.format(setting=0, delay=0.0)) == ""
    assert run(script.format(setting="", delay=0.0)) == ""  # stderr is no terminal


def test_python_ends_in_peace():
    """With threads of the library alive."""
    for _ in range(5):
        run(
            """
            import girih, numpy as np
            q = np.ones((1, 2, 300, 16), np.float32)
            girih.attention(q, q, q, girih.causal, threads=2)
            """
        )


@pytest.mark.parametrize("scale", ["a", b"a", 1j, 10**400, np.array([0.5]), np.array([0.5, 0.5]), float("nan")])
def test_scales_that_are_no_numbers(scale):
    q = np.ones((1, 1, 4, 8), np.float32)
    with pytest.raises(girih.Error, match="expected scale to be"):
        girih.attention(q, q, q, girih.causal, scale=scale)


def test_streams_are_looked_at_without_keys():
    q = np.ones((1, 1, 4, 8), np.float32)
    for keys in (4, 0):
        with pytest.raises(girih.InvalidError, match="expected no stream for tensors on the CPU"):
            girih.attention(q, q[:, :, :keys], q[:, :, :keys], girih.causal, stream=object())
