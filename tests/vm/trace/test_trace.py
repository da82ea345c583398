"""The tracing engine, with known activity: each source, way of attaching and verb."""

import json
import os
import platform
import re
import subprocess
import time

import pytest

from tracing import Actor, Tracing, closing, events
from waiting import until

VERSION = tuple(int(part) for part in platform.release().split(".")[:2])
HAS_MULTI = VERSION >= (6, 12)  # Debian's 6.1 is built without CONFIG_FPROBE
WAYS = ["fentry", "kprobe",
        pytest.param("kprobe.multi", marks=pytest.mark.skipif(
            not HAS_MULTI, reason="this kernel has no kprobe.multi"))]
CPUS = os.sysconf("SC_NPROCESSORS_CONF")
SIZE = 4321  # a read of so many octets is the actor's


@pytest.fixture
def actor():
    process = Actor()
    yield process
    process.end()


def read(times, size=SIZE):
    return f"fd = os.open('/dev/zero', 0)\nfor _ in range({times}): os.read(fd, {size})\nos.close(fd)"


def mine(actor, more=""):
    return f"pid == {actor.pid}" + (f" && {more}" if more else "")


@pytest.mark.parametrize("way", WAYS)
def test_a_function_with_its_arguments(actor, way):
    trace = Tracing("trace", "fn:vfs_read", "--backend", way, "--args",
                    "count, file->f_path.dentry->d_iname", "--where",
                    mine(actor, f"count == {SIZE}"))
    actor.do(read(7))

    documents = trace.stop()

    seen = events(documents)
    assert [each["values"] for each in seen] == \
        7 * [{"count": SIZE, "file->f_path.dentry->d_iname": "zero"}]
    assert {(each["probe"], each["pid"], each["comm"]) for each in seen} == \
        {("vfs_read", actor.pid, "python3")}
    end = closing(documents)
    assert end["backends"] == {way: 1}
    assert (end["events"], end["lost"], end["nested"], end["not_probed"]) == (7, 0, 0, [])
    assert end["hits"] == end["events"] + end["refused"]


def test_what_the_kernel_does_not_give_to_a_probe_is_counted(actor):
    """The probe reads the clock, by the function that it probes: the kernel leaves that out."""
    clock = Tracing("count", "fn:bpf_ktime_get_ns", "--backend", "fentry")
    other = Tracing("count", "sys:getppid", "--where", mine(actor))
    actor.do("for _ in range(1000): os.getppid()")
    assert closing(other.stop())["events"] == 1000

    end = closing(clock.stop())

    ran = end["hits"] - end["missed"]
    assert end["events"] == ran >= 1000
    assert end["nested"] == 0
    assert ran <= end["missed"] <= ran + ran / 64 + os.cpu_count()  # once more in each 64th


@pytest.mark.parametrize("way", WAYS)
def test_a_return_with_what_is_returned(actor, way):
    """Of a function in which nobody sleeps: all its returns can be waited for."""
    trace = Tracing("trace", "ret:read_zero", "--backend", way, "--args", "retval", "--where",
                    mine(actor, f"retval == {SIZE}"))
    actor.do(read(5))

    documents = trace.stop()

    assert [each["values"]["retval"] for each in events(documents)] == 5 * [SIZE]


SLEEPERS = """
sleepers = {{}}
for _ in range({count}):
    event = os.eventfd(0)
    sleepers[event] = threading.Thread(target=os.eventfd_read, args=(event,))
    sleepers[event].start()
def asleep(thread):  # in a call whose first argument is one of these descriptors
    call = open(f"/proc/self/task/{{thread.native_id}}/syscall").read().split()
    return call[0].isdecimal() and int(call[1], 16) in sleepers
while not all(map(asleep, sleepers.values())): time.sleep(0.01)
"""
READS = """
ready = os.eventfd({count}, os.EFD_SEMAPHORE)
for _ in range({count}): os.eventfd_read(ready)
"""
WAKE = """
for event, sleeper in sleepers.items():
    os.eventfd_write(event, 1)
    sleeper.join()
"""


TOLD = pytest.mark.skipif(VERSION < (6, 7), reason="before Linux 6.7 the kernel does not tell")


@pytest.mark.parametrize("way, room", [
    ("fentry", None), pytest.param("kprobe", max(10, 2 * CPUS), marks=TOLD),
    pytest.param("kprobe.multi", 2 * CPUS, marks=TOLD)])
