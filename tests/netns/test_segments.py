"""In generic mode XDP meets frames that stand for many segments. They reach the backend as these."""

import pytest

from lab import VIP, backend

BYTES = 20_000_000
SERVICE = """
lb:
  source: 10.99.0.1
  services:
    - {{vip: '{vip}:7/tcp', forward: {forward}, backends: ['{backend}']}}
"""
RECEIVE = """
import socket
listening = socket.create_server(("", 7))
print("ready", flush=True)
connection, _ = listening.accept()
got = 0
while octets := connection.recv(1 << 20):
    got += len(octets)
connection.sendall(b"%d" % got)
connection.close()
"""
SEND = """
import socket, sys
s = socket.socket()
s.setsockopt(socket.IPPROTO_TCP, socket.TCP_MAXSEG, 1400)  # with an outer header it fits
s.settimeout(20)
s.connect((sys.argv[1], 7))
s.sendall(bytes(int(sys.argv[2])))
s.shutdown(socket.SHUT_WR)
print(s.recv(100).decode())
"""


@pytest.fixture
def merged(lab):
    """The router leaves the cutting of its own TCP segments to the cable, which has no use for it."""
    lab.exec("rt", "ethtool", "-K", "lb", "tx", "on", "sg", "on", "tso", "on", "gso", "on")
    lab.detach("front")
    lab.attach("front", "--mode", "generic")
    yield lab
    lab.exec("rt", "ethtool", "-K", "lb", "tx", "off")
    lab.attached = None


@pytest.mark.parametrize("forward", ["ipip", "l2dsr"])
def test_what_stands_for_segments_is_sent_as_these(merged, forward):
    lab = merged
    if forward == "ipip":
        lab.weir("load", "--max-flows", "64", node="be1")
        lab.attach("eth0", "--role", "decap", "--hook", "xdp", node="be1")
    lab.apply(SERVICE.format(vip=VIP, forward=forward, backend=backend(1)))
    lab.start("be1", "python3", "-c", RECEIVE)
    before = lab.drops()

    told = lab.exec("rt", "python3", "-c", SEND, VIP, BYTES).stdout

    assert told == f"{BYTES}\n"
    assert lab.drops(before) == {}
    (xdp,) = (book for book in lab.weir_json("stats")["interfaces"]
              if (book["interface"], book["hook"]) == ("front", "xdp"))
    assert xdp["handed-over"] > 0, "nothing was merged: this proves nothing"
    (service,) = lab.weir_json("lb", "service", "list")["services"]
    assert service["packets"] < BYTES / 2000
