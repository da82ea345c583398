"""Presets, and `weir leaks`, beside bpftrace and libbpf-tools, at the same time over the same events:
the answers are the same. Of the packaged tools that presets are named after, vfsstat attaches to
these kernels; biotop and cachestat look for functions that are gone, and bpftrace is asked instead."""

import contextlib
import os
import pathlib

import pytest

import slow_disk
from peers import MISSING, Bpftrace, Peer, histogram, rows
from slow_disk import disk, disks, folder  # noqa: F401 the fixtures
from tracing import Actor, Tracing, closing

pytestmark = pytest.mark.skipif(bool(MISSING), reason=f"not installed: {', '.join(MISSING)}")

DISK = """
tracepoint:block:block_bio_queue /args->dev == DEVICE && pid == PID/ { @asked[args->sector] = 1; }
tracepoint:block:block_rq_issue /@asked[args->sector]/ { @issued[args->sector] = nsecs; }
tracepoint:block:block_rq_complete /@issued[args->sector]/ {
    @requests[args->rwbs] = count();
    @sectors[args->rwbs] = sum(args->nr_sector);
    @time[args->rwbs] = sum(nsecs - @issued[args->sector]);
    delete(@asked[args->sector]); delete(@issued[args->sector]);
}
"""

PAGECACHE = """
kprobe:folio_mark_accessed /pid == PID/ { @accessed = count(); }
kprobe:mark_buffer_dirty /pid == PID/ { @buffers = count(); }
kprobe:filemap_add_folio /pid == PID/ { @added = count(); }
tracepoint:writeback:writeback_dirty_folio /pid == PID/ { @dirtied = count(); }
"""

VFS = "kprobe:vfs_* /pid == PID/ { @calls[func] = count(); }"

PAGES, WRITTEN = 64, 16  # of 4,096 octets
FILES = f"""
fd = os.open('{{folder}}/file', os.O_RDONLY)
os.posix_fadvise(fd, 0, 0, os.POSIX_FADV_RANDOM)  # no page before it is asked for
for _ in range(2):
    for n in range({PAGES}): os.pread(fd, 4096, 4096 * n)
os.close(fd)
fd = os.open('{{folder}}/new', os.O_RDWR | os.O_CREAT)
for n in range({WRITTEN}): os.pwrite(fd, bytes(4096), 4096 * n)
"""

CALLS = {"READ": 1000, "WRITE": 500, "FSYNC": 30, "OPEN": 300, "CREATE": 20}
CALL = f"""
for _ in range({CALLS["READ"]}): os.pread(fd, 4, 0)
for _ in range({CALLS["WRITE"]}): os.pwrite(fd, b'x', 0)
for _ in range({CALLS["FSYNC"]}): os.fsync(empty)
for _ in range({CALLS["OPEN"]}): os.close(os.open('{{folder}}/file', os.O_RDONLY))
for n in range({CALLS["CREATE"]}): os.mknod('{{folder}}/node' + str(n))
"""
FUNCTIONS = {"READ": "vfs_read", "WRITE": "vfs_write", "FSYNC": "vfs_fsync_range",
             "OPEN": "vfs_open", "CREATE": "vfs_create"}
VFSSTAT = ["TIME", "READ/s", "WRITE/s", "FSYNC/s", "OPEN/s", "CREATE/s"]


def ask_bpftrace(program, **words):
    for word, meant in words.items():
        program = program.replace(word, str(meant))
    return Bpftrace(program)


@contextlib.contextmanager
def killed_on_failure():
    """What is given to it ends by itself, unless something fails before."""
    with contextlib.ExitStack() as stack:
        def beside(tool):
            stack.callback(tool.kill)
            return tool

        yield beside
        stack.pop_all()


@pytest.fixture(scope="module")
def actor(folder):  # noqa: F811
    process = Actor()
    yield process
    process.end()  # before the file system that it uses is unmounted