def test_returns_of_a_function_in_which_threads_sleep(actor, way, room):
    """As many sleep as the kernel can wait for: no return beside them is seen, and it is said."""
    sleepers = room or 20
    trace = Tracing("count", "ret:eventfd_read", "--backend", way)
    actor.do(SLEEPERS.format(count=sleepers))
    actor.do(READS.format(count=7))
    actor.do(WAKE)

    end = closing(trace.stop())

    missed = 7 if room else 0
    assert (end["hits"], end["missed"]) == (sleepers + 7, missed)
    assert (end["events"], end["lost"], end["nested"]) == (sleepers + 7 - missed, 0, 0)


@TOLD
def test_that_returns_were_missed_is_said(actor):
    trace = Tracing("count", "ret:eventfd_read", "--backend", "kprobe.multi", text=True)
    actor.do(SLEEPERS.format(count=2 * CPUS))
    actor.do(READS.format(count=7))
    actor.do(WAKE)

    assert re.search(fr"^{2 * CPUS} events of {2 * CPUS + 7} hits, 7 lost; "
                     r"probes: 1 by kprobe.multi; 7 were not given to them by the kernel",
                     trace.stop(), re.MULTILINE)


def test_an_error_is_a_negative_number(actor):
    trace = Tracing("trace", "fn:vfs_read", "--ret", "--where", mine(actor, "retval < 0"))
    actor.do("fd = os.open('/proc', 0)\ntry: os.read(fd, 10)\nexcept IsADirectoryError: pass")

    (event,) = events(trace.stop())

    assert event["values"]["retval"] == -21  # EISDIR


@pytest.mark.parametrize("way", ["tp", "raw_tp"])
def test_dropped_packets_have_a_reason_and_a_5_tuple(actor, way):
    trace = Tracing("trace", "tp:skb:kfree_skb", "--backend", way, "--args",
                    "reason, saddr, daddr, sport > 0, dport", "--where",
                    "dport == 4242 && reason == NO_SOCKET && daddr == 127.0.0.0/8")
    actor.do("s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)\n"
             "for _ in range(3): s.sendto(b'?', ('127.0.0.1', 4242))")
    trace.until(lambda documents: len(events(documents)) == 3)  # ksoftirqd may have to deliver them

    documents = trace.stop()

    assert [each["values"] for each in events(documents)] == 3 * [
        {"reason": "SKB_DROP_REASON_NO_SOCKET", "saddr": "127.0.0.1", "daddr": "127.0.0.1",
         "sport > 0": True, "dport": 4242}]
    assert closing(documents)["backends"] == {way: 1}


def test_the_interface_of_a_packet_by_its_name(actor):
    trace = Tracing("trace", "fn:ip_rcv", "--args", "dev->name, skb->len", "--where",
                    "skb->dev->name == \"lo\" && dport == 4243")
    actor.do("s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)\n"
             "s.sendto(b'x' * 100, ('127.0.0.1', 4243))")
    trace.until(events)

    (event,) = events(trace.stop())

    assert event["values"] == {"dev->name": "lo", "skb->len": 128}


def test_ipv6_addresses(actor):
    trace = Tracing("trace", "tp:net:netif_receive_skb", "--args", "saddr, daddr, dport", "--where",
                    "dport == 4244 && daddr == ::1")
    actor.do("s = socket.socket(socket.AF_INET6, socket.SOCK_DGRAM)\n"
             "s.sendto(b'?', ('::1', 4244))")
    trace.until(events)

    (event,) = events(trace.stop())

    assert event["values"] == {"saddr": "::1", "daddr": "::1", "dport": 4244}


def test_a_system_call_by_name(actor):
    trace = Tracing("trace", "sys:openat", "--args", "filename, flags", "--say", "Hello, World!",
                    "--where", mine(actor, "filename == \"/etc/hostname\""))
    actor.do("for _ in range(4): os.close(os.open('/etc/hostname', os.O_RDONLY))")

    seen = events(trace.stop())

    assert [each["values"]["filename"] for each in seen] == 4 * ["/etc/hostname"]
    assert {each["say"] for each in seen} == {"Hello, World!"}


def test_the_symbol_of_a_system_call():
    found = subprocess.run([os.environ["WEIR"], "trace", "--resolve-syscall", "clone"], text=True,
                           capture_output=True, check=True)
    assert found.stdout == "__x64_sys_clone\n"


