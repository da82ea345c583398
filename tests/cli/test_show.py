"""The verbs that look: status, stats, ledger, explain, doctor; and output that goes nowhere."""

import json
import os
import pty
import re
import signal
import subprocess
import time

import pytest
from scapy.all import ICMP, IP, UDP, Dot1Q, Ether, IPv6, PcapNgWriter, raw, wrpcap

SERVICE = "203.0.113.10:80/tcp"
BALANCED = """
firewall:
  ingress:
    rules: [tcp dport 22 drop comment "no shells"]
lb:
  source: 10.99.0.1
  gateway: 02:00:00:00:00:99
  services:
    - {vip: 203.0.113.10:80/tcp, backends: [10.0.2.2]}
"""
MACS = {"src": "02:00:00:00:00:01", "dst": "02:00:00:00:00:02"}


def explained(weir, *words, **more):
    (packet,) = weir.json("explain", *words, **more)["packets"]
    return packet


# --- explain

def test_a_described_packet_is_the_one_that_is_run(weir):
    told = explained(weir, "ip saddr 10.0.0.1 ip daddr 10.0.0.2 udp sport 5 udp dport 53 "
                     "payload length 4")
    frame = Ether(**MACS) / IP(src="10.0.0.1", dst="10.0.0.2", id=0) / UDP(sport=5, dport=53) / bytes(
        range(4))
    assert told["input"]["hex"] == raw(frame).hex()
    assert told["output"]["hex"] == told["input"]["hex"]
    assert told["output"]["changes"] == []


def test_the_rule_that_decided_is_named(weir):
    weir("apply", "-", input=BALANCED)
    (handle,) = weir.handles()

    told = explained(weir, "tcp dport 22")
    assert told["rule"] == {"chain": "ingress", "handle": handle,
                            "rule": 'tcp dport 22 drop comment "no shells"'}
    assert (told["verdict"], told["action"], told["reason"]) == ("drop", "XDP_DROP", "rule")

    text = weir("explain", "tcp", "dport", "22")
    assert f'rule:    tcp dport 22 drop comment "no shells" # handle {handle}, chain ingress\n' in text
    assert "verdict: drop (XDP_DROP)\n" in text
    assert "output:  54 octets, unchanged\n\t0x0000:  0200 0000 0002 0200" in text


def test_the_backend_and_the_new_header_are_shown(weir):
    weir("apply", "-", input=BALANCED)
    told = explained(weir, "ip saddr 10.0.0.1 ip daddr 203.0.113.10 tcp dport 80")

    assert (told["rule"], told["service"], told["backend"], told["flow"]) == (
        None, SERVICE, "10.0.2.2", "ring")
    assert (told["verdict"], told["action"], told["reason"]) == ("send", "XDP_TX", "service")
    sent = Ether(bytes.fromhex(told["output"]["hex"]))
    assert sent.dst == "02:00:00:00:00:99"
    assert (sent[IP].src, sent[IP].dst, sent[IP].proto) == ("10.99.0.1", "10.0.2.2", 4)
    assert sent[IP].payload == Ether(bytes.fromhex(told["input"]["hex"]))[IP]


def test_nothing_is_counted_and_no_flow_entered(weir):
    weir("apply", "-", input=BALANCED)
    before = weir("ledger"), weir("stats")
    for _ in range(3):
        weir("explain", "ip daddr 203.0.113.10 tcp dport 80 tcp flags ack")
    assert (weir("ledger"), weir("stats")) == before
    assert weir.json("lb", "flows", SERVICE)["flows"] == []


@pytest.mark.parametrize("form", [
    lambda h: ["--hex", h],
    lambda h: ["--hex", ":".join(h[i:i + 2] for i in range(0, len(h), 2)).upper()],
    lambda h: ["--hex", *(h[i:i + 4] for i in range(0, len(h), 4))],
])
def test_hex_in_every_form(weir, form):
    frame = raw(Ether(**MACS) / Dot1Q(vlan=5) / IP() / ICMP()).hex()
    assert explained(weir, *form(frame))["input"]["hex"] == frame


def test_hex_from_standard_input(weir):
    frame = raw(Ether(**MACS) / IPv6() / UDP()).hex()
    assert explained(weir, "--hex", "-", input=frame[:20] + "\n" + frame[20:] + "\n")[
        "input"]["hex"] == frame


