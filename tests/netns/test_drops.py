"""Where packets are lost: each cause with its exact figure, and a ledger that balances."""

import os
import subprocess
import threading

import pytest

from drop_lab import (BINARY, CLOSED, FILTERED, HERE, OPEN, RULE, THERE, VIP, DropLab,
                      NamespacedActor, assert_balanced, causes, lose_in_each_way,
                      make_a_small_socket, send, stage)
from tracing import Tracing, closing


@pytest.fixture(scope="module")
def lab():
    there = DropLab(f"/sys/fs/bpf/weir-drops-{os.getpid()}")
    yield there
    there.close()


def test_the_ledger_of_an_interface_balances(lab):
    make_a_small_socket(lab)
    # 1 kbit/s: the first packets leave by the burst, some wait, all others are dropped.
    lab.queue("tbf", "rate", "1kbit", "burst", "2000", "limit", "3000")
    trace = lab.drops("--ledger", "near")
    lost = lose_in_each_way(lab)

    documents = trace.stop()

    queue = lab.queue_counters()
    lab.no_queue()
    assert lost.queue > 0
    assert_balanced(documents[0]["ledger"], lost, queue)
    end = closing(documents)
    assert (end["lost"], end["nested"], end["not_probed"]) == (0, 0, [])


def test_the_ledger_as_text(lab):
    trace = lab.drops("--ledger", "near", text=True)
    lab.far.do(send(3, RULE) + "\n" + send(2, CLOSED))

    lines = [line.split() for line in trace.stop().splitlines()]

    assert ["received", "driver", "5", "5", "0", "ip", "-s", "link"] in lines
    assert ["xdp", "5", "2", "3", "Weir's", "counters"] in lines
    assert ["3", "rule", "1", "udp", "dport", str(RULE), "drop", "Weir's", "counters"] in lines
    assert ["2", "NO_SOCKET", "__udp4_lib_rcv", "skb:kfree_skb"] in lines
    assert ["lost:", "5", "with", "a", "cause,", "0", "unexplained"] in lines


def test_each_interval_has_a_ledger_of_its_own(lab):
    trace = lab.drops("--ledger", "near", "-i", "0.2")

    def lost(documents):
        return sum(each["ledger"]["lost"] for each in documents if "ledger" in each)
    lab.far.do(send(5, CLOSED))
    first = trace.until(lambda documents: lost(documents) >= 5)
    lab.far.do(send(2, RULE))

    documents = trace.stop()

    assert (lost(first), lost(documents[len(first):])) == (5, 2)
    assert {each["ledger"]["unexplained"] for each in documents if "ledger" in each} == {0}


def test_the_table_has_weirs_drops_beside_the_kernels(lab):
    trace = lab.drops("near", "-d", 60)
    lab.far.do(send(11, RULE) + "\n" + send(7, FILTERED) + "\n" + send(5, CLOSED))

    table = trace.stop()[0]

    rows = [(each["packets"], each["reason"], each["function"], each["device"])
            for each in table["drops"]]
    assert rows == [(11, f"rule 1: udp dport {RULE} drop", "weir/xdp", "near"),
                    (7, "NETFILTER_DROP", "nft_do_chain", "near"),
                    (5, "NO_SOCKET", "__udp4_lib_rcv", "near")]
    assert table["packets"] == 23


def test_drops_of_weir_in_tc_are_told_once(lab):
    lab.weir("detach", "near")
    lab.weir("attach", "near", "--hook", "tc-ingress")
    try:
        table, ledger = lab.drops("near", "-d", 60), lab.drops("--ledger", "near")
        lab.far.do(send(11, RULE) + "\n" + send(5, CLOSED))

        rows = [(each["packets"], each["function"]) for each in table.stop()[0]["drops"]]
        books = ledger.stop()[0]["ledger"]

        assert rows == [(11, "weir/tc-ingress"), (5, "__udp4_lib_rcv")]
        assert causes(books, "received", "tc-ingress") == {"rule 1": 11}
        assert (books["lost"], books["unexplained"]) == (16, 0)
    finally:
        lab.weir("detach", "near")
        lab.weir("attach", "near")


def test_drops_of_generic_xdp_are_told_once(lab):
    lab.weir("detach", "near")
    lab.weir("attach", "near", "--mode", "generic")
    try:
        table, ledger = lab.drops("near", "-d", 60), lab.drops("--ledger", "near")
        lab.far.do(send(11, RULE) + "\n" + send(5, CLOSED))

        rows = [(each["packets"], each["function"]) for each in table.stop()[0]["drops"]]
        books = ledger.stop()[0]["ledger"]

        assert rows == [(11, "weir/xdp"), (5, "__udp4_lib_rcv")]
        assert causes(books, "received", "xdp") == {"rule 1": 11}
        assert (books["lost"], books["unexplained"]) == (16, 0)
    finally:
        lab.weir("detach", "near")
        lab.weir("attach", "near")


