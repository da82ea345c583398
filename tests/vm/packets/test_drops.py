"""`weir drops` on Debian's kernels: reasons, functions and tracepoints differ, the figures do not."""

import os
import pathlib
import platform

import pytest

from drop_lab import (CLOSED, HERE, OPEN, THERE, VIP, DropLab, assert_balanced, checks,
                      lose_in_each_way, make_a_small_socket, send, stage)
from tracing import closing

# From 6.3 on a redirect asks first whether the device takes frames.
KERNEL = tuple(int(part) for part in platform.release().split(".")[:2])


@pytest.fixture(scope="module")
def lab():
    there = DropLab(f"/sys/fs/bpf/weir-drops-{os.getpid()}")
    yield there
    there.close()


def test_the_ledger_of_an_interface_balances(lab):
    make_a_small_socket(lab)
    lab.queue("netem", "limit", "4", "delay", "200s")
    trace = lab.drops("--ledger", "near")
    lost = lose_in_each_way(lab)

    documents = trace.stop()

    queue = lab.queue_counters()
    lab.no_queue()
    assert (queue["packets"], queue["qlen"]) == (0, 4)
    assert_balanced(documents[0]["ledger"], lost, queue)
    end = closing(documents)
    assert (end["lost"], end["nested"], end["not_probed"]) == (0, 0, [])


@pytest.fixture
def by_xdp_alone(lab):
    with lab.xdp_alone():
        yield


def test_loss_by_netem_and_frames_that_an_interface_cannot_take(lab, by_xdp_alone):
    lab.balance_over_an_exit()
    lab.queue("netem", "loss", "100%")
    table, ledger = lab.drops("near", "-d", 600), lab.drops("--ledger", "near")
    lab.far.do(send(9, CLOSED, to=VIP))
    lab.near.do(send(6, OPEN, to=THERE))

    rows = {each["function"]: each["packets"] for each in table.stop()[0]["drops"]}
    books = ledger.stop()[0]["ledger"]

    lab.no_queue()
    refused = "xdp_devmap_xmit to exit" if KERNEL < (6, 3) else "xdp_redirect_err to exit"
    assert rows[refused] == 9
    assert sum(rows.values()) == 15
    redirect = stage(books, "received", "redirect")
    assert (redirect["in"], redirect["on"], redirect["dropped"]) == (9, 0, 9)
    assert stage(books, "sent", "qdisc")["dropped"] == 6
    assert checks(books)["drops of qdisc netem"] == (6, 6)
    assert (books["lost"], books["unexplained"]) == (15, 0)


@pytest.fixture
def short_backlog():
    """Ten packets wait for a CPU, and no more."""
    setting = pathlib.Path("/proc/sys/net/core/netdev_max_backlog")
    before = setting.read_text()
    setting.write_text("10")
    yield
    setting.write_text(before)


def test_a_cpu_whose_backlog_is_full(lab, short_backlog):
    """Without XDP a veth queues for the CPU. A segmented datagram comes at once: some find no place."""
    lab.weir("detach", "near")
    lab.within(lab.neighbour, "ethtool", "-K", "far", "tx-udp-segmentation", "off")
    segments = 30
    ledger = lab.drops("--ledger", "near")
    lab.far.do("s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)\n"
               "s.setsockopt(socket.IPPROTO_UDP, 103, 100)\n"  # UDP_SEGMENT, 100 octets each
               f"s.sendto(b'x' * 100 * {segments}, ('{HERE}', {CLOSED}))")

    books = ledger.stop()[0]["ledger"]

    softnet = stage(books, "received", "softnet")
    arrived = stage(books, "received", "stack")["in"]
    assert 0 < arrived < segments
    assert softnet["causes"][0]["cause"] == "CPU_BACKLOG"
    assert (softnet["in"], softnet["on"], softnet["dropped"]) == \
        (segments, arrived, segments - arrived)
    dropped = (segments - arrived, segments - arrived)
    assert checks(books)["softnet_stat dropped"] == dropped
    assert checks(books)["rx_dropped, rx_nohandler"] == dropped
    assert sum(each["dropped"] for each in books["softnet"]) == segments - arrived
    assert (books["lost"], books["unexplained"]) == (segments, 0)  # nobody heard the others
