"""Presets with known activity: a disk that takes 5 ms, a file that is read twice, threads that run and
sleep, calls of file systems, netem; and what wants tracepoints alone."""

import os
import re
import subprocess
import time

import pytest

pytest.register_assert_rewrite("preset_network")

from preset_network import *  # noqa: E402,F401,F403 its tests and fixtures
import slow_disk  # noqa: E402
from pair import FAR, UDP, Journeys, timed  # noqa: E402
from slow_disk import REQUEST_MS, disk, disks, folder  # noqa: E402,F401 the fixtures
from tracing import Actor, Tracing, closing, events  # noqa: E402
from waiting import PAUSE  # noqa: E402


@pytest.fixture
def actor():
    process = Actor()
    yield process
    process.end()


def milliseconds_of_reads(disk):
    """By the kernel's own account: from a request's making to its end (Documentation/block/stat)."""
    with open(f"/sys/block/{os.path.basename(disk)}/stat", encoding="ascii") as file:
        return int(file.read().split()[3])


def test_disk_io_is_the_askers(actor, disk):
    actor.do(slow_disk.PREPARE.format(disk))
    top = Tracing("top", "@blk", "-i", "1000")
    write = float(actor.ask(timed(slow_disk.WRITE)))
    before = milliseconds_of_reads(disk)
    actor.do(slow_disk.READ)
    read = milliseconds_of_reads(disk) - before

    documents = top.stop()

    rows = {row["direction"]: row for row in documents[0]["rows"] if row["disk"] == "nullb0"}
    assert set(rows) == {"R", "W"}
    total = {row["direction"]: row.pop("average_ms") * row["requests"] for row in rows.values()}
    # What one thread asks for is not waited for: it is made and given to the disk at once.
    assert total["R"] == pytest.approx(read, rel=0.25) and read >= REQUEST_MS * slow_disk.READS
    # The disk is at work for one after the other, all within the time that the process took for it.
    assert REQUEST_MS * slow_disk.WRITES <= total["W"] <= 1000 * write
    same = {"pid": actor.pid, "comm": "python3", "disk": "nullb0", "minor": 0,
            "major": rows["R"]["major"]}
    assert rows["W"] == {**same, "direction": "W", "requests": slow_disk.WRITES,
                         "kbytes": slow_disk.WRITES * slow_disk.KILOBYTES}
    assert rows["R"] == {**same, "direction": "R", "requests": slow_disk.READS,
                         "kbytes": slow_disk.READS * slow_disk.KILOBYTES}


def test_a_file_that_is_read_twice(actor, folder):
    subprocess.run(["dd", "if=/dev/urandom", f"of={folder}/file", "bs=4096", "count=64", "status=none",
                    "conv=fsync"], check=True)
    actor.do(f"fd = os.open('{folder}/file', os.O_RDONLY)\n"
             "os.posix_fadvise(fd, 0, 0, os.POSIX_FADV_RANDOM)\n"  # no page before it is asked for
             "os.posix_fadvise(fd, 0, 0, os.POSIX_FADV_DONTNEED)")
    top = Tracing("top", "@pagecache", "--pid", actor.pid, "-i", "1000")
    read = "for n in range(64): assert len(os.pread(fd, 4096, 4096 * n)) == 4096"
    actor.do(read + "\n" + read)

    (row,) = top.stop()[0]["rows"]

    # Every read is an access; the first of each page has missed it before.
    assert (row["pid"], row["uid"], row["comm"]) == (actor.pid, "root", "python3")
    assert (row["hits"], row["misses"], row["dirties"]) == (128, 64, 0)
    assert row["read_hit_percent"] == pytest.approx(100 * 128 / 192)


def test_the_page_cache_by_any_column_and_what_the_machine_has_cached(actor, folder):
    other = Actor()
    subprocess.run(["dd", "if=/dev/urandom", f"of={folder}/sorted", "bs=4096", "count=80", "status=none",
                    "conv=fsync"], check=True)
    prepare = (f"fd = os.open('{folder}/sorted', os.O_RDONLY)\n"
               "os.posix_fadvise(fd, 0, 0, os.POSIX_FADV_RANDOM)\n"
               "os.posix_fadvise(fd, 0, 0, os.POSIX_FADV_DONTNEED)")
    both = f"pid == {actor.pid} || pid == {other.pid}"
    words = ("top", "@pagecache", "-i", "1000", "--where", both)
    tops = [Tracing(*words, *more) for more in ((), ("--sort", "misses"),
                                                ("--sort", "misses", "--reverse"))]
    text = Tracing(*words, text=True)
    for each in (actor, other):
        each.do(prepare)
    # One misses more, the other hits more.
    actor.do("for n in range(64): os.pread(fd, 4096, 4096 * n)")
    other.do("for n in range(64, 72): os.pread(fd, 4096, 4096 * n)\n"
             "for _ in range(30):\n"
             "    for n in range(64, 72): os.pread(fd, 4096, 4096 * n)")
    cached = int(re.search(r"^Cached: +(\d+) kB", open("/proc/meminfo", encoding="ascii").read(),
                           re.M).group(1)) / 1024

    orders = [[row["pid"] for row in top.stop()[0]["rows"]] for top in tops]

    assert orders == [[other.pid, actor.pid], [actor.pid, other.pid], [other.pid, actor.pid]]
    heading = re.match(r"\d\d:\d\d:\d\d Buffers MB: \d+ / Cached MB: (\d+)\n", text.stop())
    assert int(heading.group(1)) == pytest.approx(cached, abs=4)
    other.end()


