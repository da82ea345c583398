"""Pairs of one's own, and what a link of many functions is attached to."""

import json
import os
import platform
import subprocess

import pytest

from tracing import Actor, Tracing, closing

VERSION = tuple(int(part) for part in platform.release().split(".")[:2])


@pytest.fixture
def actor():
    process = Actor()
    yield process
    process.end()


def test_files_that_are_opened_and_not_closed(actor):
    leaks = Tracing("leaks", "ret:alloc_empty_file", "--to", "fn:__fput", "--id", "retval",
                    "--to-id", "file", "--where", f"pid == {actor.pid}")
    actor.do("kept = [os.open('/dev/null', 0) for _ in range(9)]\n"
             "for _ in range(5): os.close(os.open('/dev/null', 0))")

    documents = leaks.stop()

    found = documents[0]["leaks"]
    assert sum(leak["allocations"] for leak in found) == 9
    assert any("path_openat" in line for line in found[0]["stack"])
    assert closing(documents)["lost"] == 0


@pytest.mark.skipif(VERSION < (6, 12), reason="this kernel has no kprobe.multi")
def test_functions_of_a_kprobe_multi_link(actor):
    def shown(kind):
        done = subprocess.run([os.environ["WEIR"], "--json", "probes"], check=True, text=True,
                              capture_output=True)
        return {each["where"]: each["pid"] for each in json.loads(done.stdout)["probes"]
                if each["kind"] == kind}

    entries = Tracing("count", "fn:vfs_rea[d]*", "--backend", "kprobe.multi", "-p", actor.pid)
    returns = Tracing("count", "ret:vfs_write", "--backend", "kprobe.multi", "-p", actor.pid)

    at_entry, at_return = shown("kprobe.multi"), shown("kretprobe.multi")

    assert {"vfs_read", "vfs_readv"} <= set(at_entry)
    assert set(at_entry.values()) == {entries.process.pid}
    assert at_return == {"vfs_write": returns.process.pid}
    documents = entries.stop()
    assert len(at_entry) == closing(documents)["backends"]["kprobe.multi"]
    returns.stop()
    assert shown("kprobe.multi") == {} == shown("kretprobe.multi")
