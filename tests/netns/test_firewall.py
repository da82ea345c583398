"""Rules on real frames: what a rule names is dropped and counted, its near neighbour is not."""

import pytest
from scapy.all import (ARP, ICMP, IP, TCP, UDP, Dot1AD, Dot1Q, Ether, ICMPv6EchoReply,
                       ICMPv6EchoRequest, IPv6, IPv6ExtHdrDestOpt, IPv6ExtHdrFragment,
                       IPOption_NOP, IPv6ExtHdrHopByHop, IPv6ExtHdrRouting, Raw, fragment)

from lab import backend

SRC, DST = "192.0.2.1", "10.0.1.1"
SRC6, DST6 = "2001:db8:1::1", "fd00:1::1"
MAC = "02:00:00:00:00:11"


def v4(**fields):
    return IP(**{"src": SRC, "dst": DST, **fields})


def v6(**fields):
    return IPv6(**{"src": SRC6, "dst": DST6, **fields})


def tcp(**fields):
    return TCP(**{"sport": 1000, "dport": 2000, "flags": "S", **fields})


def udp(**fields):
    return UDP(**{"sport": 1000, "dport": 2000, **fields})


# rule without its verdict, a packet that it names, one that it does not
FIELDS = {
    "ip saddr": ("ip saddr 192.0.2.1", v4() / tcp(), v4(src="192.0.2.2") / tcp()),
    "ip saddr prefix": ("ip saddr 192.0.2.0/30", v4() / tcp(), v4(src="192.0.2.4") / tcp()),
    "ip saddr range": ("ip saddr 192.0.2.1-192.0.2.3", v4(src="192.0.2.3") / udp(),
                       v4(src="192.0.2.4") / udp()),
    "ip saddr list": ("ip saddr { 192.0.2.1, 198.51.100.0/24 }",
                      v4(src="198.51.100.9") / udp(), v4(src="192.0.2.2") / udp()),
    "ip saddr !=": ("ip saddr != 192.0.2.1", v4(src="192.0.2.2") / udp(), v4() / udp()),
    "ip saddr != needs ipv4": ("ip saddr != 192.0.2.1", v4(src="192.0.2.2") / udp(),
                               v6() / udp()),
    "ip daddr": ("ip daddr 10.0.1.1", v4() / tcp(), v4(dst="10.0.1.9") / tcp()),
    "ip6 saddr": ("ip6 saddr 2001:db8:1::/64", v6() / tcp(), v6(src="2001:db8:2::1") / tcp()),
    "ip6 daddr": ("ip6 daddr fd00:1::1", v6() / udp(), v6(dst="fd00:1::2") / udp()),
    "meta l4proto": ("meta l4proto udp", v4() / udp(), v4() / tcp()),
    "meta l4proto ipv6": ("meta l4proto udp", v6() / udp(), v6() / tcp()),
    "tcp sport": ("tcp sport 1000", v4() / tcp(), v4() / tcp(sport=1001)),
    "tcp dport": ("tcp dport 2000", v6() / tcp(), v6() / tcp(dport=2001)),
    "tcp dport is not udp": ("tcp dport 2000", v4() / tcp(), v4() / udp()),
    "tcp dport list": ("tcp dport { 22, 1990-2010 }", v4() / tcp(), v4() / tcp(dport=2011)),
    "udp sport": ("udp sport 1000", v6() / udp(), v6() / udp(sport=999)),
    "udp dport": ("udp dport 2000", v4() / udp(), v4() / udp(dport=1999)),
    "udp dport !=": ("udp dport != 2000", v4() / udp(dport=53), v4() / udp()),
    "tcp flags": ("tcp flags syn", v4() / tcp(flags="SA"), v4() / tcp(flags="A")),
    "tcp flags ==": ("tcp flags == syn", v4() / tcp(flags="S"), v4() / tcp(flags="SA")),
    "tcp flags masked": ("tcp flags & (syn | ack) == syn", v4() / tcp(flags="SU"),
                         v4() / tcp(flags="SA")),
    "icmp type": ("icmp type echo-request", v4() / ICMP(type=8), v4() / ICMP(type=0)),
    "icmp code": ("icmp code 1", v4() / ICMP(type=3, code=1), v4() / ICMP(type=3, code=3)),
    "icmpv6 type": ("icmpv6 type echo-request", v6() / ICMPv6EchoRequest(),
                    v6() / ICMPv6EchoReply()),
    "icmpv6 type is not icmp": ("icmpv6 type 128", v6() / ICMPv6EchoRequest(),
                                v4() / ICMP(type=128)),
    "ip dscp": ("ip dscp ef", v4(tos=46 << 2) / udp(), v4(tos=45 << 2) / udp()),
    "ip6 dscp": ("ip6 dscp cs1", v6(tc=8 << 2) / udp(), v6() / udp()),
    "ip frag-off": ("ip frag-off & 0x1fff != 0", v4(frag=185, proto=17) / Raw(bytes(64)),
                    v4() / udp()),
    "iifname": ('iifname "front"', v4() / tcp(), None),
    "iifname prefix": ('iifname "fro*"', v6() / tcp(), None),
    "iifname other": ('iifname "back"', None, v4() / tcp()),
    "address in a set": ("ip saddr @some", v4() / tcp(), v4(src="192.0.2.9") / tcp()),
    "address not in a set": ("ip saddr != @some", v4(src="192.0.2.9") / tcp(), v4() / tcp()),
    "ipv6 address in a set": ("ip6 saddr @some6", v6() / tcp(), v6(src="2001:db8:9::1") / tcp()),
    "port in a set": ("tcp dport @ports", v6() / tcp(dport=8080), v6() / tcp(dport=8081)),
}

