"""Connections through changes of the balancer, floods and reused ports: each is counted, none may break
but those of a backend that is gone."""

import json
import pathlib

import pytest
from scapy.all import IP, TCP, Ether

from lab import VIP, backend

SUPPORT = pathlib.Path(__file__).resolve().parents[1] / "support"
TCP_SERVICE, UDP_SERVICE = f"{VIP}:7/tcp", f"{VIP}:7/udp"
FLOWS = 2048  # room in the flow table, so that a flood of several times that is quickly sent


def services(*backends):
    """A backend: its number, or its number and its weight."""
    listed = ", ".join(f"{{address: {backend(n)}, weight: {w}}}" for n, w in
                       (each if isinstance(each, tuple) else (each, 1) for each in backends))
    return "lb:\n  services:\n" + "".join(
        f"  - {{vip: '{service}', forward: l2dsr, backends: [{listed}]}}\n"
        for service in (TCP_SERVICE, UDP_SERVICE))


class Clients:
    """echo_client.py at the client's end. Each test has ports of its own, as sockets outlive their process."""

    ports = 10000

    def __init__(self, lab):
        self.lab = lab
        self.first = Clients.ports
        Clients.ports += 4000
        self.process = lab.start("client", SUPPORT / "echo_client.py", VIP, 7)

    def say(self, *words):
        self.process.stdin.write(" ".join(map(str, words)) + "\n")
        self.process.stdin.flush()
        return json.loads(self.process.stdout.readline())

    def open(self, key, first, count):
        """Connections by backend."""
        opened = self.say("open", key, self.first + first, count)
        assert opened["broken"] == 0, opened
        return opened["by"]

    def udp(self, key, first, count):
        opened = self.say("udp", key, self.first + first, count)
        assert opened["broken"] == 0, opened
        return opened["by"]

    def close(self, key):
        self.say("close", key)

    def until_forgotten(self, first, count):
        """No socket has these ports: the kernel has none of them to wait for."""
        ports = range(self.first + first, self.first + first + count)
        self.lab.until(lambda: not any(
            int(line.split()[3].rsplit(":", 1)[1]) in ports
            for line in self.lab.exec("client", "ss", "-Htan").stdout.splitlines()),
            "the kernel still knows a port")

    def unbroken(self, *keys):
        for key in keys:
            told = self.say("ask", key)
            assert (told["moved"], told["broken"]) == (0, 0), (key, told)


@pytest.fixture
def balanced(lab):
    """Two backends at work of three that answer, in a node whose flow table is small."""
    lab.detach("--all")
    lab.weir("unload")
    lab.weir("load", "--max-flows", FLOWS)
    lab.attach("front")
    lab.attached = None
    for number in (1, 2, 3):
        process = lab.popen(f"be{number}", SUPPORT / "echo_server.py", f"be{number}", 7, stdin=-1)
        lab.processes.append(process)
        process.stdin.write(VIP + "\n")
        process.stdin.flush()
        assert process.stdout.readline() == "ready\n"
    # A port is free as soon as its connection is closed: it is used again at once.
    most = lab.exec("client", "sysctl", "-n", "net.ipv4.tcp_max_tw_buckets").stdout.strip()
    lab.exec("client", "sysctl", "-qw", "net.ipv4.tcp_max_tw_buckets=0")
    lab.apply(services(1, 2))
    yield lab
    lab.exec("client", "sysctl", "-qw", f"net.ipv4.tcp_max_tw_buckets={most}")
    lab.stop_processes()
    lab.detach("--all")
    lab.weir("unload")
    lab.weir("load")
    lab.attach("front")


def tracked(lab, service=TCP_SERVICE):
    return lab.weir_json("lb", "flows", service)["flows"]


# --- changes

