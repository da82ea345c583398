"""`weir path` and `weir why` where XDP programs take a packet: Weir's own on the lab's node, and the
one that passes everything on the router's ports."""

import pytest

from lab import CLIENT, VIP, backend
from tracing import Tracing

SERVER = backend(1)
CONFIG = f"""
firewall:
  ingress: {{rules: ['udp dport 54 drop']}}
lb:
  source: 10.99.0.0/16
  services:
    - {{vip: '{VIP}:53/udp', forward: ipip, backends: ['{SERVER}']}}
"""


def send(lab, port, address=VIP):
    """One datagram of five octets from the client."""
    lab.exec("client", "bash", "-c", f"echo -n hello >/dev/udp/{address}/{port}")


@pytest.fixture(scope="module", params=["native", "generic"])
def node(network, request):
    """Weir balances and filters in front of a backend that unpacks IPIP."""
    lab = network
    lab.weir("load")
    # With TC beside, a packet now and then is the kernel's to send.
    lab.attach("front", "--exclusive", "--hook", "xdp", "--mode", request.param)
    lab.apply(CONFIG)
    lab.exec("be1", "ip", "tunnel", "add", "t1", "mode", "ipip", "local", SERVER)
    lab.exec("be1", "ip", "link", "set", "t1", "up")
    lab.resolve(1)
    send(lab, 53)  # neighbours know each other from here on
    yield lab, request.param
    lab.exec("be1", "ip", "tunnel", "del", "t1")
    lab.detach("--all")
    lab.weir("unload")


def ask(lab, verb, words, port):
    asking = Tracing(verb, words, "-d", 60)
    send(lab, port)
    return asking.wait()[0]


def short(lab, document):
    return [(hop["netns"].removeprefix(f"{lab.name}-"), hop["device"], hop["stage"], hop["at"],
             hop.get("action")) for hop in document["hops"]]


def test_from_the_sender_through_xdp_and_a_tunnel_to_the_backend(node):
    lab, mode = node

    document = ask(lab, "path", f"ip daddr {VIP} udp dport 53", 53)

    hops = short(lab, document)
    first = hops.index(("lb", "front", "xdp", "weir_ingress", None))
    assert hops[first - 1] == (("rt", "lb", "driver", "ndo_start_xmit", None) if mode == "native"
                               else ("lb", "front", "receive", "netif_receive_skb", None))
    assert hops[first + 1:first + 4] == [
        ("lb", "front", "xdp", "weir_ingress", "redirect"),
        ("rt", "node", "xdp", "lab_pass", None),
        ("rt", "node", "xdp", "lab_pass", "pass")]
    assert hops[0][0] == "client" and hops[-1][:3] == ("be1", "t1", "dropped")
    packets = [hop["packet"] for hop in document["hops"]]
    assert packets[first].startswith(f"udp {CLIENT}:") and packets[first].endswith(f"> {VIP}:53")
    assert packets[first + 1].startswith("ipip 10.99.") and packets[first + 1].endswith(f"> {SERVER}")
    assert packets[-1] == packets[first]
    times = [hop["us"] for hop in document["hops"]]
    assert times == sorted(times)


def test_a_program_that_drops(node):
    lab, _ = node

    document = ask(lab, "why", "udp dport 54", 54)

    assert (document["fate"], document["cause"]) == ("dropped",
                                                     "the XDP program of front dropped it")
    assert document["sentence"].startswith("dropped in weir_ingress: ")
    assert short(lab, document)[0][:3] == ("client", "", "output")
    assert ("lb", "front", "xdp", "weir_ingress", "drop") in short(lab, document)


def test_a_buffer_whose_network_header_the_driver_has_not_set(network):
    """As it comes out of a program: the router's port builds a new one for what it passes."""
    lab = network
    query = ["bash", "-c", f"echo -n hello >/dev/udp/{SERVER}/777"]
    lab.exec("lb", *query)  # neighbours know each other from here on
    watching = Tracing("top", "raw:napi_gro_receive_entry", "--by", "daddr, dport", "--where",
                       'dev == "node" && dport == 777')
    for _ in range(3):
        lab.exec("lb", *query)

    (round_,) = watching.stop()[:-1]

    assert [(row["daddr"], row["dport"], row["count"]) for row in round_["rows"]] == [
        (SERVER, 777, 3)]
