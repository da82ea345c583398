"""`weir probes`: what another tool has put into the kernel, row by row, and that it is gone with it."""

import contextlib
import json
import os
import re
import subprocess
from collections import Counter

import pytest

from peers import MISSING, Bpftrace
from waiting import until

LIBC = os.path.realpath("/lib/x86_64-linux-gnu/libc.so.6")
TRACEFS = "/sys/kernel/tracing"

PROGRAM = f"""
kprobe:vfs_read {{ @a = 1; }}
kretprobe:vfs_write {{ @b = 1; }}
kprobe:v9fs_vfs_lookup {{ @c = 1; }}
kprobe:__x64_sys_getpid {{ @d = 1; }}
tracepoint:skb:kfree_skb {{ @e = 1; }}
tracepoint:syscalls:sys_enter_chdir {{ @f = 1; }}
uprobe:{LIBC}:mallo* {{ @g = 1; }}
uretprobe:{LIBC}:free {{ @h = 1; }}
kfunc:vmlinux:vfs_unlink {{ @i = 1; }}
kretfunc:vmlinux:vfs_mkdir {{ @j = 1; }}
kfunc:9p:v9fs_acl_mode {{ @k = 1; }}
"""
WANTED = {("kprobe", "vfs_read"), ("kretprobe", "vfs_write"),
          ("kprobe", "v9fs_vfs_lookup"),  # of a module
          ("kprobe", "__x64_sys_getpid"),  # which the kernel's own list calls __do_sys_getpid
          ("tracepoint", "kfree_skb"), ("tracepoint", "sys_enter_chdir"),
          ("uretprobe", f"{LIBC}:free"),
          ("fentry", "vfs_unlink"), ("fexit", "vfs_mkdir"), ("fentry", "v9fs_acl_mode")}


def probes():
    done = subprocess.run([os.environ["WEIR"], "--json", "probes"], check=True, text=True,
                          capture_output=True)
    return json.loads(done.stdout)["probes"]


def write(file, text):
    """Python's own files seek to the end, which tracefs refuses."""
    opened = os.open(f"{TRACEFS}/{file}", os.O_WRONLY | os.O_APPEND)
    os.write(opened, text.encode())
    os.close(opened)


@contextlib.contextmanager
def kprobe_of_ftrace(function):
    """A probe that runs no program and that no process holds, as perf and trace-cmd place it."""
    with contextlib.ExitStack() as stack:
        if not os.path.exists(f"{TRACEFS}/kprobe_events"):
            subprocess.run(["mount", "-t", "tracefs", "tracefs", TRACEFS], check=True)
            stack.callback(subprocess.run, ["umount", TRACEFS], check=True)
        write("kprobe_events", f"p:weir_test/one {function}")
        stack.callback(write, "kprobe_events", "-:weir_test/one")
        write("events/weir_test/one/enable", "1")
        stack.callback(write, "events/weir_test/one/enable", "0")
        yield


@pytest.fixture
def tool():
    """At work when it is answered."""
    started = Bpftrace(PROGRAM)
    started.wait_until_ready()
    yield started
    started.kill()


@pytest.mark.skipif("bpftrace" in MISSING, reason="not installed: bpftrace")
def test_those_of_bpftrace_and_of_ftrace(tool):
    listed = subprocess.run(["bpftrace", "-l", f"uprobe:{LIBC}:mallo*"], check=True, text=True,
                            capture_output=True).stdout
    of_malloc = {("uprobe", f"{LIBC}:{name}") for name in re.findall(r":(mallo\w+)$", listed, re.M)}
    assert ("uprobe", f"{LIBC}:malloc") in of_malloc and len(of_malloc) > 1

    with kprobe_of_ftrace("do_filp_open"):
        shown = probes()
        of_tool = [each for each in shown if "pid" in each]
        assert [each for each in shown if "pid" not in each] == [
            {"kind": "kprobe", "where": "do_filp_open"}]
        assert Counter((each["kind"], each["where"]) for each in of_tool) == Counter(
            WANTED | of_malloc)
        assert {(each["pid"], each["comm"]) for each in of_tool} == {(tool.process.pid, "bpftrace")}
        # bpftrace calls a program as the function, and the kernel keeps 15 characters of that.
        for each in of_tool:
            assert each["program"] > 0
            assert each["where"].split(":")[-1].startswith(each["name"]), each
            assert ("file" in each) == (each["kind"] in ("uprobe", "uretprobe"))

        tool.process.kill()
        tool.process.wait()

        until(lambda: probes() == [{"kind": "kprobe", "where": "do_filp_open"}],
              lambda: f"the kernel lets go of programs a moment later; there are: {probes()}")
    assert probes() == []