@pytest.fixture(scope="module")
def answers(actor, disk, folder):  # noqa: F811
    """One run of the activity, seen by all: compiling and attaching take longer than that."""
    device = os.stat(disk).st_rdev
    (folder / "file").write_bytes(bytes(4096 * PAGES))
    actor.do(slow_disk.PREPARE.format(disk))
    actor.do(f"empty = os.open('{folder}/empty', os.O_RDWR | os.O_CREAT)\n"
             f"fd = os.open('{folder}/file', os.O_RDONLY)\nos.fsync(fd)\n"
             "os.posix_fadvise(fd, 0, 0, os.POSIX_FADV_DONTNEED)\nos.close(fd)")
    with killed_on_failure() as beside:
        bpftrace = beside(ask_bpftrace(DISK + PAGECACHE + VFS, PID=actor.pid,
                                       DEVICE=os.major(device) << 20 | os.minor(device)))
        biolatency = beside(Peer("biolatency", "-d", os.path.basename(disk), ready="Tracing "))
        asked = {"blk": beside(Tracing("top", "@blk", "-i", "1000")),
                 "pagecache": beside(Tracing("top", "@pagecache", "-p", actor.pid, "-i", "1000")),
                 "vfs": beside(Tracing("rate", "@vfs", "-p", actor.pid)),
                 "count": beside(Tracing("count", "fn:vfs_*", "-p", actor.pid))}
        for tool in (bpftrace, biolatency):
            tool.wait_until_ready()
        vfsstat = beside(Peer("vfsstat", "1", ready="READ/s"))  # of all processes: no start but its own
        vfsstat.wait_until_ready()
        for code in (slow_disk.WRITE, slow_disk.READ, FILES, CALL):
            actor.do(code.format(folder=folder))
        # The second that has begun is the next line; the one behind it is whole.
        lines = vfsstat.output.count("\n")
        vfsstat.wait_for(lambda output: output.count("\n") >= lines + 2)
        found = {"vfsstat": vfsstat.output}
        lines = len(asked["vfs"].until(len))
        asked["vfs"].until(lambda documents: len(documents) >= lines + 2)
        found.update({name: each.stop() for name, each in asked.items()})
        found.update(bpftrace=bpftrace.maps(), biolatency=biolatency.stop())
        vfsstat.stop()
    return found


def test_nothing_was_lost(answers):
    for name in ("blk", "pagecache", "vfs", "count"):
        end = closing(answers[name])
        assert (end["lost"], end["nested"]) == (0, 0), name


def test_disk_io_of_a_process(answers, actor):
    weir = {row["direction"]: row for row in answers["blk"][0]["rows"]
            if (row["pid"], row["disk"]) == (actor.pid, "nullb0")}
    # What the kernel writes of a request begins with its direction: RS, WS.
    requests, sectors, time = ({flags[0]: value for flags, value in answers["bpftrace"][name].items()}
                               for name in ("requests", "sectors", "time"))

    made = {"W": slow_disk.WRITES, "R": slow_disk.READS}
    assert {direction: row["requests"] for direction, row in weir.items()} == made
    # A request ends in an interrupt. Upon one that interrupts another program the kernel keeps a
    # perf event's program, as bpftrace's is, from running (trace_call_bpf), and counts no miss.
    assert all(made[direction] - 1 <= count <= made[direction] for direction, count in requests.items())
    for direction, row in weir.items():
        assert row["kbytes"] == made[direction] * slow_disk.KILOBYTES
        assert sectors[direction] * 512 / 1024 == requests[direction] * slow_disk.KILOBYTES
        # The two read the clock one after the other, at the beginning and at the end.
        reference = time[direction] / requests[direction] / 1e6
        assert row["average_ms"] == pytest.approx(reference, rel=0.2)


def test_time_of_a_disk(answers):
    disk = [row for row in answers["blk"][0]["rows"] if row["disk"] == "nullb0"]
    buckets = histogram(answers["biolatency"])
    total = 1000 * sum(row["requests"] * row["average_ms"] for row in disk)  # us

    assert sum(row["requests"] for row in disk) == sum(each["count"] for each in buckets)
    # A time lies in its bucket; one at its edge may have been seen beside it, by a clock read later.
    assert total >= 0.9 * sum(each["count"] * each["from"] for each in buckets)
    assert total <= 1.1 * sum(each["count"] * (each["to"] + 1) for each in buckets)


def test_use_of_the_page_cache(answers, actor):
    (weir,) = answers["pagecache"][0]["rows"]
    accessed, buffers, added, dirtied = (answers["bpftrace"][name] for name in
                                         ("accessed", "buffers", "added", "dirtied"))

    assert accessed >= 2 * PAGES and added >= PAGES + WRITTEN and dirtied >= WRITTEN
    assert weir["pid"] == actor.pid
    # As cachetop adds them up.
    assert weir["hits"] == accessed + buffers
    assert weir["misses"] == added + dirtied
    assert weir["dirties"] == buffers
    events = accessed + buffers + added + dirtied
    assert weir["read_hit_percent"] == pytest.approx(100 * accessed / events)
    assert weir["write_hit_percent"] == pytest.approx(100 * added / events)


def test_functions_that_are_called(answers):
    weir = {row["name"]: row["count"] for row in answers["count"][0]["counts"]}

    assert weir == answers["bpftrace"]["calls"]
    assert weir["vfs_create"] == CALLS["CREATE"] and weir["vfs_fsync_range"] == CALLS["FSYNC"]
    assert weir["vfs_read"] >= CALLS["READ"] + 2 * PAGES