SETS = """
sets:
  some: {type: ipv4_addr, elements: [192.0.2.0/29, 203.0.113.7]}
  some6: {type: ipv6_addr, elements: ['2001:db8:1::/48']}
  ports: {type: inet_service, elements: [22, 8000-8080]}
"""


def rules(*lines, policy="accept", chain="ingress"):
    quoted = "".join(f"\n      - '{line}'" for line in lines)
    return f"firewall:\n  {chain}:\n    policy: {policy}\n    rules:{quoted or ' []'}\n{SETS}"


def hits(lab):
    """Packets by rule, in their order."""
    return [rule["packets"] for chain in lab.weir_json("fw", "list")["chains"]
            for rule in chain["rules"]]


@pytest.mark.parametrize("rule, named, other", FIELDS.values(), ids=FIELDS.keys())
def test_a_rule_drops_what_it_names_and_nothing_else(lab, rule, named, other):
    lab.apply(rules(f"{rule} drop"))

    if named is not None:
        assert not lab.passes(named)
    if other is not None:
        assert lab.passes(other)

    assert hits(lab) == [int(named is not None)]


@pytest.mark.parametrize("rule, named, other", FIELDS.values(), ids=FIELDS.keys())
def test_a_rule_accepts_what_it_names_under_policy_drop(lab, rule, named, other):
    lab.apply(rules(f"{rule} accept", policy="drop"))

    if named is not None:
        assert lab.passes(named)
    if other is not None:
        assert not lab.passes(other)


def test_link_layer_addresses(lab):
    lab.apply(rules(f"ether saddr {MAC} drop", f"ether daddr {MAC} drop"))
    node = lab.mac("lb", "front")

    assert not lab.passes(Ether(src=MAC, dst=node) / v4() / tcp())
    assert not lab.passes(Ether(src="02:00:00:00:00:12", dst=MAC) / v4() / tcp())
    assert lab.passes(Ether(src="02:00:00:00:00:12", dst=node) / v4() / tcp())
    assert hits(lab) == [1, 1]


@pytest.mark.parametrize("tags", [
    pytest.param(lambda: Dot1Q(vlan=7), id="one tag"),
    pytest.param(lambda: Dot1AD(vlan=7) / Dot1Q(vlan=8), id="two tags"),
])
@pytest.mark.parametrize("inner", [v4() / tcp(dport=23), v6() / tcp(dport=23)],
                         ids=["ipv4", "ipv6"])
def test_a_vlan_tag_hides_nothing(lab, tags, inner):
    lab.apply(rules("tcp dport 23 drop"))
    ether = Ether(src=MAC, dst=lab.mac("lb", "front"))

    assert not lab.passes(ether / tags() / inner)
    inner = inner.copy()
    inner[TCP].dport = 24
    assert lab.passes(ether / tags() / inner)


