"""Functions, marked places and memory of processes, under each kernel that is supported."""

import pytest

from tracing import Actor, Tracing, closing, events

PYTHON = "/usr/bin/python3"
LIBC = "libc.so.6"
NAMES = """
import ctypes, gc
gc.disable()
libc = ctypes.CDLL(None)
libc.malloc.restype = ctypes.c_void_p
libc.free.argtypes = [ctypes.c_void_p]
lost = []
"""


@pytest.fixture
def actor():
    process = Actor(PYTHON)
    process.do(NAMES)
    yield process
    process.end()


def test_a_function_of_a_library_and_what_it_returns(actor):
    calls = Tracing("trace", f"u:{LIBC}:dup", "--args", "arg0 + 0", "--pid", actor.pid)
    returns = Tracing("trace", f"uret:{LIBC}:dup", "--args", "retval + 0", "--pid", actor.pid)
    others = Tracing("count", f"u:{LIBC}:dup", "--where", "arg0 == 2", "--pid", actor.pid)
    given = actor.ask("print(*[libc.dup(each) for each in (1, 2, 1)])")

    called, returned = calls.stop(), returns.stop()

    assert [each["values"]["arg0 + 0"] for each in events(called)] == [1, 2, 1]
    assert [each["values"]["retval + 0"] for each in events(returned)] == \
        [int(each) for each in given.split()]
    assert closing(called)["backends"] == {"uprobe": 1}
    assert others.stop()[0]["counts"][0]["count"] == 1


def test_a_place_that_its_author_has_marked(actor):
    trace = Tracing("trace", f"usdt:{PYTHON}:python:gc__start", "--args", "arg0", "--pid", actor.pid)
    actor.do("for generation in (0, 2, 1): gc.collect(generation)")

    documents = trace.stop()

    assert [each["values"]["arg0"] for each in events(documents)] == [0, 2, 1]


def test_a_leak_of_known_size(actor):
    leaks = Tracing("leaks", "@malloc", "--pid", actor.pid, "--top", 100)
    actor.do("for _ in range(7): lost.append(libc.malloc(12345))\n"
             "for _ in range(5): libc.free(libc.malloc(12345))")

    documents = leaks.stop()

    # By ctypes, all calls come from libffi, which keeps no frame pointers: who called it is lost.
    mine = [leak for leak in documents[0]["leaks"] if "libffi" in leak["stack"][0]]
    assert [(leak["octets"], leak["allocations"]) for leak in mine] == [(7 * 12345, 7)]
    assert closing(documents)["lost"] == 0
