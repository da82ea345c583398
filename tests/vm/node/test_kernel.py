"""What depends on the kernel, under each that is supported: run by netns-scripts/vm.sh."""

import os
import platform

import pytest
from scapy.layers.inet import IP, TCP
from scapy.layers.inet6 import IPv6

from lab import CLIENT, CLIENT6, VIP, VIP6, backend, backend6

VERSION = tuple(int(part) for part in platform.release().split(".")[:2])
HAS_TCX = VERSION >= (6, 6)
# Packet-changing programs behind stubs that change none: 6.13, and stable kernels of 6.12.
REFUSES_STOCK_DISPATCHER = VERSION >= (6, 12)

CONFIG = f"""
firewall: {{ingress: {{rules: ['tcp dport 23 drop']}}}}
lb:
  source: 10.99.0.1
  source6: fd00:99::1
  services:
    - {{vip: '{VIP}:80/tcp', backends: ['{backend(1)}']}}
    - {{vip: '[{VIP6}]:80/tcp', backends: ['{backend6(1)}']}}
"""


def to_node(port):
    return IP(src=CLIENT, dst="10.0.1.1") / TCP(sport=999, dport=port, flags="S")


def test_this_is_the_guest():
    assert os.uname().nodename == "weir-vm"


def test_every_program_loads(lab):
    programs = lab.weir_json("status")["programs"]

    assert {p["name"] for p in programs} == {"weir_ingress", "weir_tc_ingress", "weir_tc_egress"}
    assert all(p["id"] > 0 and p["verified_insns"] > 0 for p in programs)


def test_forward_and_drop(lab):
    lab.apply(CONFIG)

    assert not lab.passes(to_node(23))
    assert lab.passes(to_node(24))
    with lab.leaving() as out:
        lab.send("rt", IP(src=CLIENT, dst=VIP) / TCP(dport=80, flags="S"),
                 IPv6(src=CLIENT6, dst=VIP6) / TCP(dport=80, flags="S"))
        v4, v6 = out.wait(2)
    assert (v4[IP].dst, v4[IP].proto) == (backend(1), 4)
    assert (v6[IPv6].dst, v6[IPv6].nh) == (backend6(1), 41)


def test_http_through_a_tunnel_and_the_decap_role(lab):
    lab.weir("load", "--max-flows", "64", node="be1")
    lab.attach("eth0", "--role", "decap", "--hook", "xdp", node="be1")
    lab.apply(CONFIG)
    lab.http(1)

    assert lab.curl(f"http://{VIP}/") == "be1"
    assert lab.curl(f"http://[{VIP6}]/") == "be1"


def test_tc_by_tcx_where_the_kernel_has_it(lab):
    lab.attach("back", "--hook", "tc-egress")
    lab.apply("firewall: {egress: {rules: ['udp dport 53 drop']}}")
    wanted = "tcx" if HAS_TCX else "clsact"

    assert lab.hooks()["tc-ingress"]["mode"] == wanted
    assert lab.hooks("back")["tc-egress"]["mode"] == wanted
    lab.exec("lb", "/usr/bin/python3", "-c",
             "import socket; s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)\n"
             f"for port in (53, 54):\n"
             "    try: s.sendto(b'?', ('10.0.2.2', port))\n"
             "    except PermissionError: pass")
    rules = [c for c in lab.weir_json("fw", "list")["chains"] if c["chain"] == "egress"][0]["rules"]
    assert rules[0]["packets"] == 1


@pytest.fixture
def xdp_filter(lab):
    """xdp-filter's commands on the node; it is off the interface afterwards."""
    def run(*words, check=True):
        return lab.exec("lb", "xdp-filter", *words, check=check)

    try:
        yield run
    finally:
        lab.detach("--all")
        run("unload", "front", check=False)


def drops_of_both(lab):
    assert not lab.passes(to_node(23)), "Weir's rule"
    assert not lab.passes(to_node(81)), "xdp-filter's"
    assert lab.passes(to_node(82)), "nobody's"


