#!/usr/bin/python3
"""Frames that the demo's node must drop: demo_frames.py DEVICE DESTINATION_MAC

Puts five of each kind on the cable, and prints how many of which: "reason count".
"""

import socket
import sys

from scapy.all import IP, TCP, UDP, Ether, IPv6, IPv6ExtHdrRouting, Raw

VIP, VIP6, CLIENT, CLIENT6 = "203.0.113.10", "2001:db8::10", "10.0.0.2", "fd00::2"
COPIES = 5


def frames(mac):
    ip = Ether(dst=mac) / IP(src=CLIENT, dst=VIP)
    ip6 = Ether(dst=mac) / IPv6(src=CLIENT6, dst=VIP6)
    web = TCP(sport=40000, dport=80, flags="S")
    return {
        # what the rules forbid
        "rule": [ip / UDP(sport=9, dport=53) / b"no UDP here", ip / TCP(dport=23, flags="S")],
        "fragment": [Ether(dst=mac)
                     / IP(src=CLIENT, dst=VIP, frag=185, proto="tcp") / Raw(bytes(64))],
        # what no host should ever send
        "truncated": [Ether(bytes(ip / web)[:14 + 12])],
        "bad-ip-header": [Ether(dst=mac) / IP(src=CLIENT, dst=VIP, ihl=3) / web],
        "bad-ip-version": [Ether(dst=mac, type=0x0800) / IPv6(src=CLIENT6, dst=VIP6) / web],
        "bad-tcp-header": [ip / TCP(dport=80, flags="S", dataofs=2)],
        "bad-length": [ip / UDP(sport=9, dport=5000, len=900) / b"short"],
        "routing-header": [ip6 / IPv6ExtHdrRouting(addresses=["2001:db8::1"]) / web],
    }


def main(device, mac):
    wire = socket.socket(socket.AF_PACKET, socket.SOCK_RAW)
    wire.bind((device, 0))
    for reason, kinds in frames(mac).items():
        for frame in kinds:
            for _ in range(COPIES):
                wire.send(bytes(frame))
        print(reason, COPIES * len(kinds))


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    main(*sys.argv[1:])
