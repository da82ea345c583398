"""`weir path` and `weir why`: a packet is followed through the kernel, from namespace to namespace."""

import platform

import pytest

from lab import backend
from tracing import Tracing, closing

SERVER = backend(1)
# Debian's 6.1 is built without CONFIG_FPROBE.
HAS_MULTI = tuple(int(part) for part in platform.release().split(".")[:2]) >= (6, 12)
READER = f"""
import socket
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.bind(("{SERVER}", 53))
print("ready", flush=True)
while True: s.recv(100)
"""


def send(lab, address=SERVER, port=53):
    """One datagram of five octets from the client."""
    lab.exec("client", "bash", "-c", f"echo -n hello >/dev/udp/{address}/{port}")


def ask(lab, verb, words, do):
    """The document of the packet that `do` sends."""
    asking = Tracing(verb, words, "-d", 60)
    do()
    return asking.wait()[0]


def seen(document):
    return [(hop["netns"].removeprefix("weir-"), hop["device"], hop["stage"])
            for hop in document["hops"]]


@pytest.fixture
def settled(network):
    """Neighbours know each other, so that a first packet does not wait for an answer to ARP."""
    lab = network
    send(lab, port=9)
    yield lab
    lab.stop_processes()


def test_a_datagram_from_the_sender_to_the_process_that_reads_it(settled):
    lab = settled
    lab.start("be1", "/usr/bin/python3", "-c", READER)

    document = ask(lab, "path", f"ip daddr {SERVER} udp dport 53", lambda: send(lab))

    assert document["packet"].endswith(f"> {SERVER}:53")
    assert document["octets"] == 33  # 20 IP + 8 UDP + 5
    hops = seen(document)
    of = {node: [stage for netns, _, stage in hops if netns == f"{lab.name}-{node}"]
          for node in ("client", "rt", "be1")}
    assert of["client"][-2:] == ["queue", "driver"]
    assert [stage for stage in of["rt"] if stage in ("ip", "route", "forward", "output")] == [
        "ip", "route", "forward", "output"]
    assert of["be1"] == ["receive", "receive", "ip", "route", "local", "transport", "socket",
                         "freed"]
    times = [hop["us"] for hop in document["hops"]]
    assert times == sorted(times) and times[0] == 0


def test_a_delay_is_where_it_is_made(settled):
    lab = settled
    lab.exec("rt", "tc", "qdisc", "add", "dev", "be1", "root", "netem", "delay", "30ms")

    document = ask(lab, "path", f"ip daddr {SERVER} udp dport 53", lambda: send(lab))

    lab.exec("rt", "tc", "qdisc", "del", "dev", "be1", "root")
    steps = [(after["us"] - before["us"], before["device"], before["stage"], after["stage"])
             for before, after in zip(document["hops"], document["hops"][1:])]
    assert max(steps)[1:] == ("be1", "queue", "driver")
    assert max(steps)[0] >= 30_000


def why(lab, words, do):
    document = ask(lab, "why", words, do)
    return document["fate"], document["sentence"]


def test_the_reverse_path_filter(settled):
    lab = settled
    conf = "net.ipv4.conf"
    lab.exec("client", "ip", "address", "add", "192.0.2.77/32", "dev", "lo")
    lab.exec("rt", "sysctl", "-qw", f"{conf}.all.rp_filter=1")

    fate, sentence = why(lab, "ip saddr 192.0.2.77", lambda: lab.exec(
        "client", "/usr/bin/python3", "-c", "import socket\n"
        "s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); s.bind(('192.0.2.77', 0))\n"
        f"s.sendto(b'?', ('{SERVER}', 53))"))

    lab.exec("rt", "sysctl", "-qw", f"{conf}.all.rp_filter=0")
    lab.exec("client", "ip", "address", "del", "192.0.2.77/32", "dev", "lo")
    assert fate == "dropped"
    assert ("the reverse path filter: the route back to 192.0.2.77 is not through client; add the route "
            "back, or set net.ipv4.conf.client.rp_filter to 2") in sentence


def test_a_translated_packet_is_the_same_packet(settled):
    lab = settled
    lab.exec("rt", "nft", "-f", "-", input="table ip n {\n chain c {\n"
             f"  type nat hook prerouting priority -100;\n  udp dport 1053 dnat to {SERVER}:54\n }}\n}}\n")

    document = ask(lab, "why", "udp dport 1053", lambda: send(lab, "10.0.0.1", 1053))

    lab.exec("rt", "nft", "delete", "table", "ip", "n")
    assert document["packet"].endswith("> 10.0.0.1:1053")
    assert document["hops"][-1]["packet"].endswith(f"> {SERVER}:54")
    assert document["hops"][-1]["netns"] == f"{lab.name}-be1"
    assert "nothing listens on udp 10.0.2.2:54" in document["sentence"]


def test_a_tunnel_packs_it_in_and_out(settled):
    lab = settled
    lab.exec("rt", "ip", "tunnel", "add", "t0", "mode", "ipip", "local", "10.0.2.254", "remote", SERVER)
    lab.exec("rt", "ip", "link", "set", "t0", "up")
    lab.exec("rt", "ip", "route", "add", "203.0.113.99", "dev", "t0")
    lab.exec("be1", "ip", "tunnel", "add", "t1", "mode", "ipip", "local", SERVER)
    lab.exec("be1", "ip", "link", "set", "t1", "up")
    lab.exec("be1", "ip", "address", "add", "203.0.113.99/32", "dev", "lo")

    document = ask(lab, "why", "ip daddr 203.0.113.99", lambda: send(lab, "203.0.113.99", 54))

    for node, name in (("rt", "t0"), ("be1", "t1")):
        lab.exec(node, "ip", "tunnel", "del", name)
    lab.exec("be1", "ip", "address", "del", "203.0.113.99/32", "dev", "lo")
    packets = [hop["packet"] for hop in document["hops"] if "packet" in hop]
    assert f"ipip 10.0.2.254 > {SERVER}" in packets
    assert packets[-1].endswith("> 203.0.113.99:54")
    assert document["hops"][-1]["netns"] == f"{lab.name}-be1"
    assert "nothing listens on udp 203.0.113.99:54" in document["sentence"]


def test_a_flow_of_which_nothing_comes():
    documents = Tracing("why", "udp dport 5999", "-d", 1).wait()

    assert documents[0]["fate"] == "not seen"
    assert "no packet of it was seen in 1 s" in documents[0]["sentence"]
    end = closing(documents)
    assert end["not_probed"] == []
    ways = end["backends"]
    # Of the functions' entries there are many; a link at their returns would not see the packet.
    assert ways.get("kprobe.multi", 0) == (19 if HAS_MULTI else 0)
    assert ways["fentry"] >= (2 if HAS_MULTI else 21) and ways["raw_tp"] == 8