def test_vlan_id(lab):
    lab.apply(rules("vlan id 7 drop"))
    ether = Ether(src=MAC, dst=lab.mac("lb", "front"))

    assert not lab.passes(ether / Dot1Q(vlan=7) / v4() / tcp())
    assert lab.passes(ether / Dot1Q(vlan=8) / v4() / tcp())
    assert lab.passes(ether / v4() / tcp())


def test_ports_are_read_in_first_fragments_and_not_in_later_ones(lab):
    lab.apply(rules("udp dport 2000 drop"))
    first, later = fragment(v4() / udp() / Raw(bytes(1000)), fragsize=512)

    assert not lab.passes(first)
    assert lab.passes(later)


def test_ports_of_ipv6_fragments(lab):
    lab.apply(rules("udp dport 2000 drop"))
    first = v6() / IPv6ExtHdrFragment(offset=0, m=1) / udp() / Raw(bytes(64))
    later = v6() / IPv6ExtHdrFragment(offset=9, m=0, nh=17) / Raw(bytes(64))

    assert not lab.passes(first)
    assert lab.passes(later)


@pytest.mark.parametrize("chain", [
    IPv6ExtHdrHopByHop(), IPv6ExtHdrDestOpt(), IPv6ExtHdrHopByHop() / IPv6ExtHdrDestOpt(),
    IPv6ExtHdrRouting(segleft=0, addresses=["2001:db8::5"]),
], ids=["hop-by-hop", "destination options", "both", "routing, none left"])
def test_an_extension_header_hides_nothing(lab, chain):
    lab.apply(rules("tcp dport 23 drop"))

    assert not lab.passes(v6() / chain / tcp(dport=23))
    assert lab.passes(v6() / chain / tcp(dport=24))


def test_the_first_match_wins(lab):
    lab.apply(rules("tcp dport 22 accept", "tcp dport 20-30 counter", "tcp dport 20-30 drop",
                    "ip saddr 192.0.2.0/24 drop"))

    assert lab.passes(v4() / tcp(dport=22))
    assert not lab.passes(v4() / tcp(dport=23))
    assert not lab.passes(v4() / tcp(dport=31))
    assert hits(lab) == [1, 1, 1, 1]


def test_arp_and_neighbour_discovery_pass_under_policy_drop(lab):
    lab.apply(rules(policy="drop"))

    assert lab.passes(ARP(op=2, psrc="192.0.2.77", pdst="192.0.2.78"))
    assert not lab.passes(v4() / udp())
    # The node still resolves, and is still resolved.
    lab.exec("rt", "ip", "neigh", "flush", "dev", "lb")
    lab.exec("lb", "ip", "neigh", "flush", "dev", "front")
    for target in ("10.0.1.1", "fd00:1::1"):
        lab.exec("rt", "/usr/bin/python3", "-c",
                 "import socket, sys; s = socket.socket(socket.AF_INET6 if ':' in sys.argv[1] else"
                 " socket.AF_INET, socket.SOCK_DGRAM); s.sendto(b'?', (sys.argv[1], 9))", target)
    wait_for_neighbour(lab, "rt", "10.0.1.1")
    wait_for_neighbour(lab, "rt", "fd00:1::1")


def wait_for_neighbour(lab, node, address):
    lab.until(lambda: "lladdr" in lab.exec(node, "ip", "neigh", "show", address).stdout,
              f"{node} does not resolve {address}")


def test_class_actions_decide_before_the_rules(lab):
    lab.apply("firewall: {packets: {ipv4-options: drop, fragment: drop, arp: filter}}")
    options = v4(options=[IPOption_NOP()] * 4)

    before = lab.drops()
    assert not lab.passes(options / udp())
    assert not lab.passes(v4(frag=185, proto=17) / Raw(bytes(64)))
    assert lab.passes(v4() / udp())
    assert lab.drops(before) == {"ipv4-options": 1, "fragment": 1}


def test_elements_of_a_set_come_and_go(lab):
    lab.apply(rules("ip saddr @some drop"))
    packet = v4(src="198.51.100.9") / udp()

    assert lab.passes(packet)
    lab.weir("set", "add", "some", "198.51.100.0/24")
    assert not lab.passes(packet)
    lab.weir("set", "delete", "some", "198.51.100.0/24")
    assert lab.passes(packet)


def test_rollback_restores_the_rules_before(lab):
    lab.apply(rules("udp dport 2000 drop"))
    lab.apply(rules("tcp dport 2000 drop"))
    assert lab.passes(v4() / udp()) and not lab.passes(v4() / tcp())

    lab.weir("rollback")

    assert not lab.passes(v4() / udp()) and lab.passes(v4() / tcp())


