"""Weir's tracing beside bpftrace and libbpf-tools, at the same time over the same events: the answers
are the same."""

import contextlib

import pytest

from peers import MISSING, Bpftrace, Peer, histogram, moved, rows, slots
from tracing import Actor, Tracing, closing, events

pytestmark = pytest.mark.skipif(bool(MISSING), reason=f"not installed: {', '.join(MISSING)}")

READS = {1500: 3, 5000: 5}  # octets: how often
SLEEPS, DROPS, OPENS = 4, 6, 7

ACTIVITY = f"""
import ctypes
fd = os.open("/dev/zero", os.O_RDONLY)
for size, times in {READS}.items():
    for _ in range(times): os.read(fd, size)
os.close(fd)
for _ in range({SLEEPS}): ctypes.CDLL(None).usleep(40000)
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
for _ in range({DROPS}): s.sendto(b"?", ("127.0.0.1", 4250))
for _ in range({OPENS}): os.close(os.open("/etc/hostname", os.O_RDONLY))
try: os.open("/not/there", os.O_RDONLY)
except FileNotFoundError: pass
os.sched_setaffinity(0, {{0}})
child = os.fork()  # both want that CPU: they are made to leave it by turns
end = time.monotonic() + 0.6
while time.monotonic() < end: pass
if child == 0: os._exit(0)
os.waitpid(child, 0)
"""

BPFTRACE = """
kprobe:vfs_read /pid == PID/ { @reads = count(); @calls[comm] = count(); @octets[comm] = sum(arg2); }
kprobe:vfs_read /pid == PID && arg2 > 1000 && arg2 < 8000/ { @size = hist(arg2); }
kprobe:hrtimer_nanosleep /pid == PID/ { @start[tid] = nsecs; }
kretprobe:hrtimer_nanosleep /@start[tid]/
    { @slept = hist((nsecs - @start[tid]) / 1000000); delete(@start[tid]); }
tracepoint:skb:kfree_skb { @dropped[args->reason] = count(); }
tracepoint:syscalls:sys_enter_openat /pid == PID/ { @opened[str(args->filename)] = count(); }
"""


@pytest.fixture(scope="module")
def answers():
    """One run of the activity, seen by all: compiling and attaching take longer than that."""
    actor = Actor()
    actor.do("import ctypes")  # so that its files are read already
    mine = f"pid == {actor.pid}"
    with contextlib.ExitStack() as stack:
        def peer(tool):
            stack.callback(tool.kill)
            return tool

        def weir(*words):
            tracing = Tracing(*words)
            stack.callback(tracing.kill)
            return tracing

        tools = {"bpftrace": peer(Bpftrace(BPFTRACE.replace("PID", str(actor.pid)))),
                 "opensnoop": peer(Peer("opensnoop", "-p", actor.pid, ready="PID +COMM")),
                 "funclatency": peer(Peer("funclatency", "-m", "-p", actor.pid, "hrtimer_nanosleep",
                                          ready="Tracing ")),
                 "cpudist": peer(Peer("cpudist", "-p", actor.pid, ready="Tracing "))}
        asked = {
            "count": weir("count", "fn:vfs_read", "--where", mine),
            "hist": weir("hist", "fn:vfs_read", "--value", "count", "--where",
                         f"{mine} && count > 1000 && count < 8000"),
            "slept": weir("hist", "fn:hrtimer_nanosleep", "--unit", "ms", "--where", mine),
            # Of all processes: under load another one receives the sender's datagrams. Nobody else sends
            # to a port that nobody listens on.
            "drops": weir("top", "tp:skb:kfree_skb", "--by", "reason"),
            # cpudist shows only the threads that were made to leave: TASK_RUNNING is 0.
            "oncpu": weir("hist", "@oncpu", "--pid", actor.pid, "--where", "prev_state == 0"),
            "opens": weir("trace", "sys:openat", "--ret", "--where", mine),
            "opened": weir("top", "sys:openat", "--by", "filename", "--where",
                           f"self_pid == {actor.pid}"),
            "top": weir("top", "fn:vfs_read", "--by", "comm", "--sum", "count", "--where", mine)}
        for tool in tools.values():
            tool.wait_until_ready()
        actor.do(ACTIVITY)
        found = {name: each.stop() for name, each in asked.items()}
        found["bpftrace"] = tools["bpftrace"].maps()
        for name in ("opensnoop", "funclatency", "cpudist"):
            found[name] = tools[name].stop()
        stack.pop_all()
    actor.end()
    return found


def test_nothing_was_lost(answers):
    for name in ("count", "hist", "slept", "drops", "oncpu", "opens", "opened", "top"):
        end = closing(answers[name])
        assert (end["lost"], end["nested"]) == (0, 0), name


def test_how_often_a_function_is_called(answers):
    (row,) = answers["count"][0]["counts"]

    assert row["count"] == answers["bpftrace"]["reads"]
    assert row["count"] >= sum(READS.values())


def test_histogram_of_an_argument(answers):
    (weir,) = answers["hist"][0]["histograms"]

    # bpftrace names a bucket by where the next one begins.
    assert weir["slots"] == slots(answers["bpftrace"]["size"])
    assert weir["events"] == sum(READS.values())


def test_histogram_of_the_time_in_a_function(answers):
    (weir,) = answers["slept"][0]["histograms"]

    assert weir["events"] == SLEEPS
    for peer in (slots(answers["bpftrace"]["slept"]), histogram(answers["funclatency"])):
        assert moved(weir["slots"], peer) <= 1, (weir, peer)


def test_histogram_of_the_time_on_the_cpu(answers):
    (weir,) = answers["oncpu"][0]["histograms"]
    weir = {slot["from"]: slot["count"] for slot in weir["slots"]}
    cpudist = {slot["from"]: slot["count"] for slot in histogram(answers["cpudist"])}

    # The two stop one after the other, and read the clock one after the other: a time may fall into
    # the bucket beside.
    shared = sum(min(count, cpudist.get(at, 0)) for at, count in weir.items())
    total = max(sum(weir.values()), sum(cpudist.values()))
    assert total >= 10 and total - shared <= total // 5, (weir, cpudist)


def test_reasons_of_dropped_packets(answers):
    weir = {row["reason"]: row["count"] for row in answers["drops"][0]["rows"]}

    assert weir["SKB_DROP_REASON_NO_SOCKET"] == DROPS
    assert DROPS in answers["bpftrace"]["dropped"].values()  # by number, which differs between kernels


def test_files_that_are_opened(answers):
    weir = {row["filename"]: row["count"] for row in answers["opened"][0]["rows"]}
    results = [event["values"]["ret"] for event in events(answers["opens"])]
    snooped = rows(answers["opensnoop"], ["PID", "COMM", "FD", "ERR", "PATH"])

    assert weir["/etc/hostname"] == OPENS and weir["/not/there"] == 1
    assert weir == answers["bpftrace"]["opened"]
    # opensnoop shows a file descriptor or an error, where the kernel has one number.
    assert results == [-int(row["ERR"]) if row["FD"] == "-1" else int(row["FD"]) for row in snooped]
    assert results.count(-2) >= 1  # ENOENT


def test_who_reads_most(answers):
    (row,) = answers["top"][0]["rows"]

    assert {row["comm"]: row["count"]} == answers["bpftrace"]["calls"]
    assert {row["comm"]: row["sum"]} == answers["bpftrace"]["octets"]
