"""`weir capture` of other people's XDP programs, by fentry and fexit, and of Weir's beside them."""

import re
import signal
import subprocess

import pytest
from scapy.layers.inet import IP, TCP, UDP
from scapy.packet import Raw
from scapy.utils import rdpcap

from lab import CLIENT

NODE = "10.0.1.1"


@pytest.fixture
def file(tmp_path):
    return str(tmp_path / "capture.pcapng")


class Capture:
    def __init__(self, lab, *words):
        self.process = lab.popen("lb", "weir", "capture", *words, stderr=subprocess.PIPE,
                                 stdin=subprocess.PIPE)
        lab.processes.append(self.process)
        self.said = ""
        while "attached" not in self.said:
            line = self.process.stderr.readline()
            self.said += line
            assert line, self.said

    def stop(self):
        self.process.send_signal(signal.SIGINT)
        while line := self.process.stderr.readline():
            self.said += line
        assert self.process.wait(timeout=60) == 0, self.said
        return tuple(map(int, re.search(r"(\d+) packets? captured, \d+ taken from the ring, "
                                        r"(\d+) lost", self.said).groups()))


def udp(port):
    return IP(src=CLIENT, dst=NODE) / UDP(sport=1000, dport=port) / Raw(bytes(30))


def tcp(port):
    return IP(src=CLIENT, dst=NODE) / TCP(dport=port, flags="S")


def comments(path):
    done = subprocess.run(["tshark", "-n", "-r", path, "-T", "fields", "-e", "frame.interface_name",
                           "-e", "frame.comment"], check=True, text=True, capture_output=True)
    return [tuple(line.split("\t")) for line in done.stdout.splitlines()]


def probes():
    """How many programs of the capture the kernel holds."""
    shown = subprocess.run(["bpftool", "prog", "show"], check=True, text=True, capture_output=True)
    return len(re.findall(r"name capture_(?:entry|return)\b", shown.stdout))


def test_somebody_elses_program_by_fentry_and_fexit(network, file):
    lab = network  # without Weir's programs
    lab.exec("lb", "xdp-filter", "load", "front", "-f", "udp")
    try:
        lab.exec("lb", "xdp-filter", "port", "53", "-m", "dst", "-p", "udp")
        with lab.capture("lb", "front", match=lambda f: UDP in f and f[UDP].dport == 9) as stack:
            capture = Capture(lab, "front", "udp and src port 1000", "-w", file)
            wanted = [lab.frame(udp(port)) for port in (53, 9, 53, 53, 9)]
            lab.send("rt", *wanted)
            stack.wait(2)
        assert capture.stop() == (5, 0)
        assert [bytes(p) for p in rdpcap(file)] == [f for w in wanted for f in (w, w)]
        found = comments(file)
        assert [name for name, _ in found] == ["front entry", "front exit"] * 5
        verdicts = [re.fullmatch(r"verdict (\w+); program xdpf\w+ \(id \d+\)", text)[1]
                    for _, text in found]
        assert verdicts[::2] == verdicts[1::2] == ["drop", "pass", "drop", "drop", "pass"]

        # By its name, and only what it drops.
        with lab.capture("lb", "front", match=lambda f: UDP in f and f[UDP].dport == 9) as stack:
            program = re.search(r"program (\w+)", found[0][1])[1]
            capture = Capture(lab, program, "--verdict", "drop", "--entry", "-w", file)
            lab.send("rt", *wanted)
            stack.wait(2)
        assert capture.stop() == (3, 0)
        assert [p[UDP].dport for p in rdpcap(file)] == [53] * 3

        # Where the ring has no room: what is captured and what is lost is what was dropped.
        with lab.capture("lb", "front", match=lambda f: UDP in f and f[UDP].dport == 9) as stack:
            capture = Capture(lab, "front", "--verdict", "drop", "--exit", "--ring", "4K",
                              "-w", file)
            capture.process.send_signal(signal.SIGSTOP)
            lab.send("rt", *[lab.frame(udp(53))] * 100, lab.frame(udp(9)))
            stack.wait(1)
            capture.process.send_signal(signal.SIGCONT)
        captured, lost = capture.stop()
        assert captured > 0 and lost > 0
        assert captured + lost == 100
        assert {name for name, _ in comments(file)} == {"front exit"}
        assert len(rdpcap(file)) == captured

        # Killed, it leaves nothing at the program.
        capture = Capture(lab, "front")
        assert probes() == 2
        capture.process.kill()
        lab.until(lambda: probes() == 0, "fentry and fexit are gone with their process")
    finally:
        lab.exec("lb", "xdp-filter", "unload", "front", check=False)


def test_weirs_own_program_by_its_switch(lab, file):
    lab.apply("firewall: {ingress: {rules: ['tcp dport 23 drop', 'tcp dport 24 drop']}}")
    capture = Capture(lab, "front", "--verdict", "drop", "-w", file)
    lab.send("rt", tcp(23), tcp(24), tcp(25), tcp(23))
    assert lab.passes(tcp(25))
    assert capture.stop() == (3, 0)
    assert [p[TCP].dport for p in rdpcap(file)] == [23, 23, 24, 24, 23, 23]
    handles = {}
    for _, text in comments(file):
        found = re.fullmatch(r"verdict drop; reason rule; ingress rule handle (\d+): "
                             r"tcp dport (2[34]) drop", text)
        handles[found[2]] = found[1]
    assert len(handles) == len(set(handles.values())) == 2

    capture = Capture(lab, "front", "--rule", handles["24"], "--entry", "-w", file)
    lab.send("rt", tcp(23), tcp(24), tcp(25), tcp(23))
    assert lab.passes(tcp(25))
    assert capture.stop() == (1, 0)
    assert [p[TCP].dport for p in rdpcap(file)] == [24]
