"""XDP and TC programs as sources: packets from a namespace, with Weir's own programs on their way."""

import json
import os
import subprocess

import pytest

from tracing import Tracing, closing, events

WEIR = os.environ["WEIR"]
NAMESPACE, OUTSIDE, INSIDE = "programs", "prog0", "prog1"
PORTS = {4242: "drop", 4243: "pass"}
SENDER = """
import socket
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.bind(("10.77.0.2", 999))
for port, count in {}: [s.sendto(b"x" * 100, ("10.77.0.1", port)) for _ in range(count)]
"""


def run(*words):
    return subprocess.run(words, check=True, text=True, capture_output=True).stdout


@pytest.fixture(scope="module")
def cable():
    """A cable into a namespace. XDP drops what comes in for port 4242, TC what goes out to it."""
    run("ip", "netns", "add", NAMESPACE)
    run("ip", "link", "add", OUTSIDE, "type", "veth", "peer", "name", INSIDE, "netns", NAMESPACE)
    run("ip", "addr", "add", "10.77.0.1/24", "dev", OUTSIDE)
    run("ip", "link", "set", OUTSIDE, "up")
    run("ip", "-n", NAMESPACE, "addr", "add", "10.77.0.2/24", "dev", INSIDE)
    run("ip", "-n", NAMESPACE, "link", "set", INSIDE, "up")
    for here, there in ((OUTSIDE, ("-n", NAMESPACE, "link", "show", INSIDE)),):
        mac = run("ip", "-br", *there).split()[2]
        run("ip", "neigh", "replace", "10.77.0.2", "lladdr", mac, "dev", here, "nud", "permanent")
    mac = run("ip", "-br", "link", "show", OUTSIDE).split()[2]
    run("ip", "-n", NAMESPACE, "neigh", "replace", "10.77.0.1", "lladdr", mac, "dev", INSIDE, "nud",
        "permanent")
    run(WEIR, "load")
    run(WEIR, "attach", OUTSIDE, "--hook", "xdp", "--hook", "tc-egress")
    subprocess.run([WEIR, "apply", "-"], check=True, text=True, input="""
firewall:
  ingress: {rules: ['udp dport 4242 drop']}
  egress: {rules: ['udp dport 4242 drop']}
""")
    yield
    run(WEIR, "detach", "--all")
    run(WEIR, "unload")
    run("ip", "link", "del", OUTSIDE)
    run("ip", "netns", "del", NAMESPACE)


def send(counts):
    run("ip", "netns", "exec", NAMESPACE, "/usr/bin/python3", "-c", SENDER.format(counts))


def answer(port, count):
    """Out of this side."""
    run("/usr/bin/python3", "-c", f"""
import socket
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
for _ in range({count}):
    try: s.sendto(b"y", ("10.77.0.2", {port}))
    except OSError: pass
""")


MINE = "(dport == 4242 || dport == 4243) && protocol == 17"


def test_what_an_xdp_program_is_given_and_answers(cable):
    entry = Tracing("trace", "xdp:weir_ingress@entry", "--args",
                    "saddr, daddr, sport, dport, dev, xdp->data_end - xdp->data", "--where", MINE)
    exit = Tracing("trace", "xdp:weir_ing*", "--ret", "--where", MINE)
    count = Tracing("top", "xdp:weir_ingress@exit", "--by", "retval, dport", "--where",
                    MINE + " && dev == \"prog0\"")
    dropped = Tracing("count", "xdp:weir_ingress@exit", "--where", f"{MINE} && retval == XDP_DROP")
    send([(4242, 5), (4243, 3)])

    entered, left, top, drops = entry.stop(), exit.stop(), count.stop(), dropped.stop()

    assert [each["values"] for each in events(entered)] == [
        {"saddr": "10.77.0.2", "daddr": "10.77.0.1", "sport": 999, "dport": port, "dev": "prog0",
         "xdp->data_end - xdp->data": 14 + 20 + 8 + 100} for port in 5 * [4242] + 3 * [4243]]
    assert {each["probe"] for each in events(entered)} == {"xdp:weir_ingress@entry"}
    assert [each["values"] for each in events(left)] == \
        5 * [{"retval": "XDP_DROP"}] + 3 * [{"retval": "XDP_PASS"}]
    assert {each["probe"] for each in events(left)} == {"xdp:weir_ingress@exit"}
    assert {(row["retval"], row["dport"], row["count"]) for row in top[0]["rows"]} == \
        {("XDP_DROP", 4242, 5), ("XDP_PASS", 4243, 3)}
    assert [each["count"] for each in drops[0]["counts"]] == [5]
    for documents in (entered, left, top, drops):
        end = closing(documents)
        assert (end["lost"], end["nested"], end["not_probed"]) == (0, 0, [])
        assert set(end["backends"]) == {"fentry"}