def test_time_on_and_off_the_cpu(actor):
    actor.do(PAUSE)
    outer = time.monotonic()
    on = Tracing("hist", "@oncpu", "--pid", actor.pid)
    off = Tracing("hist", "@offcpu", "--pid", actor.pid, "--by", "pid, comm")
    actor.do("began, ran = time.monotonic(), time.thread_time()\n"
             "while time.thread_time() < ran + 0.4: pass")
    actor.do("for _ in range(5): pause(100)")
    inner = float(actor.ask("print(time.monotonic() - began)"))

    ran, slept = on.stop()[0], off.stop()[0]

    outer = time.monotonic() - outer
    (running,), (waiting,) = ran["histograms"], slept["histograms"]
    assert ran["unit"] == slept["unit"] == "usecs"
    assert waiting["keys"] == {"pid": actor.pid, "comm": "python3"}
    assert sum(slot["count"] for slot in waiting["slots"] if slot["from"] >= 65_536) >= 5
    # It runs or it waits, all the time that its own clock has seen. Give or take a tenth: each of the
    # two reads the clock for itself, and between the two a guest's processor may stand still.
    assert running["sum"] >= 0.9 * 400_000 and waiting["sum"] >= 0.9 * 5 * 100_000
    assert 0.9e6 * inner <= running["sum"] + waiting["sum"] <= 1.1e6 * outer


def test_idle_time_is_there_when_it_is_asked_for():
    hist = Tracing("hist", "@oncpu", "--idle", "--by", "pid", "-d", "0.5")
    without = Tracing("hist", "@oncpu", "--by", "pid", "-d", "0.5")

    assert 0 in {each["keys"]["pid"] for each in hist.wait()[0]["histograms"]}
    assert 0 not in {each["keys"]["pid"] for each in without.wait()[0]["histograms"]}


def test_calls_of_file_systems(actor, folder):
    actor.do(f"fd = os.open('{folder}/calls', os.O_RDWR | os.O_CREAT)\nos.write(fd, b'1234')")
    rate = Tracing("rate", "@vfs", "-i", "5", "-n", 1, "--pid", actor.pid)
    actor.do("for _ in range(50): os.pread(fd, 4, 0)\nfor _ in range(20): os.pwrite(fd, b'x', 0)\n"
             "for _ in range(3): os.fsync(fd)\n"
             f"for _ in range(10): os.close(os.open('{folder}/calls', os.O_RDONLY))\n"
             f"for n in range(2): os.mknod('{folder}/node' + str(n))")

    line = rate.wait()[0]

    calls = {name: round(rate * line["seconds"]) for name, rate in line["per_second"].items()}
    # The actor's word comes by a read, and its answer goes by a write.
    assert (calls["FSYNC"], calls["OPEN"], calls["CREATE"]) == (3, 10, 2)
    assert 50 <= calls["READ"] <= 52 and 20 <= calls["WRITE"] <= 21


def test_hello_world_and_the_count_of_functions(actor):
    trace = Tracing("trace", "sys:clone", "--say", "Hello, World!", "--pid", actor.pid)
    count = Tracing("count", "fn:vfs_*", "--where", f"pid == {actor.pid}")
    actor.do("for _ in range(4):\n    child = os.fork()\n    if not child: os._exit(0)\n"
             "    os.waitpid(child, 0)\n"
             "for _ in range(6): os.stat('/proc/self')")

    said, counted = events(trace.stop()), count.stop()

    assert [(each["pid"], each["say"]) for each in said] == 4 * [(actor.pid, "Hello, World!")]
    counts = {each["name"]: each["count"] for each in counted[0]["counts"]}
    assert counts["vfs_statx"] >= 6 and counts["vfs_read"] >= 1
    assert closing(counted)["lost"] == 0


def test_datagrams_from_the_stack_to_the_process(pair):
    near, far = pair.actor("near"), pair.actor("far")
    near.do(UDP)
    far.do(PAUSE + UDP + f"s.bind(('{FAR}', 7011))")
    hist = Tracing("hist", "@rxlat", "--where", "dport == 7011", "--by", "comm")
    sent = near.ask(f"sent = 0\nfor n in range(5):\n    sent += time.monotonic_ns()\n"
                    f"    s.sendto(b'?' * (1 + 300 * n), ('{FAR}', 7011))\nprint(sent)")
    read = far.ask("pause(70)\nread = 0\nfor n in range(5):\n    s.recv(10)\n"
                   "    read += time.monotonic_ns()\nprint(read)")

    (histogram,) = hist.stop()[0]["histograms"]

    assert (histogram["keys"], histogram["events"]) == ({"comm": "python3"}, 5)
    assert histogram["slots"][0]["from"] >= 65_536
    # All had come before the reader paused; us, a part of one less each.
    assert 5 * 69_999 <= histogram["sum"] <= (int(read) - int(sent)) / 1000


def test_a_delay_of_netem_is_in_the_histogram(pair):
    pair.on("near", "tc", "qdisc", "add", "dev", "near0", "root", "netem", "delay", "70ms")
    journeys = Journeys(pair, 7010)
    hist = Tracing("hist", "@txlat", "--where", "dport == 7010", "--by", "dport, comm")
    journeys.send(5, 1)
    whole = journeys.us_until(5)

    (histogram,) = hist.stop()[0]["histograms"]

    assert histogram["keys"] == {"dport": 7010, "comm": "python3"}
    assert histogram["events"] == 5 and histogram["slots"][0]["from"] >= 65_536
    assert 5 * 69_999 <= histogram["sum"] <= whole
