"""Frames in and out of network namespaces by packet sockets, byte-exact."""

import contextlib
import ctypes
import os
import socket
import struct
import time

from scapy.layers.l2 import Ether

libc = ctypes.CDLL(None, use_errno=True)
CLONE_NEWNET = 0x40000000  # linux/sched.h

# linux/if_packet.h
ETH_P_ALL = 3
PACKET_OUTGOING = 4
SOL_PACKET, PACKET_AUXDATA = 263, 8
TP_STATUS_VLAN_VALID, TP_STATUS_VLAN_TPID_VALID = 1 << 4, 1 << 6
AUXDATA = struct.Struct("=IIIHHHH")  # status, len, snaplen, mac, net, vlan_tci, vlan_tpid

DEADLINE = 10  # seconds; under emulation everything takes 12 times as long


@contextlib.contextmanager
def inside(namespace):
    """This thread in that namespace; sockets opened meanwhile stay there."""
    with open("/proc/thread-self/ns/net") as home, open(f"/run/netns/{namespace}") as there:
        _setns(there)
        try:
            yield
        finally:
            _setns(home)


def _setns(file):
    if libc.setns(file.fileno(), CLONE_NEWNET):
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))


def packet_socket(namespace, device):
    with inside(namespace):
        # Protocol 0 receives nothing until bind names the device: no frame of another one.
        s = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0)
    s.setsockopt(SOL_PACKET, PACKET_AUXDATA, 1)
    s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 8 << 20)
    s.bind((device, ETH_P_ALL))
    return s


class Capture:
    """The frames that a device received, or with `sent` those that it sent, since it was made."""

    def __init__(self, namespace, device, match=None, sent=False):
        self.socket = packet_socket(namespace, device)
        self.match = match or (lambda frame: True)
        self.sent = sent
        self.seen = []

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.socket.close()

    def next_raw(self, deadline):
        """One frame as octets, whether it matches or not; None at the deadline."""
        while True:
            self.socket.settimeout(max(deadline - time.monotonic(), 0.000001))
            try:
                octets, control, _, source = self.socket.recvmsg(1 << 16, 64)
            except (TimeoutError, BlockingIOError):
                return None
            if (source[2] == PACKET_OUTGOING) == self.sent:
                return _with_tag(octets, control)

    def until(self, done, timeout=DEADLINE):
        """Collects matching frames until done(frames), or fails at the deadline."""
        deadline = time.monotonic() + timeout
        while not done(self.seen):
            octets = self.next_raw(deadline)
            if octets is None:
                raise AssertionError(
                    f"waited {timeout} s in vain; seen: {[f.summary() for f in self.seen]}")
            frame = Ether(octets)
            if self.match(frame):
                self.seen.append(frame)
        return self.seen

    def wait(self, count=1, timeout=DEADLINE):
        return self.until(lambda seen: len(seen) >= count, timeout)[:count]

    def drain(self):
        """All frames so far, without waiting for another."""
        while (octets := self.next_raw(time.monotonic())) is not None:
            frame = Ether(octets)
            if self.match(frame):
                self.seen.append(frame)
        return self.seen

    def only(self):
        """The one frame; a second one that is there already is an error."""
        self.wait(1)
        self.drain()
        assert len(self.seen) == 1, [f.summary() for f in self.seen]
        return self.seen[0]


def _with_tag(octets, control):
    """The kernel takes the outer VLAN tag off; it goes back to where it stood on the wire."""
    for level, kind, data in control:
        if level == SOL_PACKET and kind == PACKET_AUXDATA:
            status, *_, tci, tpid = AUXDATA.unpack(data[:AUXDATA.size])
            if status & TP_STATUS_VLAN_VALID:
                tpid = tpid if status & TP_STATUS_VLAN_TPID_VALID else 0x8100
                return octets[:12] + struct.pack("!HH", tpid, tci) + octets[12:]
    return octets