def test_a_stack_begins_with_the_function(actor):
    trace = Tracing("trace", "fn:vfs_read", "--args", "count", "--stack", "--where",
                    mine(actor, f"count == {SIZE}"))
    actor.do(read(1))

    (event,) = events(trace.stop())

    assert any("ksys_read" in line for line in event["values"]["stack"])


def test_so_many_events_and_no_more(actor):
    trace = Tracing("trace", "fn:vfs_read", "-n", 3, "--where", mine(actor, f"count == {SIZE}"))
    actor.do(read(10))

    assert len(events(trace.wait())) == 3


@pytest.mark.parametrize("way", WAYS)
def test_counts_of_many_functions(actor, way):
    count = Tracing("count", "fn:vfs_[rw]*", "--backend", way, "--where", mine(actor))
    actor.do("r, w = os.pipe()\nfor _ in range(6): os.write(w, b'a')\nfor _ in range(6): os.read(r, 1)")

    documents = count.stop()

    counts = {each["name"]: each["count"] for each in documents[0]["counts"]}
    # The words and answers of the actor itself: one read and one write, at least one each.
    assert 7 <= counts["vfs_read"] <= 9 and 7 <= counts["vfs_write"] <= 9
    end = closing(documents)
    assert sum(counts.values()) == end["events"]
    assert end["backends"][way] > 5


def test_a_rate_a_line(actor):
    rate = Tracing("rate", "fn:vfs_read", "-i", "0.5", "-n", 3, "--where",
                   mine(actor, f"count == {SIZE}"))
    actor.do(read(50))

    lines = [each for each in rate.wait() if "per_second" in each]

    assert len(lines) == 3
    total = sum(each["per_second"]["vfs_read"] * each["seconds"] for each in lines)
    assert round(total) == 50


def test_a_histogram_of_a_value(actor):
    hist = Tracing("hist", "fn:vfs_read", "--value", "count", "--where",
                   mine(actor, "count > 1000 && count < 8000"))
    actor.do(read(3, 1500) + "\n" + read(5, 5000))

    (histogram,) = hist.stop()[0]["histograms"]

    assert histogram["slots"] == [{"from": 1024, "to": 2047, "count": 3},
                                  {"from": 4096, "to": 8191, "count": 5}]
    assert (histogram["events"], histogram["sum"]) == (8, 3 * 1500 + 5 * 5000)


def test_a_linear_histogram(actor):
    hist = Tracing("hist", "fn:vfs_read", "--value", "count", "--linear", "1000:500", "--where",
                   mine(actor, "count > 1000 && count < 8000"))
    actor.do(read(3, 1500) + "\n" + read(5, 1499))

    (histogram,) = hist.stop()[0]["histograms"]

    assert histogram["slots"] == [{"from": 1000, "to": 1499, "count": 5},
                                  {"from": 1500, "to": 1999, "count": 3}]


@pytest.mark.parametrize("way", WAYS)
def test_the_time_from_entry_to_return(actor, way):
    hist = Tracing("hist", "fn:hrtimer_nanosleep", "--backend", way, "--unit", "ms", "--where",
                   mine(actor))
    # A relative sleep lasts at least its time within the function. Python's own sleep takes the end as
    # a time of the clock, some of which is over when the function is entered.
    actor.do("import ctypes\nfor _ in range(4): ctypes.CDLL(None).usleep(40000)")

    (histogram,) = hist.stop()[0]["histograms"]

    assert histogram["events"] == 4
    assert histogram["sum"] >= 4 * 40  # whole milliseconds of each
    assert histogram["slots"][0]["from"] >= 32


def test_the_time_of_a_packet_between_two_points(actor):
    hist = Tracing("hist", "tp:net:net_dev_queue", "--to", "tp:net:netif_receive_skb", "--id",
                   "packet", "--where", "dport == 4245")
    actor.do("s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)\n"
             "for _ in range(5): s.sendto(b'?', ('127.0.0.1', 4245))")

    (histogram,) = hist.stop()[0]["histograms"]

    assert histogram["events"] == 5


