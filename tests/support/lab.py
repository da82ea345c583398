"""The lab of netns-scripts/lab.sh as pytest sees it; the picture of it stands there."""

import json
import os
import pathlib
import subprocess
from collections import Counter

import pytest
from scapy.layers.inet6 import ICMPv6ND_NA, ICMPv6ND_NS, IPv6
from scapy.layers.l2 import ARP, Ether
from scapy.packet import Raw

import waiting
from wire import DEADLINE, Capture, inside, packet_socket

SCRIPTS = pathlib.Path(__file__).resolve().parents[2] / "netns-scripts"
LAB = str(SCRIPTS / "lab.sh")
BINARY = pathlib.Path(os.environ["WEIR"]) if "WEIR" in os.environ else None
HTTP_CLIENT = str(pathlib.Path(__file__).resolve().with_name("http_client.py"))

CLIENT, CLIENT6 = "10.0.0.2", "fd00::2"
VIP, VIP6 = "203.0.113.10", "2001:db8::10"
NODE, NODE6 = "10.0.2.1", "fd00:2::1"  # the node's address towards the backends


def backend(number):
    return f"10.0.2.{number + 1}"


def backend6(number):
    return f"fd00:2::{number + 1:x}"


DEFAULT_DEVICE = {"client": "eth0", "rt": "lb", "lb": "front"}
PEER = {("client", "eth0"): ("rt", "client"), ("rt", "lb"): ("lb", "front"),
        ("rt", "node"): ("lb", "back")}


