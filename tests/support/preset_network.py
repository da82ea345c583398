"""Presets of the network path, with known traffic between two namespaces, and exact figures. The
same tests run on this machine's kernel (tests/netns) and on those of virtual machines (tests/vm)."""

import ast
import json
import os
import platform
import subprocess

import pytest

from pair import CPU, FAR, HOLD, NEAR, UDP, Journeys, Pair, listen
from tracing import Tracing, closing, events
from waiting import PAUSE, until

# What a time may be off by: whole microseconds are counted, and the filter has units of 64 ns.
CLOCKS_US = 10
VERSION = tuple(int(part) for part in platform.release().split(".")[:2])


@pytest.fixture(scope="module")
def cable():
    there = Pair()
    yield there
    there.down()


def clear(cable):
    cable.end_actors()
    for side in ("near", "far"):
        subprocess.run(["ip", "netns", "exec", cable.namespaces[side], "tc", "qdisc", "del", "dev",
                        f"{side}0", "root"], stderr=subprocess.DEVNULL)
        cable.on(side, "nft", "flush", "ruleset")


@pytest.fixture
def pair(cable):
    yield cable
    clear(cable)


def values(documents):
    return [each["values"] for each in events(documents)]


def test_the_time_from_the_stack_to_the_process(pair):
    near, far = pair.actor("near"), pair.actor("far")
    far.do(listen(7001))
    near.do(f"s = socket.create_connection(('{FAR}', 7001))")
    far.do(PAUSE + "import json, select\na = l.accept()[0]")
    hist = Tracing("hist", "@rxlat", "--where", "dport == 7001", "--by", "pid, ifindex")
    least, most = 0, 0
    for _ in range(5):
        sent = int(near.ask("print(time.monotonic_ns())\ns.sendall(b'?')"))
        there, called, read = json.loads(far.ask(
            "select.select([a], [], [])\nthere = time.monotonic_ns()\npause(40)\n"
            "called = time.monotonic_ns()\na.recv(10)\n"
            "print(json.dumps([there, called, time.monotonic_ns()]))"))
        least += (called - there) // 1000 - 1  # a part of a us less, which the sum has not
        most += (read - sent) / 1000

    documents = hist.stop()

    (histogram,) = documents[0]["histograms"]
    index = int(pair.on("far", "cat", "/sys/class/net/far0/ifindex"))
    assert histogram["keys"] == {"pid": far.pid, "ifindex": index}
    assert histogram["events"] == 5
    assert 5 * 39_999 <= least <= histogram["sum"] <= most  # us
    assert histogram["slots"][0]["from"] >= 32_768
    assert closing(documents)["lost"] == 0


def test_the_time_from_the_stack_to_the_driver(pair):
    # 10 packets of 1,000 octets at 80,000 octets a second: the first has the bucket's 2,000 octets.
    pair.on("near", "tc", "qdisc", "add", "dev", "near0", "root", "tbf", "rate", "640kbit",
            "burst", "2000", "limit", "100000")
    journeys = Journeys(pair, 7002)
    hist = Tracing("hist", "@txlat", "--where", "dport == 7002", "--by", "dev, pid")
    journeys.send(10, 958)
    most, least = journeys.us_until(10), journeys.us_in_a_bucket(1000, 80_000, 2000)

    documents = hist.stop()
    (histogram,) = documents[0]["histograms"]

    assert histogram["keys"] == {"dev": "near0", "pid": journeys.near.pid}
    assert histogram["events"] == 10, documents[-1]
    # 12.5 ms each behind the second: 0 0 12.5 25 … 100, less what the sender takes
    assert sum(least) - 10 * CLOCKS_US <= histogram["sum"] <= most
    assert histogram["slots"][-1]["to"] >= max(least) - CLOCKS_US


