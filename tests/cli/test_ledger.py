"""Ten million packets of every kind, through the program that `weir status` names."""

import subprocess
import tempfile

from scapy.all import (
    AH, ARP, ICMP, IP, TCP, UDP, Dot1AD, Dot1Q, Ether, ICMPv6EchoRequest, ICMPv6ND_NS, IPv6,
    IPv6ExtHdrDestOpt, IPv6ExtHdrFragment, IPv6ExtHdrHopByHop, IPv6ExtHdrRouting, raw)

TOTAL = 10_000_000
CONFIGURATION = """
sets:
  abusers: {type: ipv4_addr, elements: [198.51.100.0/24]}
firewall:
  ingress:
    rules:
      - ip saddr @abusers drop
      - tcp dport 23 drop
      - ip6 daddr 2001:db8:bad::/48 drop
      - udp dport 53 counter
  packets: {ipv4-options: drop}
lb:
  source: 10.99.0.0/16
  source6: fd00:99::/64
  gateway: 02:00:00:00:00:99
  services:
    - {vip: 203.0.113.10:80/tcp, backends: [10.0.2.2, 10.0.2.3]}
    - {vip: 203.0.113.10:any/udp, backends: [10.0.2.2]}
    - {vip: "[2001:db8::10]:80/tcp", backends: ["fd00:2::2"]}
    - {vip: 203.0.113.11:80/tcp, backends: [{address: 10.0.2.2, weight: 0}]}
"""

V4 = IP(src="192.0.2.1", dst="192.0.2.2")
V6 = IPv6(src="2001:db8:1::1", dst="2001:db8:1::2")
VIP4 = IP(src="192.0.2.1", dst="203.0.113.10")
VIP6 = IPv6(src="2001:db8:1::1", dst="2001:db8::10")
WHOLE = [
    V4 / TCP(dport=443), V4 / TCP(dport=23), V4 / UDP(dport=53) / bytes(1200), V4 / ICMP(),
    IP(src="198.51.100.7", dst="192.0.2.2") / UDP(), V4 / AH() / bytes(8), V4 / bytes(64),
    IP(src="192.0.2.1", dst="192.0.2.2", options=b"\x01" * 4) / TCP(),
    IP(src="192.0.2.1", dst="192.0.2.2", flags="MF") / UDP(len=2000) / bytes(64),
    IP(src="192.0.2.1", dst="192.0.2.2", frag=99) / bytes(64),
    IP(src="192.0.2.1", dst="192.0.2.2", frag=1, proto=6) / bytes(64),
    VIP4 / TCP(dport=80, flags="S"), VIP4 / TCP(dport=80, flags="A") / bytes(100),
    VIP4 / UDP(dport=9999) / bytes(100), VIP4 / ICMP(), VIP4 / TCP(dport=81),
    IP(src="192.0.2.1", dst="203.0.113.10", frag=9) / bytes(64),
    IP(src="192.0.2.1", dst="203.0.113.11") / TCP(dport=80, flags="A"),
    V6 / TCP(dport=443), V6 / UDP(dport=53), V6 / ICMPv6EchoRequest(), V6 / ICMPv6ND_NS(),
    IPv6(src="2001:db8:1::1", dst="2001:db8:bad::1") / TCP(),
    V6 / IPv6ExtHdrHopByHop() / IPv6ExtHdrDestOpt() / TCP(),
    V6 / IPv6ExtHdrRouting(addresses=["2001:db8::1"], segleft=1) / TCP(),
    V6 / IPv6ExtHdrFragment(m=1) / UDP(len=2000) / bytes(64),
    V6 / IPv6ExtHdrFragment(offset=9) / bytes(64), V6 / bytes(4),
    VIP6 / TCP(dport=80, flags="A"), VIP6 / ICMPv6EchoRequest(), V4 / V4 / TCP(), V4 / V6 / TCP(),
    ARP(), bytes(64),
]


def frames():
    link = Ether(src="02:00:00:00:00:01", dst="02:00:00:00:00:02")
    for packet in WHOLE:
        yield raw(link / packet)
        yield raw(link / Dot1Q(vlan=5) / packet)
        yield raw(link / Dot1AD(vlan=5) / Dot1Q(vlan=6) / packet)
        yield raw(link / Dot1AD(vlan=5) / Dot1Q(vlan=6) / Dot1Q(vlan=7) / packet)
        for cut in (15, 20, 40, 50):
            yield raw(link / packet)[:cut]


def test_ten_million_packets_of_every_kind_leave_no_difference(weir):
    weir("apply", "-", input=CONFIGURATION)
    pin = next(program["pin"] for program in weir.json("status")["programs"]
               if program["name"] == "weir_ingress")
    kinds = list(frames())
    before = books(weir)["received"]["packets"]
    for kind, frame in enumerate(kinds):
        repeat = TOTAL // len(kinds) + (kind < TOTAL % len(kinds))
        with tempfile.NamedTemporaryFile() as file:
            file.write(frame)
            file.flush()
            subprocess.run(["bpftool", "prog", "run", "pinned", pin, "data_in", file.name,
                            "repeat", str(repeat)], check=True, stdout=subprocess.DEVNULL)

    after = books(weir)
    assert after["received"]["packets"] - before == TOTAL
    assert after["difference"] == {"packets": 0, "bytes": 0}
    weir("ledger")  # exit code 0: balanced
    # Every way out was taken, or the test says less than its name.
    assert after["passed"]["packets"] and after["sent"]["packets"]
    assert {"rule", "truncated", "vlan-depth", "tiny-fragment", "routing-header", "ipv4-options",
            "vip-fragment", "no-backend", "bad-length"} <= set(after["dropped_by"])


def books(weir):
    return next((book for book in weir.json("ledger")["books"]
                 if book["interface"] == "(others)" and book["hook"] == "xdp"),
                {"received": {"packets": 0}})
