"""`weir capture`: what it writes of real traffic, read back by tshark, tcpdump and scapy."""

import json
import re
import signal
import subprocess

import pytest
from scapy.all import DNS, IP, TCP, UDP, Ether, Raw, rdpcap

from lab import CLIENT, VIP, backend

NODE = "10.0.1.1"
CONFIG = """
firewall:
  ingress:
    rules:
      - tcp dport 22 accept
      - tcp dport 23 drop
      - udp dport 7 drop
"""


def tcp(dport, sport=1000):
    return IP(src=CLIENT, dst=NODE) / TCP(sport=sport, dport=dport, flags="S")


def udp(dport, length=20):
    return IP(src=CLIENT, dst=NODE) / UDP(sport=1000, dport=dport) / Raw(bytes(length))


class Capture:
    """The command while it runs; what it is not asked to say ends with the test."""

    def __init__(self, lab, *words):
        self.process = lab.popen("lb", "weir", "capture", *words, text=False,
                                 stdin=subprocess.PIPE, stderr=subprocess.PIPE)
        lab.processes.append(self.process)
        self.said = b""
        while b"attached" not in self.said:
            line = self.process.stderr.readline()
            self.said += line
            assert line, self.said

    def stop(self):
        self.process.send_signal(signal.SIGINT)
        return self.wait()

    def wait(self):
        output, said = self.process.communicate(timeout=60)
        assert self.process.returncode == 0, said
        self.said += said
        return output.decode()

    def counts(self):
        """(captured, taken, lost) as the last line says."""
        found = re.search(rb"(\d+) packets? captured, (\d+) taken from the ring, (\d+) lost",
                          self.said)
        return tuple(map(int, found.groups()))


def tshark(path, *fields, display=None):
    columns = [word for field in fields for word in ("-e", field)]
    done = subprocess.run(["tshark", "-n", "-r", path, "-T", "fields", "-E", "occurrence=f",
                           *columns, *(["-Y", display] if display else [])],
                          check=True, capture_output=True, text=True)
    return [tuple(line.split("\t")) for line in done.stdout.splitlines()]


@pytest.fixture
def file(tmp_path):
    return str(tmp_path / "capture.pcapng")


@pytest.fixture
def node(lab):
    lab.apply(CONFIG)
    lab.resolve(1, 2, 3)
    return lab


def barrier(lab):
    """What was sent before is through the node's programs."""
    assert lab.passes(tcp(9999))


def test_dropped_packets_have_rule_and_reason(node, file):
    handle = [rule["handle"] for rule in
              node.weir_json("fw", "list", "ingress")["chains"][0]["rules"]][1]
    capture = Capture(node, "front", "--verdict", "drop", "-w", file)
    sent = [node.frame(tcp(port, sport=2000 + i)) for i, port in enumerate([22, 23, 80, 23, 23])]
    node.send("rt", *sent)
    barrier(node)
    capture.stop()

    dropped = [sent[1], sent[3], sent[4]]
    assert [bytes(p) for p in rdpcap(file)] == [f for frame in dropped for f in (frame, frame)]
    rows = tshark(file, "frame.interface_name", "frame.packet_id", "frame.comment", "frame.verdict.ebpf_xdp")
    assert [row[0] for row in rows] == ["front entry", "front exit"] * 3
    assert all(rows[i][1] == rows[i + 1][1] for i in (0, 2, 4))
    assert len({row[1] for row in rows}) == 3
    assert {row[2] for row in rows} == {
        f"verdict drop; reason rule; ingress rule handle {handle}: tcp dport 23 drop"}
    assert {row[3] for row in rows} == {"1"}  # XDP_DROP
    assert capture.counts() == (3, 3, 0)


def test_rule_and_filter_choose(node, file):
    handle = [rule["handle"] for rule in
              node.weir_json("fw", "list", "ingress")["chains"][0]["rules"]][2]
    capture = Capture(node, "front", "--rule", handle, "--entry", "-w", file)
    node.send("rt", udp(7), tcp(23), udp(53), udp(7))
    barrier(node)
    capture.stop()
    assert [p[UDP].dport for p in rdpcap(file)] == [7, 7]

    capture = Capture(node, "front", "udp", "port", 53, "--exit", "-w", file)
    node.send("rt", udp(7), tcp(53), udp(53), udp(53), udp(54))
    barrier(node)
    capture.stop()
    rows = tshark(file, "udp.dstport", "frame.interface_name", "frame.comment")
    assert rows == [("53", "front exit", "verdict pass; reason policy (no rule matched: the "
                     "chain's default policy decided)")] * 2