def test_every_packet_of_a_capture(weir, tmp_path):
    weir("fw", "add", "udp dport 53 drop")
    frames = [Ether(**MACS) / IP() / UDP(dport=port) for port in (52, 53, 54)]
    wrpcap(str(tmp_path / "classic.pcap"), frames)
    with PcapNgWriter(str(tmp_path / "new.pcapng")) as writer:
        writer.write(frames)

    for name in ("classic.pcap", "new.pcapng"):
        packets = weir.json("explain", "--pcap", tmp_path / name)["packets"]
        assert [p["verdict"] for p in packets] == ["pass", "drop", "pass"]
    assert re.findall("^packet .*$", weir("explain", "--pcap", tmp_path / "classic.pcap"),
                      re.MULTILINE) == ["packet 1", "packet 2", "packet 3"]


def test_captures_that_cannot_be_used_are_named(weir, tmp_path):
    wrpcap(str(tmp_path / "raw.pcap"), [IP() / UDP()], linktype=101)
    (tmp_path / "text").write_text("no capture, but long enough to be read as one")

    assert weir.refuses(1, "explain", "--pcap", tmp_path / "raw.pcap").startswith(
        f"{tmp_path}/raw.pcap: link type RAW: expected Ethernet (EN10MB)")
    assert weir.refuses(1, "explain", "--pcap", tmp_path / "text").startswith(
        f"reading {tmp_path}/text: unknown file format")
    assert "No such file" in weir.refuses(1, "explain", "--pcap", "/nowhere.pcap")


def test_the_hook_and_the_interface_choose_the_program(weir):
    weir("fw", "add", "egress", 'oifname "out0" udp dport 53 drop')
    weir("fw", "add", "ingress", 'iifname "in0" udp dport 53 drop')
    weir("attach", "in0")
    weir("attach", "out0", "--hook", "tc-egress")
    try:
        assert explained(weir, "--hook", "tc-egress", "--dev", "out0", "udp dport 53")[
            "action"] == "TC_ACT_SHOT"
        assert explained(weir, "--hook", "tc-egress", "udp dport 53")["verdict"] == "pass"
        assert explained(weir, "--dev", "in0", "udp dport 53")["action"] == "XDP_DROP"
        assert explained(weir, "udp dport 53")["verdict"] == "pass"
    finally:
        weir("detach", "--all")


def test_what_no_packet_is_is_refused_by_column(weir):
    assert weir.refuses(2, "explain", "ip saddr 10.0.0.1 ip6 daddr ::1") == (
        "column 19: 'ip6 daddr': the packet is IPv4 already")
    assert weir.refuses(1, "explain", "--hex", "00 01") == (
        "the frame has 2 octets: an Ethernet frame has at least 14")


# --- status

def test_status_says_what_is_loaded(weir):
    status = weir.json("status")

    assert status["loaded"] is True
    assert status["pins"] == f"{weir.pins}/{status['map_schema']}"
    assert status["generation"] == status["generations"][0]["number"]
    assert [p["name"] for p in status["programs"]] == [
        "weir_ingress", "weir_tc_ingress", "weir_tc_egress"]
    for program in status["programs"]:
        assert os.path.exists(program["pin"])
        assert re.fullmatch("[0-9a-f]{16}", program["tag"])
        shown = json.loads(subprocess.run(["bpftool", "-j", "prog", "show", "pinned",
                                           program["pin"]], check=True,
                                          capture_output=True).stdout)
        assert (shown["id"], shown["tag"]) == (program["id"], program["tag"])
    assert status["interfaces"] == []
    assert "no interface attached" in weir("status")


def test_status_shows_what_is_attached(weir):
    weir("attach", "in0", "--hook", "xdp,tc-egress", "--role", "filter")
    try:
        (shown,) = weir.json("status")["interfaces"]
        assert (shown["name"], shown["role"]) == ("in0", "filter")
        assert [h["hook"] for h in shown["hooks"]] == ["xdp", "tc-egress"]
        assert shown["hooks"][0]["mode"] == "native"
        again = weir.json("attach", "in0", "--hook", "xdp", "--role", "filter")["attached"]
        assert again[0]["program"] == shown["hooks"][0]["program"]
        weir("detach", "in0", "--hook", "xdp")
        (shown,) = weir.json("status")["interfaces"]
        assert [h["hook"] for h in shown["hooks"]] == ["tc-egress"]
    finally:
        assert weir("detach", "--all") == "detached from in0\n"
    assert weir("detach", "--all") == "nothing is attached\n"


def test_an_unknown_interface_is_named(weir):
    message = weir.refuses(1, "attach", "in1")
    assert "in1" in message and "in0" in message


# --- counters