def test_both_ends_of_a_cable_balance_under_load(lab):
    """More than the receiver's ring has room for, from several senders: some or none are lost there."""
    lab.within(lab.neighbour, "ethtool", "-K", "far", "tx-udp-segmentation", "off")
    senders = [NamespacedActor(lab.neighbour) for _ in range(3)]
    times, segments = 500, 60
    before = lab.ended()
    near = lab.drops("--ledger", "near")
    far = Tracing("--pins", f"{lab.pins}-none", "drops", "--ledger", "far", netns=lab.neighbour)
    flood = ("s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)\n"
             "s.setsockopt(socket.IPPROTO_UDP, 103, 20)\n"  # UDP_SEGMENT, 20 octets each
             f"for _ in range({times}): s.sendto(b'x' * 20 * {segments}, ('{HERE}', {FILTERED}))")
    all_sent = len(senders) * times * segments
    threads = [threading.Thread(target=each.do, args=(flood,)) for each in senders]
    with lab.receiving_in_a_thread():
        for each in threads:
            each.start()
        for each in threads:
            each.join()
        lab.wait_until_ended(before + all_sent)

    received, sent = near.stop()[0]["ledger"], far.stop()[0]["ledger"]

    for each in senders:
        each.end()
    assert received["lost"] == all_sent, (received, sent)
    assert (received["unexplained"], sent["unexplained"]) == (0, 0)
    at_near, at_far = stage(received, "received", "driver"), stage(sent, "sent", "driver")
    assert (at_near["in"], at_near["dropped"]) == (all_sent, at_far["dropped"])
    assert at_far["in"] == all_sent


STRANGER = """
__attribute__((section("xdp"), used)) int stranger(void *ctx) { return 0; } /* XDP_ABORTED */
char terms[] __attribute__((section("license"), used)) = "GPL";
"""


@pytest.mark.parametrize("mode", ["xdpdrv", "xdpgeneric"])
def test_packets_that_a_strangers_program_aborts(lab, tmp_path, mode):
    program = tmp_path / "stranger.o"
    subprocess.run(["clang", "-O2", "-g", "-target", "bpf", "-x", "c", "-", "-c", "-o", program],
                   input=STRANGER, text=True, check=True)
    lab.weir("detach", "near")
    lab.within(lab.node, "ip", "link", "set", "near", mode, "obj", str(program), "sec", "xdp")
    try:
        table, ledger = lab.drops("near", "-d", 60), lab.drops("--ledger", "near")
        lab.far.do(send(8, OPEN))

        (row,) = table.stop()[0]["drops"]
        books = ledger.stop()[0]["ledger"]

        assert row == {"packets": 8, "reason": "XDP_ABORTED",
                       "function": "xdp_exception by stranger", "device": "near"}
        assert causes(books, "received", "xdp") == {"XDP_ABORTED": 8}
        assert (books["lost"], books["unexplained"]) == (8, 0)
    finally:
        lab.within(lab.node, "ip", "link", "set", "near", mode, "off")
        lab.weir("attach", "near")


@pytest.fixture
def by_xdp_alone(lab):
    with lab.xdp_alone():
        yield


def test_frames_that_an_interface_cannot_take(lab, by_xdp_alone):
    lab.balance_over_an_exit()
    table, ledger = lab.drops("near", "-d", 60), lab.drops("--ledger", "near")
    lab.far.do(send(9, CLOSED, to=VIP))

    (row,) = table.stop()[0]["drops"]
    books = ledger.stop()[0]["ledger"]

    assert row == {"packets": 9, "reason": "EOPNOTSUPP", "function": "xdp_redirect_err to exit",
                   "device": "near"}
    redirect = stage(books, "received", "redirect")
    assert (redirect["in"], redirect["on"], redirect["dropped"]) == (9, 0, 9)
    assert (books["lost"], books["unexplained"]) == (9, 0)

    lab.within(lab.neighbour, "ethtool", "-K", "away", "gro", "on")
    ledger = lab.drops("--ledger", "near")
    lab.far.do(send(9, CLOSED, to=VIP))
    books = ledger.stop()[0]["ledger"]
    redirect = stage(books, "received", "redirect")
    assert (redirect["in"], redirect["on"], redirect["dropped"]) == (9, 9, 0)
    assert (books["lost"], books["unexplained"]) == (0, 0)


def test_by_flow_and_by_stack(lab):
    trace = lab.drops("near", "-d", 60, "--where", f"dport == {CLOSED}", "--by",
                      "protocol, saddr, daddr, dport", "--stack")
    lab.far.do(send(5, CLOSED) + "\n" + send(7, FILTERED))

    (row,) = trace.stop()[0]["drops"]

    assert (row["packets"], row["reason"], row["device"]) == (5, "NO_SOCKET", "near")
    assert (row["protocol"], row["saddr"], row["daddr"], row["dport"]) == (17, THERE, HERE, CLOSED)
    assert any("ip_local_deliver" in line for line in row["stack"])


def test_a_line_for_each_packet(lab):
    trace = lab.drops("--each", "near", "-n", 5, "--where", f"dport == {CLOSED}")
    lab.far.do(send(5, CLOSED))

    lines = [each["values"] for each in trace.wait() if "values" in each]

    assert len(lines) == 5
    assert {each["reason"] for each in lines} == {"SKB_DROP_REASON_NO_SOCKET"}
    assert {each["daddr"] for each in lines} == {HERE}
    assert all("udp" in each["location"] for each in lines)


def test_drops_of_all_namespaces_say_which(lab):
    trace = lab.drops("-d", 60, "--where", f"dport == {CLOSED}")
    lab.near.do(send(4, CLOSED, to=THERE))

    (row,) = trace.stop()[0]["drops"]

    assert (row["packets"], row["device"]) == (4, f"far ({lab.neighbour})")


@pytest.mark.parametrize("words, complaint", [
    (("--ledger",), "DEV is missing"),
    (("--ledger", "near", "--where", "dport == 1"), "--where has no meaning beside it"),
    (("--each", "-i", "1"), "has no interval"),
    (("neer",), "did you mean 'near'?"),
])
def test_what_is_refused(lab, words, complaint):
    done = subprocess.run(["nsenter", f"--net=/run/netns/{lab.node}", BINARY, "drops", *words],
                          text=True, capture_output=True)
    assert done.returncode != 0
    assert complaint in done.stderr