def test_entry_and_exit_show_what_the_balancer_did(node, file):
    node.apply(f"lb: {{source: 10.99.0.1, services: [{{vip: '{VIP}:80/tcp', "
               f"backends: ['{backend(1)}']}}]}}")
    node.detach("front")  # with TC beside, a packet now and then is the kernel's to send
    node.attach("front", "--hook", "xdp")
    packet = node.frame(IP(src=CLIENT, dst=VIP) / TCP(dport=80, flags="S"))
    capture = Capture(node, "front", f"dst host {VIP}", "-c", 1, "-w", file)
    with node.leaving() as out:
        node.send("rt", packet)
        outside = bytes(out.only())
    capture.wait()

    entry, exit = rdpcap(file)
    assert bytes(entry) == packet
    assert bytes(exit) == outside
    comment = tshark(file, "frame.comment")[0][0]
    assert comment.startswith("verdict redirect; reason service")
    assert comment.endswith(f"; backend {backend(1)} of {VIP}:80/tcp, by the ring, a new flow")


def test_which_backend_and_who_chose_it(node):
    node.apply(f"lb: {{source: 10.99.0.1, services: [{{vip: '{VIP}:80/tcp', "
               f"backends: ['{backend(1)}']}}]}}")
    segments = [IP(src=CLIENT, dst=VIP) / TCP(sport=4000, dport=80, flags=flags) for flags in "SAA"]
    to = f"{backend(1)} of {VIP}:80/tcp"
    text = Capture(node, "front", "-c", 3, "tcp port 80")
    node.send("rt", *segments)
    lines = text.wait().splitlines()
    assert [line.split("; to ")[1] for line in lines[:3]] == [
        f"{to}, by the ring, a new flow", f"{to}, by the ring", f"{to}, by the ring"]

    capture = Capture(node, "front", "--json", "-c", 2, "tcp port 80 or tcp port 81")
    node.send("rt", segments[1], tcp(81))
    balanced, other, _ = map(json.loads, capture.wait().splitlines())
    assert (balanced["service"], balanced["backend"], balanced["chosen_by"],
            balanced["new_flow"]) == (f"{VIP}:80/tcp", backend(1), "ring", False)
    assert "service" not in other and "backend" not in other


def test_text_and_json_have_a_line_for_each_packet(node):
    capture = Capture(node, "front", "-c", 2, "tcp port 22 or udp port 7")
    node.send("rt", tcp(22), udp(7))
    first, second, last = capture.wait().splitlines()
    assert first.split()[1:5] == ["front", "xdp", "pass", "rule"]
    assert first.endswith(f"{CLIENT}:1000 > {NODE}:22 tcp S, 54 octets")
    assert second.split()[3] == "drop"
    assert last == "2 packets captured, 2 taken from the ring, 0 lost"

    capture = Capture(node, "front", "--json", "-c", 1, "udp port 7")
    node.send("rt", udp(7))
    packet, closing = map(json.loads, capture.wait().splitlines())
    assert (packet["device"], packet["hook"], packet["verdict"], packet["reason"],
            packet["chain"]) == ("front", "xdp", "drop", "rule", "ingress")
    assert packet["entry"] == packet["exit"]
    assert closing["closing"] == {"captured": 1, "taken": closing["closing"]["taken"], "lost": 0,
                                  "lapses": 0}


