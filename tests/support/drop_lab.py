"""Two namespaces on one cable, where packets are lost at places that are known beforehand."""

import contextlib
import ctypes
import json
import os
import pathlib
import subprocess
from dataclasses import dataclass

from tracing import Actor, Tracing
from waiting import until

BINARY = os.environ.get("WEIR", "weir")
HERE, THERE = "10.9.0.2", "10.9.0.1"  # the node that is looked at, and its neighbour
VIP, BACKEND = "203.0.113.9", "10.8.0.2"
# Ports: a rule of Weir, a rule of nft, nobody listens, a socket that is soon full, one that is not.
RULE, FILTERED, CLOSED, FULL, OPEN = 7001, 7002, 7003, 7004, 7005
NFT = f"""
table ip filter {{
    chain input {{
        type filter hook input priority 0;
        udp dport {FILTERED} counter drop
    }}
}}
"""


def run(*command, **more):
    done = subprocess.run(command, text=True, capture_output=True, **more)
    assert done.returncode == 0, f"{command}: {done.stdout}{done.stderr}"
    return done.stdout


class NamespacedActor(Actor):
    """An Actor in a network namespace."""

    def __init__(self, namespace):
        before = os.open("/proc/self/ns/net", os.O_RDONLY)
        with open(f"/run/netns/{namespace}") as there:
            setns(there.fileno())
        try:
            super().__init__()
        finally:
            setns(before)
            os.close(before)


def setns(descriptor):
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.setns(descriptor, 0x40000000) != 0:  # CLONE_NEWNET
        raise OSError(ctypes.get_errno(), "setns")


class DropLab:
    """`near` is the node's end of the cable, `far` the neighbour's; no other packet is on it."""

    def __init__(self, pins):
        name = f"d{os.getpid()}"
        self.node, self.neighbour = f"{name}n", f"{name}f"
        self.pins = pathlib.Path(pins)
        for each in (self.node, self.neighbour):
            run("ip", "netns", "add", each)
            for which in ("all", "default"):
                self.within(each, "sysctl", "-qw", f"net.ipv6.conf.{which}.disable_ipv6=1")
        run("ip", "link", "add", "near", "netns", self.node, "address", "02:00:00:00:00:02",
            "numtxqueues", "1", "numrxqueues", "1", "type", "veth", "peer", "name", "far", "netns", self.neighbour,
            "address", "02:00:00:00:00:01", "numtxqueues", "1", "numrxqueues", "1")
        for each, device, own, other, mac in (
                (self.node, "near", HERE, THERE, "02:00:00:00:00:01"),
                (self.neighbour, "far", THERE, HERE, "02:00:00:00:00:02")):
            run("ip", "-n", each, "address", "add", f"{own}/24", "dev", device)
            run("ip", "-n", each, "link", "set", "lo", "up")
            run("ip", "-n", each, "link", "set", device, "up")
            run("ip", "-n", each, "neighbour", "replace", other, "lladdr", mac, "dev", device,
                "nud", "permanent")
        self.weir("load")
        self.weir("attach", "near")
        self.weir("fw", "add", "udp", "dport", str(RULE), "drop")
        self.within(self.node, "nft", "-f", "-", input=NFT)
        self.near, self.far = NamespacedActor(self.node), NamespacedActor(self.neighbour)
        self.far.do("o = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)\n"
                    f"o.bind(('{THERE}', {OPEN}))")

    def within(self, namespace, *command, **more):
        return run("nsenter", f"--net=/run/netns/{namespace}", *command, **more)

    def weir(self, *words, **more):
        return self.within(self.node, BINARY, "--pins", str(self.pins), *words, **more)

    @contextlib.contextmanager
    def receiving_in_a_thread(self):
        """`near` polls in a kernel thread of its own, never on top of whatever its interrupt meets.

        A kernel may run no tracing programs on top of some process (one is known that guards its
        init so), and packets that are dropped there leave no event.
        """
        def threaded(on):
            run("ip", "netns", "exec", self.node, "sh", "-c",
                f"echo {on} > /sys/class/net/near/threaded")
        threaded(1)
        try:
            yield
        finally:
            threaded(0)

    def ended(self):
        """Packets from the neighbour to FILTERED of which all is over: lost at the cable, or by nft."""
        rules = json.loads(self.within(self.node, "nft", "-j", "list", "ruleset"))["nftables"]
        (filtered,) = [part["counter"]["packets"] for each in rules
                       for part in each.get("rule", {}).get("expr", []) if "counter" in part]
        (far,) = json.loads(run("ip", "-n", self.neighbour, "-s", "-j", "link", "show", "far"))
        return filtered + far["stats64"]["tx"]["dropped"]

    def wait_until_ended(self, packets):
        until(lambda: self.ended() == packets, lambda: f"{self.ended()} of {packets} packets")

    def queue(self, *words):
        self.within(self.node, "tc", "qdisc", "replace", "dev", "near", "root", *words)

    def queue_counters(self):
        (root,) = json.loads(self.within(self.node, "tc", "-s", "-j", "qdisc", "show", "dev", "near",
                                         "root"))
        return root

    def no_queue(self):
        self.within(self.node, "tc", "qdisc", "del", "dev", "near", "root")

    @contextlib.contextmanager
    def xdp_alone(self):
        """With TC beside, a packet now and then is the kernel's to send."""
        self.weir("detach", "near")
        self.weir("attach", "near", "--hook", "xdp")
        yield
        self.weir("attach", "near")

    def balance_over_an_exit(self):
        """A service whose packets leave by `exit`. Its other end took XDP frames when Weir looked, and
        does not any more."""
        run("ip", "link", "add", "exit", "netns", self.node, "type", "veth", "peer", "name", "away",
            "netns", self.neighbour)
        for each, device in ((self.node, "exit"), (self.neighbour, "away")):
            run("ip", "-n", each, "link", "set", device, "up")
        run("ip", "-n", self.node, "address", "add", "10.8.0.1/24", "dev", "exit")
        run("ip", "-n", self.node, "neighbour", "replace", BACKEND, "lladdr", "02:00:00:00:00:09",
            "dev", "exit", "nud", "permanent")
        self.within(self.node, "sysctl", "-qw", "net.ipv4.ip_forward=1")
        run("ip", "-n", self.neighbour, "route", "add", VIP, "via", HERE)
        self.within(self.neighbour, "ethtool", "-K", "away", "gro", "on")
        self.weir("lb", "service", "add", f"{VIP}:any/udp", "--forward", "l2dsr")
        self.weir("lb", "backend", "add", f"{VIP}:any/udp", BACKEND)
        self.within(self.neighbour, "ethtool", "-K", "away", "gro", "off")

    def drops(self, *words, text=False):
        return Tracing("--pins", self.pins, "drops", *words, text=text, netns=self.node)

    def close(self):
        for each in (self.near, self.far):
            each.end()
        if self.pins.exists():
            subprocess.run(["nsenter", f"--net=/run/netns/{self.node}", BINARY, "--pins",
                            str(self.pins), "detach", "--all"], capture_output=True)
            subprocess.run(["nsenter", f"--net=/run/netns/{self.node}", BINARY, "--pins",
                            str(self.pins), "unload"], capture_output=True)
            self.pins.rmdir()
        for each in (self.node, self.neighbour):
            subprocess.run(["ip", "netns", "del", each], check=False)