def test_packets_of_a_qdisc(pair):
    # Two of 1,000 octets go at once, three wait in the bucket filter, the others find no room there.
    pair.on("near", "tc", "qdisc", "add", "dev", "near0", "root", "handle", "7:", "tbf", "rate",
            "640kbit", "burst", "2000", "limit", "3000")
    journeys = Journeys(pair, 7002)
    top = Tracing("top", "@qdisc", "-i", "1000")
    sent = journeys.send_until_refused(5, 958)
    most, least = journeys.us_until(sent), journeys.us_in_a_bucket(1000, 80_000, 2000)

    rows = [row for row in top.stop()[0]["rows"] if row["dev"] == "near0"]

    (tbf,) = [row for row in rows if row["qdisc"] == "tbf"]
    counted = pair.on("near", "tc", "-s", "qdisc", "show", "dev", "near0")
    assert f"Sent {sent * 1000} bytes {sent} pkt (dropped 5," in counted
    assert (tbf["handle"], tbf["parent"], tbf["queue"]) == ("7:", "root", 0)
    assert (tbf["sent"], tbf["dropped"]) == (sent, 5)
    assert (tbf["queued"], tbf["octets"]) == (sent, 1000 * sent)
    assert sum(least) - sent * CLOCKS_US <= tbf["average_us"] * sent <= most


def test_a_segment_that_is_sent_again(pair):
    near, far = pair.actor("near"), pair.actor("far")
    pair.on("far", "nft", "add table t; add chain t i { type filter hook input priority 0; };"
            "add rule t i tcp dport 7003 drop")
    trace = Tracing("trace", "@retrans", "--where", "dport == 7003", "-n", 1)
    # The SYN goes again a second later (RFC 6298, 2.1), from a timer of the CPU that is held then.
    near.do(HOLD + PAUSE + "s = socket.socket()\ns.setblocking(False)\n"
            f"hold()\ns.connect_ex(('{FAR}', 7003))\nlet_go()\npause(700)\nhold()\n"
            "while s.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 3)[2] == 0: pass\n"  # tcpi_retransmits
            "let_go()")

    documents = trace.wait()

    (again,) = values(documents)
    assert again.pop("sport") > 0
    assert again == {"saddr": NEAR, "daddr": FAR, "dport": 7003, "state": "SYN_SENT",
                     "congestion": "loss", "timeouts": 1, "cwnd": 1, "octets": 0}


def test_resets_of_both_directions(pair):
    near, far = pair.actor("near"), pair.actor("far")
    trace = Tracing("trace", "@resets", "--where", " || ".join(
        f"{end} == {port}" for end in ("sport", "dport") for port in (7004, 7005)))
    near.do("s = socket.socket()\n"
            f"assert s.connect_ex(('{FAR}', 7004)) == 111\nport = s.getsockname()")  # ECONNREFUSED

    far.do(listen(7005))
    near.do(f"s = socket.create_connection(('{FAR}', 7005))\n"
            "s.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, bytes([1, 0, 0, 0, 0, 0, 0, 0]))\n"
            "s.close()")
    far.do("a = l.accept()[0]\ntry: a.recv(1)\nexcept ConnectionResetError: pass\na.close()")

    documents = trace.stop()

    seen = values(documents)
    refused = [each for each in seen if each["sport"] == 7004]
    aborted = [each for each in seen if each["dport"] == 7005]
    # The kernel tells of one that it sent after it was sent: over this cable, received.
    assert {(each["reset"], each["saddr"], each["daddr"]) for each in refused} == \
        {("sent", FAR, NEAR), ("received", FAR, NEAR)}
    assert {(each["reset"], each["saddr"], each["daddr"]) for each in aborted} == \
        {("sent", NEAR, FAR), ("received", NEAR, FAR)}
    assert len({each["dport"] for each in refused}) == len({each["sport"] for each in aborted}) == 1
    states = {(each["reset"], each["state"]) for each in refused + aborted}
    assert ("received", "SYN_SENT") in states and ("received", "ESTABLISHED") in states
    if VERSION >= (6, 12):
        assert {each["reason"] for each in refused} == {"SK_RST_REASON_NO_SOCKET", "-"}
    assert len(seen) == 4