def test_what_a_tc_program_is_given_and_answers(cable):
    exit = Tracing("trace", "tc:weir_tc_egress@exit", "--args", "daddr, dport, dev, mark, retval",
                   "--where", MINE)
    entry = Tracing("count", "tc:weir_tc_egress", "--where", MINE)
    shot = Tracing("count", "tc:weir_tc_*@exit", "--where", f"{MINE} && retval == SHOT")
    answer(4242, 4)
    answer(4243, 2)

    left, entered, drops = exit.stop(), entry.stop(), shot.stop()

    seen = [each["values"] for each in events(left)]
    assert [each["dport"] for each in seen] == 4 * [4242] + 2 * [4243]
    assert [each["retval"] for each in seen] == 4 * ["TC_ACT_SHOT"] + 2 * [seen[-1]["retval"]]
    assert seen[-1]["retval"] in ("TC_ACT_UNSPEC", "TC_ACT_OK")
    assert {(each["daddr"], each["dev"], each["mark"]) for each in seen} == \
        {("10.77.0.2", "prog0", 0)}
    assert [each["count"] for each in entered[0]["counts"]] == [6]
    assert [each["count"] for each in drops[0]["counts"]] == [4]


def test_the_time_a_program_takes(cable):
    hist = Tracing("hist", "xdp:weir_ingress", "--where", MINE)
    both = Tracing("hist", "xdp:weir_ingress", "--to", "xdp:weir_ingress@exit", "--id", "xdp",
                   "--where", MINE)
    send([(4243, 6)])

    for documents in (hist.stop(), both.stop()):
        (histogram,) = documents[0]["histograms"]
        assert histogram["events"] == 6
        assert histogram["sum"] > 0


def test_what_cannot_be(cable):
    def refused(*words):
        done = subprocess.run([WEIR, *words], text=True, capture_output=True)
        assert done.returncode != 0
        return done.stderr

    assert "did you mean 'weir_ingress'?" in refused("trace", "xdp:weir_ingres")
    assert "BPF programs are probed by fentry alone" in \
        refused("trace", "xdp:weir_ingress", "--backend", "kprobe")
    assert "'mark' is a packet's, but no argument is a struct sk_buff here" in \
        refused("trace", "xdp:weir_ingress", "--args", "mark")


def test_probes_of_a_program(cable):
    def of_programs():
        found = json.loads(run(WEIR, "--json", "probes"))["probes"]
        return {(each["kind"], each["where"]): each for each in found
                if ":" in each["where"] and "file" not in each}
    before = of_programs()
    assert {kind for kind, _ in before} <= {"freplace"}  # libxdp's dispatcher, where it is there

    trace = Tracing("trace", "xdp:weir_ingress@entry", "xdp:weir_ingress@exit")
    now = of_programs()

    added = {key: each["pid"] for key, each in now.items() if key not in before}
    assert added == {("fentry", "weir_ingress:weir_ingress"): trace.process.pid,
                     ("fexit", "weir_ingress:weir_ingress"): trace.process.pid}
    trace.stop()
    assert of_programs() == before