class Lab:
    def __init__(self, name, **options):
        self.name = name
        self.attached = None
        self.processes = []
        self.sockets = {}
        self.macs = {}
        arguments = [word for key, value in options.items() for word in (f"--{key}", str(value))]
        subprocess.run([LAB, "up", name, *arguments], check=True)

    def down(self):
        for s in self.sockets.values():
            s.close()
        subprocess.run([LAB, "down", self.name], check=True)

    # --- commands

    def popen(self, node, *command, **more):
        """A process in a node, as `lab.sh exec` starts it: with that node's pins, and `weir` in the path."""
        environment = {**os.environ, "WEIR_PINS": f"/sys/fs/bpf/{self.name}-{node}"}
        if BINARY is not None:
            environment["PATH"] = f"{BINARY.parent}:{environment['PATH']}"
        with inside(f"{self.name}-{node}"):
            return subprocess.Popen(list(map(str, command)), env=environment,
                                    **{"text": True, "stdout": subprocess.PIPE, **more})

    def exec(self, node, *command, check=True, input=None):
        process = self.popen(node, *command, stderr=subprocess.PIPE,
                             stdin=None if input is None else subprocess.PIPE)
        out, complaints = process.communicate(input)
        assert not check or process.returncode == 0, f"{command}: {out}{complaints}"
        return subprocess.CompletedProcess(command, process.returncode, out, complaints)

    def start(self, node, *command):
        """A process that says "ready" on its first line, and lives until the test's end."""
        process = self.popen(node, *command, stdin=subprocess.PIPE)
        self.processes.append(process)
        assert process.stdout.readline() == "ready\n", f"{command} did not start"
        return process

    def weir(self, *words, node="lb", **more):
        return self.exec(node, "weir", *words, **more)

    def weir_json(self, *words, node="lb"):
        return json.loads(self.weir(*words, "--json", node=node).stdout)

    def start_weir(self, *words, input):
        """A weir command that runs beside the test."""
        process = self.popen("lb", "weir", *words, stdin=subprocess.PIPE)
        process.stdin.write(input)
        process.stdin.close()
        self.processes.append(process)
        return process

    def hooks(self, device="front"):
        """How `weir status` shows what is attached to an interface, by hook."""
        return {hook["hook"]: hook for interface in self.weir_json("status")["interfaces"]
                if interface["name"] == device for hook in interface["hooks"]}

    def apply(self, yaml, node="lb"):
        return self.weir("apply", "-", node=node, input=yaml)

    def attach(self, *words, node="lb"):
        if node == "lb":
            self.attached = None
        return self.weir("attach", *words, node=node)

    def detach(self, *words, node="lb"):
        if node == "lb":
            self.attached = None
        return self.weir("detach", *words, node=node)

    def reset(self):
        """As a fresh node: nothing configured, attached to `front` as by default."""
        if self.attached != "default":
            self.weir("load")
            self.weir("detach", "--all")
            self.weir("attach", "front")
            self.attached = "default"
        self.apply("{}")

    def unload(self):
        """Weir leaves every node that it is loaded on."""
        for pins in pathlib.Path("/sys/fs/bpf").glob(f"{self.name}-*"):
            if any(pins.iterdir()):
                node = pins.name.removeprefix(f"{self.name}-")
                self.detach("--all", node=node)
                self.weir("unload", node=node)
        self.attached = None

    def stop_processes(self):
        for process in self.processes:
            process.kill()
            process.wait()
            process.stdin.close()
            process.stdout.close()
        self.processes.clear()

    # --- frames

    def mac(self, node, device=None):
        device = device or DEFAULT_DEVICE.get(node, "eth0")
        if (node, device) not in self.macs:
            link = json.loads(self.exec(node, "ip", "-j", "link", "show", device).stdout)
            self.macs[node, device] = link[0]["address"]
        return self.macs[node, device]

    def peer(self, node, device):
        """The other end of a cable."""
        if node == "rt" and device.startswith("be"):
            return device, "eth0"
        if node.startswith("be"):
            return "rt", node
        for one, other in PEER.items():
            if (node, device) == one:
                return other
            if (node, device) == other:
                return one
        raise KeyError((node, device))

    def frame(self, packet, node="rt", device=None):
        """Octets on the cable from that device; an Ethernet header is put where there is none."""
        if isinstance(packet, bytes):
            return packet
        if isinstance(packet, Ether):
            return bytes(packet)
        device = device or DEFAULT_DEVICE.get(node, "eth0")
        return bytes(Ether(src=self.mac(node, device), dst=self.mac(*self.peer(node, device)))
                     / packet)

    def send(self, node, *packets, device=None):
        """Out of a device: node "rt" puts frames straight on the cable into the node's `front`."""
        device = device or DEFAULT_DEVICE.get(node, "eth0")
        if (node, device) not in self.sockets:
            self.sockets[node, device] = packet_socket(f"{self.name}-{node}", device)
        for packet in packets:
            self.sockets[node, device].send(self.frame(packet, node, device))

    def capture(self, node, device=None, match=None, sent=False):
        device = device or DEFAULT_DEVICE.get(node, "eth0")
        return Capture(f"{self.name}-{node}", device, match or is_test_traffic, sent)

    def leaving(self, match=None):
        """What the node sends towards the backends, before a backend touches it."""
        return self.capture("rt", "node", match)

    def passes(self, packet):
        """Does this frame, put on the cable, come through XDP unchanged to the node's stack?"""
        frame = self.frame(packet)
        marker = self.frame(MARKER)
        with self.capture("lb", "front", match=lambda _: True) as stack:
            self.send("rt", frame, marker)
            seen = stack.until(lambda frames: any(bytes(f) == marker for f in frames))
            return any(bytes(f) == frame for f in seen)

    def crosses(self, packet, marker, match):
        """Is a frame that the node shall forward seen behind it, before `marker` is?"""
        with self.leaving(match=lambda f: match(f) or marker_of(f) == marker_of(marker)) as out:
            self.send("rt", packet, marker)
            seen = out.until(lambda frames: any(marker_of(f) == marker_of(marker) for f in frames))
            return any(match(f) for f in seen)

    def until(self, done, complaint, timeout=DEADLINE):
        """Waits for what only asking can tell."""
        waiting.until(done, complaint, timeout)

    # --- what Weir says

    def books(self):
        """Also of hooks from which Weir is gone, which the exit status complains of."""
        return json.loads(self.weir("ledger", "--json", check=False).stdout)["books"]

    def drops(self, before=None):
        """Packets dropped at the node by reason, on all hooks; only what came since `before`."""
        reasons = Counter()
        for book in self.books():
            reasons.update({name: of["packets"] for name, of in book["dropped_by"].items()})
        return dict(reasons - Counter(before or {}))

    def books_that_do_not_balance(self, node="lb"):
        books = self.weir_json("ledger", node=node)["books"]
        assert books, "nothing is attached: no book proves anything"
        return [book for book in books
                if any(book["difference"].values()) or any(book["drop_difference"].values())]

    def http(self, number, log="/dev/null", port=80):
        return self.start(f"be{number}", str(SCRIPTS / "http_backend.py"), f"be{number}",
                          str(log), str(port))

    def curl(self, url, *options, check=True):
        done = self.exec("client", "curl", "-gsS", "-m", str(DEADLINE), *options, url, check=check)
        return done.stdout.strip()

    def resolve(self, *numbers):
        """The node knows these backends' MAC addresses, so that nothing waits for a neighbour."""
        for number in numbers:
            mac = self.mac(f"be{number}", "eth0")
            for address in (backend(number), backend6(number)):
                self.exec("lb", "ip", "neigh", "replace", address, "lladdr", mac, "dev", "back",
                          "nud", "permanent")


# An ARP answer that nobody asked for: accepted without rules, and changes nothing.
MARKER = ARP(op=2, hwsrc="02:00:00:00:00:99", psrc="192.0.2.99", hwdst="02:00:00:00:00:98",
             pdst="192.0.2.98")


def marker_of(frame):
    return bytes(frame[Raw].load) if Raw in frame else None


def is_test_traffic(frame):
    """Not the kernel's own neighbour discovery, multicast reports and the like."""
    if ARP in frame or ICMPv6ND_NA in frame or ICMPv6ND_NS in frame:
        return False
    return not (IPv6 in frame and frame[IPv6].dst.startswith("ff02:"))


@pytest.fixture(scope="session")
def laid():
    """One lab for all files of a run: to lay it takes longer than most tests."""
    there = Lab(f"t{os.getpid()}", backends=3)
    try:
        there.resolve(1, 2, 3)
        yield there
    finally:
        there.down()


@pytest.fixture(scope="module")
def network(laid):
    """The lab for the tests of a file, with Weir on no node."""
    try:
        yield laid
    finally:
        laid.stop_processes()
        laid.unload()


@pytest.fixture
def lab(network):
    """That lab as new; afterwards the books must balance."""
    network.reset()
    try:
        yield network
        assert network.books_that_do_not_balance() == []
    finally:
        network.stop_processes()