def test_thousands_of_connections_stay_through_every_change(balanced):
    lab, clients = balanced, Clients(balanced)
    opened = [("first", clients.open("first", 0, 1500))]
    assert set(opened[0][1]) == {"be1", "be2"}

    changes = [services(1, 2, 3),             # one more
               services((1, 5), 2, 3),        # another weight
               services((1, 5), (2, 0), 3),   # drained
               services(1, 2, (3, 2)),        # and back, while all of that is hot
               services((1, 0), 2, (3, 2))]
    for number, change in enumerate(changes):
        lab.apply(change)
        clients.unbroken(*(key for key, _ in opened))
        key = f"after-{number}"
        opened.append((key, clients.open(key, 2000 + 300 * number, 300)))
        clients.unbroken(key)
    assert "be2" not in opened[3][1], "drained when these were opened"
    assert set(opened[3][1]) == {"be1", "be3"}


def test_only_the_connections_of_a_removed_backend_break(balanced):
    lab, clients = balanced, Clients(balanced)
    by = clients.open("before", 0, 1000)

    lab.apply(services(1, 3))

    told = clients.say("ask", "before")
    assert (told["same"], told["moved"]) == (by["be1"], 0)
    assert told["broken"] == by["be2"], "refused by whom they go to now"
    clients.open("after", 2000, 300)
    clients.unbroken("after")


def test_ports_that_are_used_again_after_a_change(balanced):
    lab, clients = balanced, Clients(balanced)
    clients.open("again", 0, 300)
    clients.open("kept", 1000, 300)

    lab.apply(services((1, 0), (2, 0), 3))
    clients.close("again")
    clients.until_forgotten(0, 300)
    assert set(clients.open("again", 0, 300)) <= {"be3"}
    clients.unbroken("again", "kept")
    lab.apply(services(1, 2, (3, 0)))
    clients.close("again")
    clients.until_forgotten(0, 300)
    clients.open("again", 0, 300)
    clients.unbroken("again")


def test_udp_exchanges_keep_their_backend(balanced):
    lab, clients = balanced, Clients(balanced)
    assert set(clients.udp("before", 0, 100)) == {"be1", "be2"}

    lab.apply(services((1, 0), (2, 0), 3))

    clients.unbroken("before")
    assert len(tracked(lab, UDP_SERVICE)) == 100


# --- floods

def flood(lab, flags, count, sport=20000):
    """From as many clients, each packet twice: straight on the cable into the node."""
    frame = bytearray(lab.frame(IP(src="198.18.0.0", dst=VIP) / TCP(sport=sport, dport=7, flags=flags)))
    source = len(Ether()) + 12
    before = lab.weir_json("lb", "service", "list")["services"][0]["packets"]
    for number in range(count):
        frame[source:source + 4] = (198 << 24 | 18 << 16 | number).to_bytes(4, "big")
        lab.send("rt", bytes(frame), bytes(frame))
        if number % 100 == 0:  # no more at once than a queue takes
            lab.until(lambda: lab.weir_json("lb", "service", "list")["services"][0]["packets"]
                      >= before + 2 * number, "the flood does not arrive")


@pytest.mark.parametrize("flags", ["S", "A"])
def test_no_flood_breaks_a_connection(balanced, flags):
    lab, clients = balanced, Clients(balanced)
    clients.open("rest", 0, 200)
    flood(lab, flags, 5 * FLOWS)
    assert tracked(lab) == [], "at rest nothing is entered, whatever comes"
    clients.unbroken("rest")

    lab.apply(services((1, 0), (2, 0), 3))
    assert set(clients.open("hot", 1000, 200)) == {"be3"}
    flood(lab, flags, 5 * FLOWS, sport=30000)

    clients.unbroken("rest", "hot")
    established = [flow for flow in tracked(lab) if flow["state"] == "established"]
    assert len(established) == 200


# --- what is over

def test_closed_connections_are_told_from_living_ones(balanced):
    lab, clients = balanced, Clients(balanced)
    lab.apply(services((1, 0), 2))
    clients.open("over", 0, 50)
    clients.open("on", 1000, 50)
    entered = len(tracked(lab))
    assert 0 < entered <= 100

    clients.close("over")

    lab.until(lambda: any(flow["closed"] for flow in tracked(lab)), "no end was seen")
    lab.until(lambda: sum(not flow["closed"] for flow in tracked(lab)) ==
              sum(flow["sport"] >= clients.first + 1000 for flow in tracked(lab)), lambda: tracked(lab))
    clients.unbroken("on")
