"""Which hook judges a packet: XDP, or TC ingress wherever XDP did not."""

import contextlib
import fcntl
import os
import struct

import pytest
from scapy.all import IP, TCP, UDP, IPv6

from lab import CLIENT, CLIENT6, NODE, VIP, backend
from wire import inside

RULES = """
firewall:
  ingress: {rules: ['tcp dport 23 drop']}
  egress: {rules: ['udp dport 53 drop']}
"""


def telnet(port=23):
    return IP(src=CLIENT, dst=NODE) / TCP(sport=999, dport=port, flags="S")


def telnet6(port=23):
    return IPv6(src=CLIENT6, dst="fd00:1::1") / TCP(sport=999, dport=port, flags="S")


def received(lab, hook, device="front"):
    """Packets that came to that hook."""
    return next(book["received"]["packets"] for book in lab.books()
                if (book["interface"], book["hook"]) == (device, hook))


@contextlib.contextmanager
def counted(lab, drops):
    """What happens inside is dropped so, by reason, and nothing else is."""
    before = lab.drops()
    yield
    lab.until(lambda: lab.drops(before) == drops, lambda: f"{lab.drops(before)}, not {drops}")


@pytest.mark.parametrize("mode", ["native", "generic"])
def test_what_xdp_passed_is_judged_once(lab, mode):
    lab.detach("front")
    lab.attach("front", "--mode", mode)
    lab.apply(RULES.replace("drop'", "counter'"))
    tc = received(lab, "tc-ingress")

    lab.send("rt", telnet(), telnet6())

    rules = lambda: lab.weir_json("fw", "list", "ingress")["chains"][0]["rules"]  # noqa: E731
    lab.until(lambda: rules()[0]["packets"] == 2, rules)
    assert received(lab, "tc-ingress") == tc


def test_tc_ingress_judges_where_somebody_took_xdp_off(lab):
    lab.apply(RULES)
    with counted(lab, {"rule": 1}):
        lab.send("rt", telnet())
    lab.attached = None

    take_xdp_off(lab, "front")

    with counted(lab, {"rule": 2}):
        lab.send("rt", telnet(), telnet(24), telnet6())
    for verb in ("status", "ledger"):
        told = lab.weir(verb, check=False)
        assert (told.returncode, told.stderr) == (
            1, "weir: attached once, and gone: front xdp; `weir attach` attaches it again, "
               "`weir detach` forgets it\n"), verb
    lab.attach("front")
    lab.weir("ledger")


def take_xdp_off(lab, device):
    """As somebody does who knows nothing of Weir."""
    lab.exec("lb", "ip", "link", "set", device, "xdp", "off")
    (link,) = lab.exec("lb", "ip", "link", "show", device).stdout.splitlines()[:1]
    assert "xdp" not in link


def test_tc_ingress_reads_frames_behind_the_generic_xdp_of_others(lab):
    """Some kernels show them without the Ethernet header."""
    lab.detach("front")
    lab.apply(RULES)
    lab.exec("lb", "xdp-filter", "load", "front", "--mode", "skb")
    try:
        lab.attach("front", "--hook", "tc-ingress")
        with counted(lab, {"rule": 2}):
            lab.send("rt", telnet(), telnet(24), telnet6(), telnet6(24))
    finally:
        lab.exec("lb", "xdp-filter", "unload", "front")


def test_generic_xdp_hands_over_what_waits_for_a_neighbour(lab):
    lab.detach("front")
    lab.attach("front", "--mode", "generic")
    lab.apply(f"lb: {{source: 10.99.0.1, services: [{{vip: '{VIP}:80/tcp', backends: "
              f"['{backend(3)}']}}]}}")
    lab.exec("lb", "ip", "neigh", "del", backend(3), "dev", "back")
    packet = IP(src=CLIENT, dst=VIP) / TCP(sport=999, dport=80, flags="S")
    try:
        with lab.leaving() as out:
            lab.send("rt", packet)
            frame = out.only()
        assert frame.dst == lab.mac("be3", "eth0")
        assert bytes(frame).endswith(bytes(packet))
    finally:
        lab.resolve(3)


# --- frames that begin with their IP header

TUNSETIFF, IFF_TUN, IFF_NO_PI = 0x400454CA, 0x0001, 0x1000


@pytest.fixture
def tun(lab):
    """The user's end of `tun0`: what is written comes in there."""
    with inside(f"{lab.name}-lb"):
        end = os.open("/dev/net/tun", os.O_RDWR)
        fcntl.ioctl(end, TUNSETIFF, struct.pack("16sH22x", b"tun0", IFF_TUN | IFF_NO_PI))
    try:
        lab.exec("lb", "sysctl", "-qw", "net.ipv6.conf.tun0.disable_ipv6=1")
        lab.exec("lb", "ip", "link", "set", "tun0", "up")
        lab.exec("lb", "ip", "route", "add", "198.51.100.0/24", "dev", "tun0")
        yield end
    finally:
        lab.attached = None
        lab.detach("--all")
        os.close(end)


def test_xdp_is_refused_where_frames_have_no_ethernet_header(lab, tun):
    refused = lab.weir("attach", "tun0", check=False)

    assert refused.returncode == 1
    assert refused.stderr == ("weir: tun0 has no Ethernet headers, which XDP needs: `weir attach tun0 "
                              "--hook tc-ingress`\n")
    assert lab.hooks("tun0") == {}


@pytest.mark.parametrize("packet", [telnet, telnet6])
def test_tc_reads_frames_without_an_ethernet_header(lab, tun, packet):
    lab.apply(RULES)
    lab.attach("tun0", "--hook", "tc-ingress")
    before = received(lab, "tc-ingress", "tun0")

    with counted(lab, {"rule": 1}):
        os.write(tun, bytes(packet()))
        os.write(tun, bytes(packet(24)))
    lab.until(lambda: received(lab, "tc-ingress", "tun0") == before + 2, "the second one did not come in")


def test_tc_filters_what_leaves_without_an_ethernet_header(lab, tun):
    lab.apply(RULES)
    lab.attach("tun0", "--hook", "tc-egress")
    say = "import socket; socket.socket(socket.AF_INET, socket.SOCK_DGRAM).sendto(b'', (%r, %d))"

    with counted(lab, {"rule": 1}):
        # The kernel tells the sender of the packet that was dropped.
        lab.exec("lb", "python3", "-c", say % ("198.51.100.1", 53), check=False)
        lab.exec("lb", "python3", "-c", say % ("198.51.100.1", 54))
    assert IP(os.read(tun, 2000))[UDP].dport == 54