def test_stats_have_their_sections(weir):
    weir("apply", "-", input=BALANCED)
    stats = weir.json("stats")

    assert set(stats) == {"schema", "generation", "interfaces", "rules", "services", "backends",
                          "drops", "classes"}
    (rule,) = stats["rules"]
    assert (rule["chain"], rule["packets"], rule["bytes"]) == ("ingress", 0, 0)
    (service,) = stats["services"]
    assert service == {"service": SERVICE, "packets": 0, "bytes": 0, "dropped": 0,
                       "connections": 0, "at-rest": 128, "hot": 0, "entries": 0, "overflow": 0}
    (backend,) = stats["backends"]
    assert backend == {"service": SERVICE, "backend": "10.0.2.2", "packets": 0, "bytes": 0,
                       "connections": 0}


def test_a_watch_shows_rates_until_it_is_interrupted(weir):
    began = time.monotonic()
    process = weir.start("stats", "--watch", "0.1", "--json")
    decoder = json.JSONDecoder()
    text = ""
    while text.count('"schema"') < 3:
        text += process.stdout.readline()
    process.send_signal(signal.SIGINT)
    rest, complaint = process.communicate(timeout=30)
    ended = time.monotonic()

    assert (process.returncode, complaint) == (0, "")
    first, _ = decoder.raw_decode(text + rest)
    assert 0.1 <= first["seconds"] <= ended - began
    assert all("packets_per_second" in row for row in first["interfaces"])


def test_a_watch_ends_with_its_reader(weir):
    done = subprocess.run(["bash", "-c", 'set -o pipefail; "$@" | head -n 1; echo "$?"', "bash",
                           *weir.command("stats", "--watch", "0.1")], env=weir.environment,
                          text=True, capture_output=True, timeout=60)
    assert done.stderr == ""
    assert done.stdout.splitlines()[-1] == "0"


def test_a_watch_redraws_a_terminal(weir):
    ours, theirs = pty.openpty()
    process = subprocess.Popen(weir.command("stats", "--watch", "0.1"), env=weir.environment,
                               stdout=theirs)
    os.close(theirs)
    seen = b""
    while seen.count(b"\x1b[H\x1b[J") < 2:
        seen += os.read(ours, 4096)
    process.send_signal(signal.SIGINT)
    assert process.wait(timeout=30) == 0
    os.close(ours)


def test_the_books_balance_after_traffic(weir):
    weir("fw", "add", "udp dport 9 drop")
    weir("attach", "in0")
    try:
        subprocess.run(["nsenter", f"--net=/run/netns/{weir.namespace}", "/usr/bin/python3", "-c",
                        "from scapy.all import *; "
                        "sendp([Ether(dst='ff:ff:ff:ff:ff:ff')/IP()/UDP(dport=p) for p in (8, 9, 9)], "
                        "iface='out0', verbose=0)"], check=True)
        ledger = weir.json("ledger")
        assert ledger["balanced"] is True
        (book,) = [b for b in ledger["books"] if b["interface"] == "in0" and b["hook"] == "xdp"]
        assert book["dropped_by"]["rule"]["packets"] == 2
        assert book["received"]["packets"] >= 3
        assert book["difference"] == {"packets": 0, "bytes": 0}
        assert weir.json("fw", "list")["chains"][0]["rules"][0]["packets"] == 2
        assert "udp dport 9 counter packets 2 bytes" in weir("fw", "list", "--nonzero")

        weir("fw", "reset", "ingress")
        assert weir.json("fw", "list")["chains"][0]["rules"][0]["packets"] == 0
    finally:
        weir("detach", "--all")


def test_the_doctor_looks_and_leaves_nothing(weir):
    findings = weir.json("doctor")["findings"]
    assert all(f["level"] in ("ok", "limited", "broken") for f in findings)
    assert any(f["what"] == "kernel" for f in findings)


# --- where output goes

@pytest.mark.parametrize("verb", ["status", "export", "stats", "ledger"])
def test_a_full_disk_is_an_error(weir, verb):
    with open("/dev/full", "w") as full:
        done = subprocess.run(weir.command(verb), env=weir.environment, text=True, stdout=full,
                              stderr=subprocess.PIPE)
    assert (done.returncode, done.stderr) == (
        1, "weir: writing the output: No space left on device\n")


def test_closed_descriptors_never_reach_a_map(weir):
    before = weir("export")
    line = " ".join(weir.command("fw", "list"))
    done = subprocess.run(["bash", "-c", f"{line} <&- >&- 2>&-"], env=weir.environment)
    assert done.returncode == 1
    assert weir("export") == before