def test_connections_with_process_octets_and_duration(pair):
    near, far = pair.actor("near"), pair.actor("far")
    far.do(listen(7006))
    trace = Tracing("trace", "@conns")
    near.do(f"s = socket.create_connection(('{FAR}', 7006))\ns.sendall(b'q' * 1000)")
    far.do("a = l.accept()[0]\nassert len(a.recv(1000, socket.MSG_WAITALL)) == 1000\n"
           "a.sendall(b'r' * 50)")
    near.do(PAUSE + "assert len(s.recv(50, socket.MSG_WAITALL)) == 50\npause(30)\ns.close()")
    far.do("assert a.recv(1) == b''\na.close()\nl.close()")

    documents = trace.stop()

    # Of the whole machine.
    active, passive = sorted((each for each in values(documents)
                              if {each["saddr"], each["daddr"]} == {NEAR, FAR}),
                             key=lambda each: each["open"])
    port, active_ms, passive_ms = active.pop("sport"), active.pop("ms"), passive.pop("ms")
    assert active == {"pid": near.pid, "comm": "python3", "open": "active", "saddr": NEAR,
                      "daddr": FAR, "dport": 7006, "sent": 1000, "received": 50}
    assert passive == {"pid": far.pid, "comm": "python3", "open": "passive", "saddr": FAR,
                       "sport": 7006, "daddr": NEAR, "dport": port, "sent": 50, "received": 1000}
    assert active_ms >= 30 and passive_ms >= 30


def test_connections_of_a_process(pair):
    near, far = pair.actor("near"), pair.actor("far")
    far.do(listen(7007))
    trace = Tracing("trace", "@conns", "--pid", far.pid, text=True)
    near.do(f"s = socket.create_connection(('{FAR}', 7007))\ns.close()")
    far.do("a = l.accept()[0]\na.close()\nl.close()")

    lines = trace.stop().splitlines()

    assert lines[0].split() == ["TIME", "PID", "COMM", "OPEN", "SADDR", "SPORT", "DADDR", "DPORT",
                                "SENT", "RECEIVED", "MS"]
    assert lines[1].split()[1:6] == [str(far.pid), "python3", "passive", FAR, "7007"]
    assert lines[2] == ""


ABORTING = """
#include <linux/bpf.h>
#include <linux/if_ether.h>
#include <linux/ip.h>
#include <linux/udp.h>
#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

SEC("xdp")
int aborting(struct xdp_md *ctx)
{
	void *data = (void *)(long)ctx->data, *end = (void *)(long)ctx->data_end;
	struct iphdr *ip = data + sizeof(struct ethhdr);
	struct udphdr *udp = (void *)(ip + 1);

	if ((void *)(udp + 1) > end || ip->protocol != 17)
		return XDP_PASS;
	switch (bpf_ntohs(udp->dest)) {
	case 7101:
		return XDP_ABORTED;
	case 7102:
		return 77;
	case 7103:
		return bpf_redirect(4444444, 0);
	case 7104:
		return XDP_DROP;
	}
	return XDP_PASS;
}
char _license[] SEC("license") = "GPL";
"""


@pytest.fixture(scope="module")
def aborting_object(tmp_path_factory):
    folder = tmp_path_factory.mktemp("xdp")
    (folder / "aborting.c").write_text(ABORTING)
    subprocess.run(["clang", "-O2", "-g", "-target", "bpf", "-I/usr/include/x86_64-linux-gnu", "-c",
                    folder / "aborting.c", "-o", folder / "aborting.o"], check=True)
    return folder / "aborting.o"


@pytest.fixture
def aborting(pair, aborting_object):
    """An XDP program on far0 that loses packets by their port."""
    pair.on("far", "ip", "link", "set", "far0", "xdpdrv", "obj", aborting_object, "sec", "xdp")
    yield
    pair.on("far", "ip", "link", "set", "far0", "xdpdrv", "off")


def test_what_xdp_programs_lose(pair, aborting):
    near = pair.actor("near")
    top = Tracing("top", "@xdperr", "-i", "1000")
    near.do(UDP + f"for n in range(1, 5):\n    for _ in range(n): s.sendto(b'?', ('{FAR}', 7100 + n))")

    rows = [row for row in top.stop()[0]["rows"] if row["dev"] == "far0"]

    ids = {row.pop("id") for row in rows}
    assert len(ids) == 1
    assert [(row["where"], row["action"], row["error"], row["to"], row["packets"])
            for row in rows] == [("redirect", "REDIRECT", "EINVAL", "ifindex 4444444", 3),
                                 ("exception", "77 (unknown)", "-", "-", 2),
                                 ("exception", "ABORTED", "-", "-", 1)]
    assert {row["program"] for row in rows} == {"aborting"}


