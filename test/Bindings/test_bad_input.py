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
        (dict(q=Q[:0], k=Q[:0], v=Q[:0]), ValueError, "extent 0 of q to be positive"),
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
    assert isinstance(raised.value, (girih.Error, TypeError, ValueError))


def test_read_only_output():
    out = np.empty_like(Q)
    out.flags.writeable = False
    with pytest.raises(girih.InvalidError, match="out to be writable"):
        attend(out=out)


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
