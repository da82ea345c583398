"""Presets with known activity: a disk that takes 5 ms, a file that is read twice, threads that run and
sleep, calls of file systems, netem; and what wants tracepoints alone."""

import subprocess

import pytest

pytest.register_assert_rewrite("preset_network")

from preset_network import *  # noqa: E402,F401,F403 its tests and fixtures
from preset_network import FAR, UDP  # noqa: E402
from tracing import Actor, Tracing, closing, events  # noqa: E402


@pytest.fixture
def actor():
    process = Actor()
    yield process
    process.end()


@pytest.fixture(scope="module")
def disk():
    """256 MB of memory that take one request at a time, and 5 ms for it."""
    subprocess.run(["modprobe", "null_blk", "nr_devices=1", "gb=1", "memory_backed=1", "irqmode=2",
                    "completion_nsec=5000000", "hw_queue_depth=1", "submit_queues=1"], check=True)
    yield "/dev/nullb0"


@pytest.fixture(scope="module")
def folder(disk, tmp_path_factory):
    there = tmp_path_factory.mktemp("disk")
    subprocess.run(["mkfs.ext4", "-q", "-O", "^has_journal", disk, "65536"], check=True)
    subprocess.run(["mount", "-o", "noatime", disk, there], check=True)
    yield there
    subprocess.run(["umount", there], check=True)


WRITE = """
import mmap
block = mmap.mmap(-1, 16384)
fd = os.open('{}', os.O_RDWR | os.O_DIRECT)
def write(at):
    for n in range(3): os.pwrite(fd, block, (at * 3 + n) * 16384)
threads = [threading.Thread(target=write, args=(n,)) for n in range(4)]
"""


def test_disk_io_is_the_askers(actor, disk):
    actor.do(WRITE.format(disk))
    top = Tracing("top", "@blk", "-i", "1000")
    # While one request is at work the others wait, and are issued by a thread of the kernel.
    actor.do("for each in threads: each.start()\nfor each in threads: each.join()")
    actor.do("for _ in range(2): os.preadv(fd, [block], 0)")

    documents = top.stop()

    rows = {row["direction"]: row for row in documents[0]["rows"] if row["disk"] == "nullb0"}
    assert set(rows) == {"R", "W"}
    for row in rows.values():
        average = row.pop("average_ms")
        assert 5 <= average < 100  # the machine is emulated: its timers may be late
    same = {"pid": actor.pid, "comm": "python3", "disk": "nullb0", "minor": 0,
            "major": rows["R"]["major"]}
    assert rows["W"] == {**same, "direction": "W", "requests": 12, "kbytes": 12 * 16}
    assert rows["R"] == {**same, "direction": "R", "requests": 2, "kbytes": 2 * 16}


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


def test_time_on_and_off_the_cpu(actor):
    on = Tracing("hist", "@oncpu", "--pid", actor.pid, "--unit", "ms")
    off = Tracing("hist", "@offcpu", "--pid", actor.pid, "--by", "pid, comm")
    actor.do("end = time.process_time() + 0.4\nwhile time.process_time() < end: pass")
    actor.do("for _ in range(5): time.sleep(0.07)")

    ran, slept = on.stop()[0], off.stop()[0]

    assert ran["unit"] == "msecs"
    (histogram,) = ran["histograms"]
    assert 300 < histogram["sum"] < 900
    (histogram,) = slept["histograms"]
    assert histogram["keys"] == {"pid": actor.pid, "comm": "python3"}
    assert sum(slot["count"] for slot in histogram["slots"] if slot["from"] >= 65_536) >= 5
    assert histogram["sum"] >= 5 * 70_000


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
    far.do(UDP + f"s.bind(('{FAR}', 7011))")
    hist = Tracing("hist", "@rxlat", "--where", "dport == 7011", "--by", "comm")
    near.do(UDP + f"for n in range(5): s.sendto(b'?' * (1 + 300 * n), ('{FAR}', 7011))")
    far.do("time.sleep(0.07)\nfor _ in range(5): s.recv(10)")

    (histogram,) = hist.stop()[0]["histograms"]

    assert (histogram["keys"], histogram["events"]) == ({"comm": "python3"}, 5)
    assert histogram["slots"][0]["from"] >= 65_536


def test_a_delay_of_netem_is_in_the_histogram(pair):
    pair.on("near", "tc", "qdisc", "add", "dev", "near0", "root", "netem", "delay", "70ms")
    near = pair.actor("near")
    hist = Tracing("hist", "@txlat", "--where", "dport == 7010", "--by", "dport, comm")
    near.do(UDP + f"for _ in range(5): s.sendto(b'?', ('{FAR}', 7010))")
    near.do("time.sleep(0.2)")

    (histogram,) = hist.stop()[0]["histograms"]

    assert histogram["keys"] == {"dport": 7010, "comm": "python3"}
    assert histogram["events"] == 5 and histogram["slots"][0]["from"] >= 65_536
    assert 5 * 70_000 <= histogram["sum"] < 5 * 1_000_000  # timers of an emulated machine are late
