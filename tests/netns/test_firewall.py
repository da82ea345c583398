"""Rules where only real traffic can show them: interfaces, tags, hooks, and changes under traffic."""

import pytest
from scapy.all import ARP, IP, TCP, UDP, Dot1AD, Dot1Q, Ether, IPv6, Raw

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


# tests/prog/field_test.cpp shows each field; what an interface's name is, the kernel says.
INTERFACES = {
    "its name": ('iifname "front"', True),
    "a prefix": ('iifname "fro*"', True),
    "another name": ('iifname "back"', False),
}

SETS = """
sets:
  some: {type: ipv4_addr, elements: [192.0.2.0/29, 203.0.113.7]}
"""


def rules(*lines, policy="accept", chain="ingress"):
    quoted = "".join(f"\n      - '{line}'" for line in lines)
    return f"firewall:\n  {chain}:\n    policy: {policy}\n    rules:{quoted or ' []'}\n{SETS}"


def hits(lab):
    """Packets by rule, in their order."""
    return [rule["packets"] for chain in lab.weir_json("fw", "list")["chains"]
            for rule in chain["rules"]]


@pytest.mark.parametrize("rule, named", INTERFACES.values(), ids=INTERFACES.keys())
@pytest.mark.parametrize("packet", [v4() / tcp(), v6() / tcp()], ids=["ipv4", "ipv6"])
def test_a_rule_knows_the_interface_by_its_name(lab, rule, named, packet):
    before = lab.drops()
    lab.apply(rules(f"{rule} drop"))
    assert lab.passes(packet) is not named
    assert hits(lab) == [int(named)]

    lab.apply(rules(f"{rule} accept", policy="drop"))
    assert lab.passes(packet) is named
    assert lab.drops(before) == ({"rule": 1} if named else {"policy": 1})


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
    lab.apply(rules("tcp dport 23 drop", "ip6 saddr 2001:db8:1::/64 udp dport 53 drop",
                    "vlan id 7 drop", f"ether saddr {MAC[:-1]}2 drop"))
    node = lab.mac("lb", "front")
    ether = Ether(src=MAC, dst=node)
    before = lab.drops()

    assert lab.hooks()["xdp"]["mode"] == mode
    assert not lab.passes(v4() / tcp(dport=23))
    assert lab.passes(v4() / tcp(dport=24))
    assert not lab.passes(v6() / udp(dport=53))
    # Tags as they are on the cable, of which a driver or the kernel may take one off.
    for inner in (v4(), v6()):
        for tags in (Dot1Q(vlan=5), Dot1AD(vlan=5) / Dot1Q(vlan=7)):
            assert not lab.passes(ether / tags / inner / tcp(dport=23))
            assert lab.passes(ether / tags / inner / tcp(dport=24))
        assert not lab.passes(ether / Dot1Q(vlan=7) / inner / tcp(dport=24))
    assert not lab.passes(Ether(src=f"{MAC[:-1]}2", dst=node) / v4() / tcp(dport=24))
    assert hits(lab) == [5, 1, 2, 1]
    assert lab.drops(before) == {"rule": 9}


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
