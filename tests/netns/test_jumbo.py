"""Frames larger than one buffer: the programs say that they take them, and do."""

import os

import pytest
from scapy.all import IP, TCP, IPv6, Raw

from lab import CLIENT, CLIENT6, VIP, VIP6, Lab, backend, backend6

SERVICES = f"""
firewall: {{ingress: {{rules: ['tcp dport 23 drop']}}}}
lb:
  source: 10.99.0.1
  source6: fd00:99::1
  services:
    - {{vip: '{VIP}:80/tcp', backends: ['{backend(1)}']}}
    - {{vip: '[{VIP6}]:80/tcp', backends: ['{backend6(1)}']}}
"""


@pytest.fixture(scope="module")
def network():
    there = Lab(f"j{os.getpid()}", backends=1, mtu=9000)
    try:
        there.resolve(1)
        yield there
    finally:
        there.stop_processes()
        there.down()


PAYLOAD = bytes(range(256)) * 34


@pytest.mark.parametrize("inner", [
    IP(src=CLIENT, dst=VIP) / TCP(sport=999, dport=80, flags="A") / Raw(PAYLOAD),
    IPv6(src=CLIENT6, dst=VIP6) / TCP(sport=999, dport=80, flags="A") / Raw(PAYLOAD),
], ids=["ipv4", "ipv6"])
def test_a_jumbo_frame_is_tunnelled_whole(lab, inner):
    lab.apply(SERVICES)

    with lab.leaving() as out:
        lab.send("rt", inner)
        frame = out.only()

    outer = 20 if IP in inner else 40
    assert len(frame) == 14 + outer + len(inner)
    assert bytes(frame)[14 + outer:] == bytes(inner)


@pytest.mark.parametrize("port, passed", [(23, False), (24, True)])
def test_rules_hold_for_jumbo_frames(lab, port, passed):
    lab.apply(SERVICES)

    assert lab.passes(IP(src=CLIENT, dst="10.0.1.1") / TCP(dport=port) / Raw(PAYLOAD)) is passed


def test_bytes_are_those_of_the_whole_frame(lab):
    lab.apply(SERVICES)
    packet = lab.frame(IP(src=CLIENT, dst="10.0.1.1") / TCP(dport=23) / Raw(PAYLOAD))

    assert not lab.passes(packet)
    rule = lab.weir_json("fw", "list", "ingress")["chains"][0]["rules"][0]
    assert (rule["packets"], rule["bytes"]) == (1, len(packet))


def test_http_transfers_by_jumbo_frames(lab):
    lab.weir("load", "--max-flows", "64", node="be1")
    lab.attach("eth0", "--role", "decap", "--hook", "xdp", node="be1")
    lab.apply(SERVICES)
    lab.http(1)

    got = lab.curl(f"http://{VIP}/octets/3000000", "-o", "/dev/null", "-w", "%{size_download}")
    asked = lab.curl(f"http://{VIP}/", "-H", "X-Padding: " + "x" * 30000)

    assert (got, asked) == ("3000000", "be1")