def test_calls_of_file_systems(answers):
    weir = {name: sum(round(line["per_second"][name] * line["seconds"])
                      for line in answers["vfs"][:-1]) for name in FUNCTIONS}
    vfsstat = {name: sum(int(line[f"{name}/s"]) for line in rows(answers["vfsstat"], VFSSTAT))
               for name in FUNCTIONS}

    assert weir == {name: answers["bpftrace"]["calls"][function]
                    for name, function in FUNCTIONS.items()}
    assert vfsstat["CREATE"] == weir["CREATE"]
    # vfsstat knows no process: a few calls a second are of others. Its FSYNC is vfs_fsync(), which
    # fsync(2) does not call where the compiler put that function into its caller.
    for name in ("READ", "WRITE", "OPEN"):
        assert weir[name] <= vfsstat[name] <= 1.3 * weir[name], name
    assert vfsstat["FSYNC"] in (0, weir["FSYNC"])


# --- memory -------------------------------------------------------------------------------------

MEMORY = """
uprobe:LIBRARY:malloc /pid == PID/ { @malloc[tid] = arg0; }
uprobe:LIBRARY:calloc /pid == PID/ { @calloc[tid] = arg0 * arg1; }
uprobe:LIBRARY:realloc /pid == PID/ { @realloc[tid] = arg1; delete(@user[arg0]); }
uprobe:LIBRARY:free /pid == PID/ { delete(@user[arg0]); }
uretprobe:LIBRARY:malloc /@malloc[tid]/ { @user[retval] = @malloc[tid]; delete(@malloc[tid]); }
uretprobe:LIBRARY:calloc /@calloc[tid]/ { @user[retval] = @calloc[tid]; delete(@calloc[tid]); }
uretprobe:LIBRARY:realloc /@realloc[tid]/ { @user[retval] = @realloc[tid]; delete(@realloc[tid]); }
tracepoint:kmem:kmalloc /pid == PID/ { @kernel[args->ptr] = args->bytes_alloc; }
tracepoint:kmem:kmem_cache_alloc /pid == PID/ { @kernel[args->ptr] = args->bytes_alloc; }
tracepoint:kmem:kfree { delete(@kernel[args->ptr]); }
tracepoint:kmem:kmem_cache_free { delete(@kernel[args->ptr]); }
"""

PREPARE = """
import ctypes, fcntl
libc = ctypes.CDLL(None)
libc.malloc.restype = libc.calloc.restype = libc.realloc.restype = ctypes.c_void_p
libc.free.argtypes = [ctypes.c_void_p]
libc.realloc.argtypes = [ctypes.c_void_p, ctypes.c_size_t]
lost, pipes = [], []
"""
LOST = {12345: 7, 32100: 3, 65432: 2}  # octets: how often
LOSE = """
for _ in range(7): lost.append(libc.malloc(12345))
for _ in range(5): libc.free(libc.malloc(12345))
for _ in range(3): lost.append(libc.calloc(100, 321))
for _ in range(2): lost.append(libc.realloc(libc.malloc(54321), 65432))
"""
# A pipe of 1 MiB has a ring of 256 entries of 40 octets: it takes 16 KiB of the kernel.
PIPES, RING = 20, 16384
KEEP = f"""
def large():
    ends = os.pipe()
    fcntl.fcntl(ends[1], fcntl.F_SETPIPE_SZ, 1 << 20)
    return ends
for _ in range({PIPES}): pipes.append(large())
for _ in range(5):
    for end in large(): os.close(end)
"""


@pytest.fixture(scope="module")
def leaks(actor):
    actor.do(PREPARE)
    maps = pathlib.Path(f"/proc/{actor.pid}/maps").read_text(encoding="utf-8").splitlines()
    library = next(line.split()[-1] for line in maps if "/libc.so" in line)
    with killed_on_failure() as beside:
        bpftrace = beside(ask_bpftrace(MEMORY, PID=actor.pid, LIBRARY=library))
        asked = {name: beside(Tracing("leaks", f"@{name}", "-p", actor.pid))
                 for name in ("malloc", "kmalloc")}
        bpftrace.wait_until_ready()
        actor.do(LOSE)
        actor.do(KEEP)
        found = {name: each.stop() for name, each in asked.items()}
        found["bpftrace"] = bpftrace.maps()
    return found


def same_memory(documents, sizes):
    """The octets and allocations of both; a stack may have allocations of several sizes."""
    found = documents[0]["leaks"]
    assert closing(documents)["lost"] == 0
    assert (sum(leak["octets"] for leak in found), sum(leak["allocations"] for leak in found)) == \
        (sum(sizes), len(sizes))


def test_memory_that_a_process_loses(leaks):
    sizes = list(leaks["bpftrace"]["user"].values())

    same_memory(leaks["malloc"], sizes)
    assert {size: sizes.count(size) for size in LOST} == LOST


def test_memory_that_the_kernel_keeps(leaks):
    sizes = list(leaks["bpftrace"]["kernel"].values())

    same_memory(leaks["kmalloc"], sizes)
    assert sizes.count(RING) == PIPES