def test_tcpdump_reads_it_from_the_pipe(node):
    capture = Capture(node, "front", "--entry", "-c", 3, "udp port 7", "-w", "-")
    reader = subprocess.Popen(["tcpdump", "-nr", "-"], stdin=capture.process.stdout, text=True,
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    node.send("rt", *[udp(7)] * 3)
    shown, complaints = reader.communicate(timeout=60)
    assert reader.returncode == 0, complaints
    assert len(re.findall(rf"IP {CLIENT}\.1000 > {NODE}\.7: UDP, length 20", shown)) == 3
    capture.process.wait(timeout=60)


def test_what_is_captured_and_what_is_lost_is_what_was_sent(node, file):
    capture = Capture(node, "front", "udp port 7", "--ring", "4K", "--entry", "-w", file)
    capture.process.send_signal(signal.SIGSTOP)
    before = node.drops()
    node.send("rt", *[udp(7, 1000)] * 100)
    node.until(lambda: node.drops(before).get("rule") == 100, "100 packets are dropped by the rule")
    capture.process.send_signal(signal.SIGCONT)
    capture.stop()

    captured, taken, lost = capture.counts()
    assert captured == taken == len(rdpcap(file))
    assert lost > 0 and captured > 0
    assert captured + lost == 100
    stats = subprocess.run(["tshark", "-n", "-r", file, "-q", "-z", "io,phs"],
                           capture_output=True, text=True, check=True).stdout
    assert f"frames:{captured}" in stats


def switch_is_on(lab):
    """The bit in the control word, as the pins show it."""
    path = f"/sys/fs/bpf/{lab.name}-lb"
    root = subprocess.run(["find", path, "-name", "control"], check=True, text=True,
                          capture_output=True).stdout.strip()
    done = subprocess.run(["bpftool", "-j", "map", "lookup", "pinned", root, "key", "0", "0", "0",
                           "0"], check=True, capture_output=True, text=True)
    return int(json.loads(done.stdout)["value"][3], 16) & 0x80 != 0


def test_a_killed_capture_leaves_nothing_on(node, file):
    capture = Capture(node, "front", "-w", file)
    assert switch_is_on(node)
    capture.process.kill()
    capture.process.wait()

    # No packet turns it off here: the next command does.
    assert switch_is_on(node)
    node.weir("status")
    assert not switch_is_on(node)

    # Nor does a command here: packets turn it off, once the deadline is over.
    capture = Capture(node, "front", "-w", file)
    capture.process.kill()
    capture.process.wait()

    def off():
        node.send("rt", tcp(22))
        return not switch_is_on(node)
    node.until(off, "the data plane turns off a switch that nobody renews")


def test_packets_are_named_by_the_rules_that_judged_them(node, file):
    capture = Capture(node, "front", "--entry", "tcp port 23", "-w", file)
    node.send("rt", tcp(23))
    barrier(node)
    node.apply("firewall: {ingress: {rules: ['tcp dport 23 accept', 'tcp dport 24 drop']}}")
    node.send("rt", tcp(23))
    barrier(node)
    capture.stop()

    first, second = (text for (text,) in tshark(file, "frame.comment"))
    assert first.startswith("verdict drop; reason rule") and first.endswith(": tcp dport 23 drop")
    assert second.startswith("verdict pass; reason rule")
    assert second.endswith(": tcp dport 23 accept")


def test_a_rule_is_followed_where_it_goes(node, file):
    """A rule that is replaced keeps its handle; its counters become another rule's."""
    handle = [rule["handle"] for rule in
              node.weir_json("fw", "list", "ingress")["chains"][0]["rules"]][1]
    capture = Capture(node, "front", "--rule", handle, "--entry", "-w", file)

    def ports():
        return [packet[TCP].dport for packet in rdpcap(file)]

    def drop_others(*others):
        for port in others:
            node.weir("fw", "insert", f"tcp dport {port} drop")
        node.send("rt", *[tcp(port) for port in others])
        barrier(node)

    node.send("rt", tcp(23))
    barrier(node)
    node.weir("fw", "replace", "handle", str(handle), "tcp dport 24 drop")

    def follows():
        node.send("rt", tcp(23), tcp(24))
        return 24 in ports()
    node.until(follows, "the capture goes with the rule")

    drop_others(101, 102, 103)
    before = len(ports())
    node.send("rt", tcp(24))
    node.until(lambda: len(ports()) == before + 1, "the next packet is captured")

    node.weir("fw", "delete", "handle", str(handle))
    drop_others(104, 105, 106)
    node.send("rt", tcp(24))
    barrier(node)
    capture.stop()
    assert ports() == [23] + [24] * before
    assert {text.split(": ")[0] for (text,) in tshark(file, "frame.comment")} == {
        f"verdict drop; reason rule; ingress rule handle {handle}"}


def test_a_second_capture_is_refused_and_leaves_the_file(node, file):
    Capture(node, "front", "-w", file)
    with open(file, "rb") as there:
        before = there.read()
    done = node.weir("capture", "front", "-w", file, check=False)
    assert done.returncode == 1
    assert "another capture of this Weir is running" in done.stderr
    with open(file, "rb") as there:
        assert there.read() == before


@pytest.mark.parametrize("words, complaint", [
    (["front", "udp prot 53"], "filter 'udp prot 53'"),
    (["front", "--rule", "4711"], "no rule with handle 4711"),
    (["front", "--verdict", "dorp"], "did you mean 'drop'"),
    (["nosuch0"], "no interface and no XDP program has that name"),
    (["back"], "no program to capture at on back"),
    (["front", "-s", "20000"], "--snap"),
])
def test_what_cannot_be_is_refused(node, words, complaint):
    done = node.weir("capture", *words, check=False)
    assert done.returncode in (1, 2)
    assert complaint in done.stderr
