"""Disks that take one request at a time, and 5 ms for it."""

import subprocess

import pytest

REQUEST_MS = 5


@pytest.fixture(scope="module")
def disks():
    """Two of 256 MB of memory: what is written to the one is not seen at the other."""
    subprocess.run(["modprobe", "null_blk", "nr_devices=2", "gb=1", "memory_backed=1", "irqmode=2",
                    f"completion_nsec={REQUEST_MS * 1_000_000}", "hw_queue_depth=1",
                    "submit_queues=1"], check=True)
    yield "/dev/nullb0", "/dev/nullb1"
    subprocess.run(["modprobe", "-r", "null_blk"], check=True)


@pytest.fixture(scope="module")
def disk(disks):
    """Without a file system."""
    return disks[0]


@pytest.fixture(scope="module")
def folder(disks, tmp_path_factory):
    there = tmp_path_factory.mktemp("disk")
    subprocess.run(["mkfs.ext4", "-q", "-O", "^has_journal", disks[1], "65536"], check=True)
    subprocess.run(["mount", "-o", "noatime", disks[1], there], check=True)
    yield there
    subprocess.run(["umount", there], check=True)


PREPARE = """
import mmap
block = mmap.mmap(-1, 16384)
disk = os.open('{}', os.O_RDWR | os.O_DIRECT)
def write(at):
    for n in range(3): os.pwrite(disk, block, (at * 3 + n) * 16384)
threads = [threading.Thread(target=write, args=(n,)) for n in range(4)]
"""
# While one request is at work the others wait, and are issued by a thread of the kernel.
WRITE, WRITES = "for each in threads: each.start()\nfor each in threads: each.join()", 12
READ, READS = "for n in range(8): os.preadv(disk, [block], n * 16384)", 8
KILOBYTES = 16  # of a request
