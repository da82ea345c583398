"""`weir path` and `weir why` on the node: Weir's own programs are part of a packet's way, with the rule
that decided. By the capture switch, so that it needs no probe of the kernel's functions."""

import json
import subprocess

import pytest

from lab import CLIENT, VIP, backend

SERVER = backend(1)


def send(lab, port, address=VIP, node="client"):
    """One datagram of five octets."""
    lab.exec(node, "bash", "-c", f"echo -n hello >/dev/udp/{address}/{port}", check=False)


def ask(lab, verb, words, do):
    """The document of the packet that `do` sends, and what was said on stderr."""
    process = lab.popen("lb", "weir", verb, words, "-d", "20", "--json", stderr=subprocess.PIPE,
                        stdin=subprocess.PIPE)
    lab.processes.append(process)
    said = ""
    while "attached" not in said:
        line = process.stderr.readline()
        assert line, said
        said += line
    do()
    out = process.stdout.read()
    said += process.stderr.read()
    assert process.wait() == 0, said
    return json.loads(out.splitlines()[0]), said


def in_weir(document):
    return [(hop["device"], hop["stage"], hop["at"], hop.get("action"), hop.get("by"))
            for hop in document["hops"] if hop["at"].startswith("weir_")]


def handle(lab, text):
    """Of the rule with that text."""
    (found,) = [rule["handle"] for chain in lab.weir_json("fw", "list")["chains"]
                for rule in chain["rules"] if rule["rule"] == text]
    return found


@pytest.fixture
def known(lab):
    """Neighbours know each other, and the service."""
    lab.apply(f"""
firewall:
  ingress: {{rules: ['udp dport 7 accept', 'udp dport 54 drop']}}
  egress: {{rules: ['udp dport 55 drop']}}
lb:
  source: 10.99.0.0/16
  services:
    - {{vip: '{VIP}:53/udp', forward: ipip, backends: ['{SERVER}']}}
""")
    send(lab, 53)
    send(lab, 9, SERVER, "lb")
    return lab


def test_a_rule_drops_it(known):
    document, _ = ask(known, "why", "udp dport 54", lambda: send(known, 54))

    rule = handle(known, "udp dport 54 drop")
    assert in_weir(document) == [("front", "xdp", "weir_ingress", None, None),
                                 ("front", "xdp", "weir_ingress", "drop", f"rule {rule}")]
    assert document["fate"] == "dropped"
    assert document["sentence"] == (
        f"dropped in weir_ingress: by Weir's ingress rule with handle {rule} on front: udp dport 54 "
        f"drop; `weir fw list` shows its place, `weir fw delete handle {rule}` deletes it")
    assert document["packet"].startswith(f"udp {CLIENT}:")


@pytest.fixture
def by_xdp_alone(known):
    """With TC beside, a packet now and then is the kernel's to send."""
    known.detach("front")
    known.attach("front", "--hook", "xdp")
    return known


def test_the_balancer_sends_it_in_a_tunnel(by_xdp_alone):
    known = by_xdp_alone
    document, _ = ask(known, "path", "udp dport 53", lambda: send(known, 53))

    (entry, exit) = [hop for hop in document["hops"] if hop["at"] == "weir_ingress"]
    assert (exit["action"], exit["by"]) == ("redirect", "service")
    assert exit["to"] == f"{SERVER} of {VIP}:53/udp, by the ring"
    assert entry["packet"] == document["packet"]
    assert exit["packet"].startswith("ipip 10.99.") and exit["packet"].endswith(f"> {SERVER}")
    assert exit["octets"] == entry["octets"] + 20
    behind = [hop["packet"] for hop in document["hops"][document["hops"].index(exit) + 1:]]
    assert behind and set(behind) == {exit["packet"]}


def test_a_rule_of_tc_drops_what_goes_out(known):
    lab = known
    lab.attach("back", "--hook", "tc-egress")
    try:
        document, _ = ask(lab, "why", "udp dport 55", lambda: send(lab, 55, SERVER, "lb"))
    finally:
        lab.detach("back")

    rule = handle(lab, "udp dport 55 drop")
    assert ("back", "tc", "weir_tc_egress", "shot", f"rule {rule}") in in_weir(document)
    assert document["hops"][-1]["stage"] == "dropped"
    assert document["cause"] == (
        f"Weir's egress rule with handle {rule} on back: udp dport 55 drop")


def test_a_packet_that_passes_goes_on_in_the_stack(known):
    document, _ = ask(known, "path", "udp dport 7", lambda: send(known, 7, "10.0.1.1"))

    rule = handle(known, "udp dport 7 accept")
    assert ("front", "xdp", "weir_ingress", "pass", f"rule {rule}") in in_weir(document)
    stages = [hop["stage"] for hop in document["hops"]]
    assert stages.index("xdp") < stages.index("receive", stages.index("xdp"))
    assert stages[-1] == "dropped"  # nothing listens


def test_beside_a_capture_it_says_that_it_does_not_see_them(known):
    lab = known
    capture = lab.popen("lb", "weir", "capture", "front", stdout=subprocess.DEVNULL,
                        stderr=subprocess.PIPE)
    try:
        assert "attached" in capture.stderr.readline()
        document, said = ask(lab, "why", "udp dport 54", lambda: send(lab, 54))
    finally:
        capture.terminate()
        capture.communicate()

    assert ("weir: warning: Weir's own programs are not looked into: another capture of this Weir is "
            "running: end it first (one at a time)\n") in said
    assert "handle" not in document["sentence"]