def test_weir_shares_the_interface_behind_xdp_filter(lab, xdp_filter):
    lab.detach("front", "--hook", "xdp")
    xdp_filter("load", "-m", "native", "-f", "tcp", "front")
    xdp_filter("port", "-p", "tcp", "-m", "dst", "81")
    lab.attach("front")
    lab.apply(CONFIG)

    assert lab.hooks()["xdp"]["sharing"] == "dispatcher"
    assert [name.split()[0] for name in lab.hooks()["xdp"]["others"]] == ["xdpfilt_alw_tcp"]
    drops_of_both(lab)
    assert lab.weir_json("fw", "list")["chains"][0]["rules"][0]["packets"] == 1

    left = xdp_filter("unload", "front", check=False)
    assert (left.returncode != 0) == REFUSES_STOCK_DISPATCHER
    assert len(lab.hooks()["xdp"]["others"]) == int(REFUSES_STOCK_DISPATCHER)
    assert not lab.passes(to_node(23)), "Weir stays in any case"

    lab.detach("front", "--hook", "xdp")
    assert lab.passes(to_node(81)) == (not REFUSES_STOCK_DISPATCHER), "xdp-filter stays"
    xdp_filter("unload", "front", check=REFUSES_STOCK_DISPATCHER)
    assert lab.passes(to_node(81))


def test_xdp_filter_comes_and_goes_beside_weir_where_the_kernel_lets_it(lab, xdp_filter):
    lab.apply(CONFIG)
    before = lab.hooks()["xdp"]
    assert (before["sharing"], before["others"]) == ("dispatcher", [])

    loaded = xdp_filter("load", "-m", "native", "-f", "tcp", "front", check=False)
    if REFUSES_STOCK_DISPATCHER:
        assert "weir_ingress" in loaded.stderr and loaded.returncode != 0
        assert lab.hooks()["xdp"] == before
        assert not lab.passes(to_node(23))
        return
    assert loaded.returncode == 0, loaded.stderr
    xdp_filter("port", "-p", "tcp", "-m", "dst", "81")
    drops_of_both(lab)
    xdp_filter("unload", "front")
    assert lab.hooks()["xdp"]["sharing"] == "dispatcher"
    assert lab.hooks()["xdp"]["others"] == []
    assert lab.passes(to_node(81)) and not lab.passes(to_node(23))


# Where Weir's dispatcher is put for libxdp to find.
WITHOUT_RUN = ("unshare", "-m", "sh", "-c", 'mount -t tmpfs -o ro none /run && exec "$0" "$@"')


def test_a_link_stands_in_where_no_dispatcher_can_hold_weir(lab):
    lab.detach("front", "--hook", "xdp")

    first = lab.exec("lb", *WITHOUT_RUN, "weir", "attach", "front")
    again = lab.weir("attach", "front")

    lab.apply(CONFIG)
    assert not lab.passes(to_node(23)) and lab.passes(to_node(24))
    if not REFUSES_STOCK_DISPATCHER:
        assert lab.hooks()["xdp"]["sharing"] == "dispatcher"
        assert first.stderr == again.stderr == ""
        return
    assert lab.hooks()["xdp"]["sharing"] == "link"
    assert first.stderr == (
        "weir: warning: front: this kernel lets libxdp's dispatcher hold no program that changes "
        "packets, and Weir's cannot take its place: making a folder in /run: Read-only file "
        "system: attached by a link, no other XDP program can share the interface\n")
    assert again.stderr == (
        "weir: warning: front: XDP is attached already, by a link: no other XDP program can share "
        "the interface; to try to share it run `weir detach front --hook xdp` first\n")


def test_no_link_stands_in_beside_others(lab, xdp_filter):
    lab.detach("front", "--hook", "xdp")
    xdp_filter("load", "-m", "native", "-f", "tcp", "front")

    refused = lab.exec("lb", *WITHOUT_RUN, "weir", "attach", "front", check=False)

    assert (refused.returncode != 0) == REFUSES_STOCK_DISPATCHER
    if REFUSES_STOCK_DISPATCHER:
        assert refused.stderr.startswith("weir: front carries XDP program xdpfilt_alw_tcp (id ")
        assert refused.stderr.endswith(
            "take it off with `xdp-loader unload front --all`, or attach with --hook "
            "tc-ingress\n")


@pytest.mark.parametrize("mode", ["native", "generic"])
def test_exclusive_attachment(lab, mode):
    lab.detach("--all")
    lab.attach("front", "--exclusive", "--mode", mode)
    lab.apply(CONFIG)

    assert (lab.hooks()["xdp"]["sharing"], lab.hooks()["xdp"]["mode"]) == ("link", mode)
    assert not lab.passes(to_node(23)) and lab.passes(to_node(24))


def test_doctor_knows_this_kernel(lab):
    findings = {f["what"]: f for f in lab.weir_json("doctor")["findings"]}

    assert platform.release() in findings["kernel"]["found"]
    assert not [f for f in findings.values() if f["level"] == "broken"]
    assert (findings["freplace"]["level"] == "limited") == REFUSES_STOCK_DISPATCHER
    # What is missing is said with what that costs.
    assert all(f["consequence"] for f in findings.values() if f["level"] != "ok")
