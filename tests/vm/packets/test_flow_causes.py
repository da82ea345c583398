"""`weir why`: one packet for each way in which a network loses packets, all watched by one command. Each
is known by its port."""

import re

import pytest

from lab import CLIENT, backend, backend6
from pair import JOIN
from tracing import Actor, Tracing

FIRST, SECOND = backend(1), backend(2)
NOBODY = "10.0.2.77"
FORBIDDEN = "198.51.101.1"
SEND = """
def send(port, address, size=5, ttl=64, fragment=True):
    six = ':' in address
    s = socket.socket(socket.AF_INET6 if six else socket.AF_INET, socket.SOCK_DGRAM)
    if six: s.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_UNICAST_HOPS, ttl)
    else: s.setsockopt(socket.IPPROTO_IP, socket.IP_TTL, ttl)
    if not fragment: s.setsockopt(socket.IPPROTO_IP, 10, 2)  # IP_MTU_DISCOVER, IP_PMTUDISC_DO
    s.sendto(bytes(size), (address, port))
"""
SOCKETS = f"""
import socket
import threading
def bound(port):
    s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    s.bind(("{FIRST}", port))
    return s
def read(s):
    while True: s.recv(10000)
full = bound(66)
full.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1)  # the least that there is
listener = socket.create_server(("{FIRST}", 73))
for port in (53, 81): threading.Thread(target=read, args=(bound(port),)).start()
print("ready", flush=True)
"""


@pytest.fixture(scope="module")
def client(network):
    """Sends datagrams from the lab's client."""
    actor = Actor()
    actor.do(JOIN.format(f"{network.name}-client") + SEND)
    yield lambda *words, **more: actor.do(f"send(*{words}, **{more})")
    actor.end()


def reading(lab):
    (reader,) = lab.processes
    return f"delivered: python3 ({reader.pid}) has read it"


# Port: what is said of its packet.
WANTED = {
    53: reading,
    54: f"dropped in __udp4_lib_rcv: nothing listens on udp {FIRST}:54; start the service there, or look "
        "with `ss -lntu` where it listens",
    55: "dropped in nft_do_chain: a rule of netfilter in the hook input (ip) dropped it; find the rule with "
        "`nft list ruleset`, `iptables-save` or `nft monitor trace`",
    60: "dropped in ip_forward: its TTL ended here, on its way to 10.0.2.2; look for a loop of routes, or "
        "raise the sender's TTL: `ip route get 10.0.2.2` here and at each next hop",
    61: f"dropped in ip_forward: with its 728 octets it is longer than the MTU of the way on to {SECOND}, "
        "and must not be fragmented; see that the ICMP error reaches the sender, or mend the MTU of the "
        f"interface that `ip route get {SECOND}` shows",
    62: f"dropped in ip_error: the route to {FORBIDDEN} is unreachable, prohibit or blackhole: it ends "
        f"here; see `ip route show match {FORBIDDEN}`",
    64: f"dropped in neigh_invalidate: the next hop towards {NOBODY} does not answer to ARP or ND; see "
        f"whether it is there: `ip neigh`, `ip route get {NOBODY}`",
    65: "dropped in __netif_receive_skb_core.constprop.0: a filter of tc at the ingress of eth0 dropped "
        "it; see `tc filter show dev eth0 ingress`, `bpftool net`",
    66: "dropped in udp_queue_rcv_one_skb: the socket's receive buffer is full: the process reads too "
        "slowly; make it read faster, or raise SO_RCVBUF and net.core.rmem_max",
    67: "dropped in nft_do_chain: a rule of netfilter in the hook ingress (netdev) dropped it; find the "
        "rule with `nft list ruleset`, `iptables-save` or `nft monitor trace`",
    73: "delivered: tcp_conn_request has taken it",
    81: reading,  # of several fragments
}


@pytest.fixture(scope="module")
def answers(network, client):
    """One run of `weir why`, by port."""
    lab = network
    lab.start("be1", "/usr/bin/python3", "-c", SOCKETS)
    lab.exec("rt", "ip", "route", "add", SECOND, "dev", "br0", "mtu", "lock", "600")
    lab.exec("rt", "ip", "route", "add", "unreachable", FORBIDDEN)
    lab.exec("be1", "tc", "qdisc", "add", "dev", "eth0", "clsact")
    lab.exec("be1", "tc", "filter", "add", "dev", "eth0", "ingress", "protocol", "ip", "u32", "match", "ip",
             "dport", "65", "0xffff", "action", "drop")
    lab.exec("be1", "nft", "-f", "-", input="table netdev t {\n chain c {\n"
             "  type filter hook ingress device eth0 priority 0;\n  udp dport 67 drop\n }\n}\n"
             "table ip t {\n chain c {\n  type filter hook input priority 0;\n  udp dport 55 drop\n }\n}\n")
    for _ in range(4):
        client(66, FIRST, size=500)
    asking = Tracing("why", f"ip saddr {CLIENT}", "-n", 1000, "-d", 600)
    client(64, NOBODY)
    client(60, FIRST, ttl=1)
    client(61, SECOND, size=700, fragment=False)
    client(62, FORBIDDEN)
    for port in (53, 54, 55, 65, 66, 67):
        client(port, FIRST, size=500)
    client(81, FIRST, size=4000)
    lab.exec("client", "bash", "-c", f": >/dev/tcp/{FIRST}/73")

    def ports(documents):
        sentences = {}
        for each in documents:
            if port := re.search(r":(\d+)$", each.get("packet", "")):
                sentences.setdefault(int(port[1]), each["sentence"])
        return sentences
    asking.until(lambda documents: WANTED.keys() <= ports(documents).keys())
    yield lab, ports(asking.stop())
    lab.stop_processes()
    lab.exec("be1", "tc", "qdisc", "del", "dev", "eth0", "clsact")
    lab.exec("be1", "nft", "flush", "ruleset")
    lab.exec("rt", "ip", "route", "del", FORBIDDEN)
    lab.exec("rt", "ip", "route", "del", SECOND)


@pytest.mark.parametrize("port", WANTED)
def test_what_became_of_it_and_why(answers, port):
    lab, sentences = answers

    wanted = WANTED[port]

    assert sentences[port] == (wanted if isinstance(wanted, str) else wanted(lab))


def test_ipv6_ends_at_its_hop_limit(client):
    asking = Tracing("why", "udp dport 76", "-d", 60)
    client(76, backend6(1), ttl=1)

    assert asking.wait()[0]["sentence"].startswith(
        f"dropped in ip6_forward: its hop limit ended here, on its way to {backend6(1)}; ")


def test_ipv6_is_not_forwarded(network, client):
    forwarding = "net.ipv6.conf.all.forwarding"
    network.exec("rt", "sysctl", "-qw", f"{forwarding}=0")
    asking = Tracing("why", "udp dport 77", "-d", 60)
    client(77, backend6(1))

    sentence = asking.wait()[0]["sentence"]

    network.exec("rt", "sysctl", "-qw", f"{forwarding}=1")
    assert sentence == (
        f"dropped in ip6_forward: {backend6(1)} is no address of this host, and packets to it are not "
        f"forwarded; add the address with `ip addr add`, or forward: {forwarding}=1")