@pytest.mark.parametrize("mode", ["native", "generic"])
def test_modes_judge_alike(lab, mode):
    lab.detach("--all")
    lab.attach("front", "--mode", mode)
    lab.apply(rules("tcp dport 23 drop", "ip6 saddr 2001:db8:1::/64 udp dport 53 drop"))
    ether = Ether(src=MAC, dst=lab.mac("lb", "front"))

    assert lab.hooks()["xdp"]["mode"] == mode
    assert not lab.passes(v4() / tcp(dport=23))
    assert lab.passes(v4() / tcp(dport=24))
    assert not lab.passes(v6() / udp(dport=53))
    assert not lab.passes(ether / Dot1Q(vlan=5) / v4() / tcp(dport=23))
    assert hits(lab) == [2, 1]


# --- TC: what the node forwards from `front` to `back`, where it can be seen

# Ports that scapy knows no protocol of: the payload stays a payload.


def probe(port, payload):
    return IP(src=SRC, dst=backend(1)) / UDP(sport=1000, dport=port) / Raw(payload)


def probe6(port, payload):
    return v6(dst="fd00:2::2") / UDP(sport=1000, dport=port) / Raw(payload)


def is_payload(payload):
    return lambda frame: Raw in frame and frame[Raw].load == payload


@pytest.mark.parametrize("make", [probe, probe6], ids=["ipv4", "ipv6"])
def test_egress_rules_hold_on_tc(lab, make):
    lab.attach("back", "--hook", "tc-egress")
    lab.apply(rules("udp dport 40053 drop", 'oifname "back" udp dport 40054 drop', chain="egress"))

    for port in (40053, 40054):
        assert not lab.crosses(make(port, b"forbidden"), make(40055, b"after"),
                               is_payload(b"forbidden"))
    assert lab.crosses(make(40056, b"allowed"), make(40055, b"after"), is_payload(b"allowed"))
    assert hits(lab) == [1, 1]


@pytest.mark.parametrize("make", [probe, probe6], ids=["ipv4", "ipv6"])
def test_tc_ingress_filters_where_xdp_is_not_attached(lab, make):
    lab.detach("--all")
    lab.attach("front", "--hook", "tc-ingress")
    lab.apply(rules("udp dport 40053 drop"))

    assert not lab.crosses(make(40053, b"forbidden"), make(40055, b"after"),
                           is_payload(b"forbidden"))
    assert lab.crosses(make(40054, b"allowed"), make(40055, b"after"), is_payload(b"allowed"))
    assert hits(lab) == [1]


def test_tc_ingress_sees_the_vlan_tag_that_the_kernel_took_off(lab):
    lab.detach("--all")
    lab.attach("front", "--hook", "tc-ingress")
    lab.apply(rules("vlan id 7 udp dport 40053 drop"))
    ether = Ether(src=MAC, dst=lab.mac("lb", "front"))

    # A tagged frame is not forwarded by a node without VLAN interfaces: the rule's count tells.
    lab.crosses(ether / Dot1Q(vlan=7) / probe(40053, b"tagged"), probe(40055, b"after"),
                is_payload(b"tagged"))
    assert lab.crosses(probe(40053, b"untagged"), probe(40055, b"after"), is_payload(b"untagged"))
    assert hits(lab) == [1]


def test_rules_swap_under_traffic_without_a_gap(lab):
    """While rule sets alternate that both drop port 23, not one packet to it comes through."""
    both = [rules("tcp dport 23 drop", f"udp dport {n} drop") for n in (1, 2)]
    lab.apply(both[0])
    forbidden = lab.frame(v4() / tcp(dport=23))
    with lab.capture("lb", match=lambda f: TCP in f and f[TCP].dport == 23) as stack:
        sent = 0
        for turn in range(10):
            applying = lab.start_weir("apply", "-", input=both[(turn + 1) % 2])
            while applying.poll() is None:
                lab.send("rt", forbidden)
                sent += 1
            assert applying.returncode == 0
        assert lab.passes(v4() / tcp(dport=24))
        assert stack.drain() == []
    dropped = sum(chain["rules"][0]["packets"] for chain in lab.weir_json("fw", "list")["chains"]
                  if chain["rules"])
    assert dropped == sent > 10