def received(pair):
    return int(pair.on("far", "cat", "/sys/class/net/far0/statistics/rx_packets"))


def test_runs_of_programs_and_their_place(pair, aborting):
    near = pair.actor("near")
    progs = Tracing("top", "@progs", "-i", "1000", netns=pair.namespaces["far"])
    costs = Tracing("top", "@pathcost", "-i", "1000")
    before = received(pair)
    near.do(UDP)
    for sent in (100, 200, 300):  # a veth device queues 256 for its XDP program, and drops the rest
        near.do(f"for n in range(100): s.sendto(b'?', ('{FAR}', 7104 + n % 3))")
        until(lambda: received(pair) >= before + sent, f"far0 did not receive {sent} packets")

    (row,) = [row for row in progs.stop()[0]["rows"] if row["name"] == "aborting"]
    rows = costs.stop()[0]["rows"]

    assert row["runs"] == 300
    assert (row["type"], row["attached"]) == ("xdp", "far0 xdp")
    assert row["ns_per_run"] > 0 and row["cpu_percent"] > 0
    (cost,) = [each for each in rows if each["path"] == "xdp aborting"]
    assert (cost["packets"], cost["id"]) == (300, row["id"])
    assert abs(cost["ns_per_packet"] - row["ns_per_run"]) < 0.01
    (rest,) = [each for each in rows if each["path"] == "driver and stack"]
    assert rest["ns_per_packet"] > cost["ns_per_packet"]


def softirqs(text):
    """Counts of /proc/softirqs, by CPU and name."""
    heads, *lines = text.splitlines()
    cpus = [int(word[3:]) for word in heads.split()]
    return {(cpu, name.rstrip(":")): int(count) for name, *counts in map(str.split, lines)
            for cpu, count in zip(cpus, counts)}


def test_softirqs_as_the_kernel_counts_them(pair):
    near = pair.actor("near")
    near.do(UDP + HOLD + "def softirqs():\n    with open('/proc/softirqs') as file: return file.read()")
    outer = near.ask("print(repr(softirqs()))")
    top = Tracing("top", "@softirq", "-i", "1000", "--rows", 0)
    inner, done = ast.literal_eval(near.ask(
        f"hold()\ninner = softirqs()\nfor _ in range(200): s.sendto(b'?', ('{FAR}', 7008))\n"
        "done = softirqs()\nlet_go()\nprint((inner, done))"))

    rows = top.stop()[0]["rows"]

    after = near.ask("print(repr(softirqs()))")
    outer, after = (softirqs(ast.literal_eval(text)) for text in (outer, after))
    inner, done = softirqs(inner), softirqs(done)
    counts = {(row["cpu"], row["vector"]): row["count"] for row in rows}
    assert done[CPU, "NET_RX"] > inner[CPU, "NET_RX"]
    # The one that ran when a count was read may stand on either side.
    for key, count in counts.items():
        assert count <= after[key] - outer[key] + 1, key
    for key in done:
        if key[0] == CPU:
            assert counts.get(key, 0) >= done[key] - inner[key] - 1, key
    for row in rows:
        assert abs(row["time_ms"] * 1000 - row["count"] * row["average_us"]) < row["count"] + 1


def processed():
    with open("/proc/net/softnet_stat") as file:
        return sum(int(line.split()[0], 16) for line in file)


def test_the_backlog_of_each_cpu(pair):
    near = pair.actor("near")
    outer = processed()
    top = Tracing("top", "@backlog", "-i", "1000")
    inner = processed()
    near.do(UDP + f"for _ in range(400): s.sendto(b'?', ('{FAR}', 7009))")
    done = processed()

    rows = top.stop()[0]["rows"]

    after = processed()
    assert [row["cpu"] for row in sorted(rows, key=lambda row: row["cpu"])] == \
        list(range(os.cpu_count()))
    assert done - inner <= sum(row["processed"] for row in rows) <= after - outer
    # Over this cable, which has no NAPI, packets go by the backlog.
    assert sum(row["queued"] for row in rows) >= 400
    assert all(row["average_us"] > 0 for row in rows if row["queued"])