def send(times, port, to=HERE, size=20):
    """Datagrams to the other end; from the neighbour to the node, if nothing else is said."""
    return (f"s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)\n"
            f"for _ in range({times}):\n"
            f"    try: s.sendto(b'x' * {size}, ('{to}', {port}))\n"
            f"    except OSError: pass\n"
            f"s.close()")


@dataclass
class Lost:
    """What `lose_in_each_way` did: so many packets at each place."""
    rule: int = 11
    filtered: int = 7
    closed: int = 5
    full: int = 0
    queue: int = 0
    received: int = 0  # by the node
    heard: int = 0  # by its socket

    def all(self):
        return self.rule + self.filtered + self.closed + self.full + self.queue


def make_a_small_socket(lab):
    lab.near.do("r = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)\n"
                f"r.bind(('{HERE}', {FULL}))\n"
                "r.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4000)")


def lose_in_each_way(lab):
    """By a rule, by nft, at a closed port, at a full socket; and in a full queue, if there is one."""
    lost = Lost()
    for port, times in ((RULE, lost.rule), (FILTERED, lost.filtered), (CLOSED, lost.closed)):
        lab.far.do(send(times, port))
    more = 40
    lab.far.do(send(more, FULL, size=1000))
    lost.heard = int(lab.near.ask("r.setblocking(False)\ntaken = 0\n"
                                  "while True:\n"
                                  "    try: r.recv(2000)\n"
                                  "    except BlockingIOError: break\n"
                                  "    taken += 1\n"
                                  "r.close()\nprint(taken, flush=True)"))
    assert 0 < lost.heard < more
    lost.full = more - lost.heard
    lost.received = lost.rule + lost.filtered + lost.closed + more
    lab.near.do(send(20, OPEN, to=THERE, size=1000))
    lost.queue = lab.queue_counters().get("drops", 0)
    return lost


def stage(ledger, direction, name):
    (row,) = [each for each in ledger["stages"]
              if (each["direction"], each["stage"]) == (direction, name)]
    return row


def causes(ledger, direction, name):
    return {each["cause"]: each["packets"] for each in stage(ledger, direction, name)["causes"]}


def checks(ledger):
    return {each["counter"]: (each["counted"], each["explained"]) for each in ledger["checks"]}


def assert_balanced(ledger, lost, queue):
    """Every packet of `lose_in_each_way` stands at its stage, and nowhere else."""
    assert ledger["unexplained"] == 0
    assert ledger["lost"] == lost.all()
    driver = stage(ledger, "received", "driver")
    assert (driver["in"], driver["on"], driver["dropped"]) == (lost.received, lost.received, 0)
    xdp = stage(ledger, "received", "xdp")
    assert (xdp["in"], xdp["on"], xdp["dropped"]) == \
        (lost.received, lost.received - lost.rule, lost.rule)
    assert [each["where"] for each in xdp["causes"]] == [f"udp dport {RULE} drop"]
    assert causes(ledger, "received", "stack") == {"NETFILTER_DROP": lost.filtered,
                                                   "NO_SOCKET": lost.closed}
    assert causes(ledger, "received", "socket") == {"SOCKET_RCVBUFF": lost.full}
    assert stage(ledger, "received", "socket")["on"] == lost.heard
    sent = stage(ledger, "sent", "qdisc")
    assert (sent["on"], sent["dropped"]) == (queue["packets"], lost.queue)
    assert sent["in"] == queue["packets"] + queue["drops"] + queue["qlen"]
    counters = checks(ledger)
    assert counters["rx_packets, seen by XDP"] == (lost.received, lost.received)
    assert counters["xdp_drops of the driver"] == (lost.rule, lost.rule)
    assert counters["UDP NoPorts"] == (lost.closed, lost.closed)
    assert counters["UDP RcvbufErrors"] == (lost.full, lost.full)
    assert counters[f"drops of qdisc {queue['kind']}"] == (lost.queue, lost.queue)