def test_the_time_between_two_points_of_the_same_pointer(actor):
    """How long a file is open: from `struct file *` to the same one."""
    hist = Tracing("hist", "fn:vfs_open", "--to", "fn:__fput", "--id", "file", "--unit", "ms",
                   "--where", mine(actor, 'file->f_flags == 0x8000'))  # O_LARGEFILE: to read
    actor.do("files = [os.open('/dev/zero', 0) for _ in range(4)]")
    held = time.monotonic()
    actor.do("end = time.monotonic() + 0.1\n"
             "while time.monotonic() < end: pass\n"
             "for each in reversed(files): os.close(each)")
    held = time.monotonic() - held

    (histogram,) = hist.stop()[0]["histograms"]

    # Each is paired with its own end, not with the last one that was opened by that thread.
    assert histogram["events"] == 4
    assert 4 * 100 <= histogram["sum"] <= 4 * 1000 * (held + 1)
    assert histogram["slots"][0]["from"] >= 64


def test_what_a_system_call_returns(actor):
    trace = Tracing("trace", "sysret:openat", "--args", "ret", "--where",
                    mine(actor, "comm == \"python3\" && ret < 0"))
    actor.do("for _ in range(3):\n"
             "    try: os.open('/not/there', 0)\n"
             "    except FileNotFoundError: pass")

    assert [each["values"]["ret"] for each in events(trace.stop())] == 3 * [-2]  # ENOENT


def test_who_does_it_most(actor):
    top = Tracing("top", "fn:vfs_read", "--by", "pid, comm", "--sum", "count", "--sort", "sum",
                  "--where", f"count == {SIZE}")
    other = Actor()
    actor.do(read(3))
    other.do(read(5))
    other.end()

    rows = top.stop()[0]["rows"]

    assert rows == [
        {"pid": other.pid, "comm": "python3", "count": 5, "sum": 5 * SIZE, "average": SIZE},
        {"pid": actor.pid, "comm": "python3", "count": 3, "sum": 3 * SIZE, "average": SIZE}]


def test_what_is_not_there_is_a_warning_among_others_and_an_error_alone():
    done = subprocess.run([os.environ["WEIR"], "trace", "fn:vfs_raed"], text=True,
                          capture_output=True)
    assert done.returncode == 1
    assert "the kernel has no function of that name" in done.stderr
    assert "did you mean 'vfs_read'?" in done.stderr


def test_nothing_is_left_behind_by_a_kill(actor):
    trace = Tracing("trace", "fn:vfs_read", "tp:sched:sched_switch")
    programs = subprocess.run(["bpftool", "prog"], text=True, capture_output=True).stdout
    assert "trace_" in programs

    trace.kill()

    def gone():
        left = subprocess.run(["bpftool", "prog"], text=True, capture_output=True).stdout
        return "trace_" not in left
    until(gone, "programs stay after the process that held them", pause=0.2)


def test_probes_and_their_owners(actor):
    def mine(trace):
        found = subprocess.run([os.environ["WEIR"], "--json", "probes"], text=True, check=True,
                               capture_output=True).stdout
        return {(each["kind"], each.get("where")) for each in json.loads(found)["probes"]
                if each.get("pid") == trace.process.pid}
    by_fentry = Tracing("trace", "fn:vfs_read", "tp:skb:kfree_skb", "raw:sched_switch", "--backend",
                        "any", "--where", "pid == 1 && pid == 2")
    by_kprobe = Tracing("count", "fn:vfs_write", "ret:vfs_write", "--backend", "kprobe")

    assert mine(by_fentry) == {("fentry", "vfs_read"), ("tracepoint", "kfree_skb"),
                               ("raw tracepoint", "sched_switch")}
    assert mine(by_kprobe) == {("kprobe", "vfs_write"), ("kretprobe", "vfs_write")}
    by_fentry.kill()
    by_kprobe.kill()


def test_memory_of_the_kernel_that_is_not_released(actor):
    actor.do("held = []")
    leaks = Tracing("leaks", "@kmalloc", "--where", mine(actor), "--top", 1000)
    # Two structures of the kernel for each pipe, from one function.
    actor.do("for _ in range(20): held.append(os.pipe())\n"
             "for _ in range(30):\n    for end in os.pipe(): os.close(end)")

    documents = leaks.stop()

    pipes = [leak for leak in documents[0]["leaks"]
             if any("alloc_pipe_info" in line for line in leak["stack"])]
    assert {leak["allocations"] for leak in pipes} == {20}, documents[-1]
