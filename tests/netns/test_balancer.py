"""Services on real traffic: what leaves the node, to the octet, and TCP connections through it."""

import pytest
from scapy.all import (ICMP, IP, TCP, Ether, ICMPv6DestUnreach, ICMPv6EchoReply, ICMPv6EchoRequest,
                       IPv6, Raw)

from lab import CLIENT, CLIENT6, HTTP_CLIENT, VIP, VIP6, backend, backend6

SERVICE, SERVICE6 = f"{VIP}:80/tcp", f"[{VIP6}]:80/tcp"
SOURCE, SOURCE6 = "10.99.0.1", "fd00:99::1"


def services(*numbers, forward="ipip", port="80/tcp", settings=""):
    def one(vip, address):
        backends = "".join(f"\n      - {address(n)}" for n in numbers)
        return (f"\n  - vip: '{vip}:{port}'\n    forward: {forward}\n"
                f"    backends:{backends or ' []'}")
    return (f"lb:\n  source: {SOURCE}\n  source6: {SOURCE6}\n{settings}"
            f"  services:{one(VIP, backend)}{one(f'[{VIP6}]', backend6)}\n")


def decapsulate(lab, *numbers):
    """These backends take the outer header off themselves."""
    for number in numbers:
        lab.weir("load", "--max-flows", "64", node=f"be{number}")
        lab.attach("eth0", "--role", "decap", "--hook", "xdp", node=f"be{number}")


def syn(sport=40000, **ip):
    return IP(src=CLIENT, dst=VIP, **ip) / TCP(sport=sport, dport=80, flags="S", seq=7)


def syn6(sport=40000, **ip):
    return IPv6(src=CLIENT6, dst=VIP6, **ip) / TCP(sport=sport, dport=80, flags="S", seq=7)


def counted(lab, service=SERVICE):
    """Packets by backend address."""
    return {b["address"]: b["packets"]
            for b in lab.weir_json("lb", "backend", "list", service)["backends"]}


# --- frames

def test_ipip_frame_to_the_octet(lab):
    lab.apply(services(1))
    inner = syn(tos=0x2e << 2 | 1, ttl=9, id=77)

    with lab.leaving() as out:
        lab.send("rt", inner)
        frame = out.only()

    assert bytes(frame) == bytes(
        Ether(src=lab.mac("lb", "back"), dst=lab.mac("be1", "eth0"), type=0x0800)
        / IP(src=SOURCE, dst=backend(1), tos=0x2e << 2 | 1, id=0, flags="DF", ttl=64, proto=4)
        / inner)
    assert counted(lab) == {backend(1): 1}


def test_ip6ip6_frame_to_the_octet(lab):
    lab.apply(services(1))
    inner = syn6(tc=0x2e << 2 | 1, hlim=9)

    with lab.leaving() as out:
        lab.send("rt", inner)
        frame = out.only()

    # The flow label is the flow's own number: any, but not the unlabelled 0.
    assert frame[IPv6].fl != 0
    assert bytes(frame) == bytes(
        Ether(src=lab.mac("lb", "back"), dst=lab.mac("be1", "eth0"), type=0x86dd)
        / IPv6(src=SOURCE6, dst=backend6(1), tc=0x2e << 2 | 1, fl=frame[IPv6].fl, hlim=64, nh=41)
        / inner)
    assert counted(lab, SERVICE6) == {backend6(1): 1}


@pytest.mark.parametrize("make", [syn, syn6], ids=["ipv4", "ipv6"])
def test_l2_dsr_changes_nothing_but_the_link_layer_addresses(lab, make):
    lab.apply(services(2, forward="l2dsr"))
    packet = make()

    with lab.leaving() as out:
        lab.send("rt", packet)
        frame = out.only()

    assert bytes(frame) == bytes(
        Ether(src=lab.mac("lb", "back"), dst=lab.mac("be2", "eth0")) / packet)


def test_a_fixed_gateway_gets_the_frame_back_on_the_same_cable(lab):
    gateway = lab.mac("rt", "lb")
    lab.apply(services(1, settings=f"  gateway: {gateway}\n"))
    inner = syn()

    with lab.capture("rt", "lb") as cable:
        lab.send("rt", inner)
        frame = cable.only()

    assert bytes(frame) == bytes(
        Ether(src=lab.mac("lb", "front"), dst=gateway)
        / IP(src=SOURCE, dst=backend(1), id=0, flags="DF", ttl=64, proto=4) / inner)


@pytest.mark.parametrize("request_, answer", [
    (IP(src=CLIENT, dst=VIP, ttl=5, id=9) / ICMP(type=8, id=3, seq=4) / b"are you there",
     IP(src=VIP, dst=CLIENT, ttl=64, id=9) / ICMP(type=0, id=3, seq=4) / b"are you there"),
    (IPv6(src=CLIENT6, dst=VIP6, hlim=5) / ICMPv6EchoRequest(id=3, seq=4, data=b"are you there"),
     IPv6(src=VIP6, dst=CLIENT6, hlim=64) / ICMPv6EchoReply(id=3, seq=4, data=b"are you there")),
], ids=["ipv4", "ipv6"])
def test_echo_to_a_vip_is_answered(lab, request_, answer):
    lab.apply(services(1))

    with lab.capture("rt", "lb") as cable:
        lab.send("rt", request_)
        frame = cable.only()

    assert bytes(frame) == bytes(
        Ether(src=lab.mac("lb", "front"), dst=lab.mac("rt", "lb")) / answer)


@pytest.mark.parametrize("make, family, vip, refusal", [
    (syn, "-4", VIP, lambda frame: (frame[ICMP].type, frame[ICMP].code) == (3, 1)),
    (syn6, "-6", VIP6, lambda frame: ICMPv6DestUnreach in frame),
], ids=["ipv4", "ipv6"])
def test_a_port_that_is_no_service_is_refused_by_the_route_of_the_how_to(lab, make, family, vip,
                                                                        refusal):
    """Without it the node and the router send the packet to and fro until its TTL is used up."""
    lab.apply(services(1))
    packet = make()
    packet[TCP].dport = 81
    lab.exec("lb", "ip", family, "route", "add", "unreachable", vip)
    try:
        with lab.capture("rt", "lb") as cable:
            lab.send("rt", packet)
            answer = cable.only()
    finally:
        lab.exec("lb", "ip", family, "route", "del", "unreachable", vip)

    assert refusal(answer)


# --- the limit of the link

def test_what_exceeds_the_mtu_is_dropped_with_its_reason(lab):
    lab.apply(services(1))
    before = lab.drops()
    room = 1600 - 20  # of `back`, less the outer header

    with lab.leaving() as out:
        lab.send("rt", syn() / Raw(bytes(room - 40 + 1)), syn() / Raw(bytes(room - 40)))
        assert len(out.only()) == 14 + 1600
    assert lab.drops(before) == {"too-big": 1}


# --- neighbours

@pytest.mark.parametrize("forward", ["ipip", "l2dsr"])
@pytest.mark.parametrize("make, address", [(syn, backend(3)), (syn6, backend6(3))],
                         ids=["ipv4", "ipv6"])
def test_the_first_packet_waits_for_the_neighbour_and_arrives(lab, forward, make, address):
    lab.apply(services(3, forward=forward))
    lab.exec("lb", "ip", "neigh", "del", address, "dev", "back")
    packet = make()
    try:
        with lab.leaving() as out:
            lab.send("rt", packet)
            frame = out.only()
        assert frame.dst == lab.mac("be3", "eth0")
        assert bytes(frame).endswith(bytes(packet))
        # The second one finds the neighbour.
        with lab.leaving() as out:
            lab.send("rt", make(40001))
            assert out.only()[TCP].sport == 40001
    finally:
        lab.resolve(3)


# --- connections

@pytest.mark.parametrize("forward", ["ipip", "l2dsr"])
@pytest.mark.parametrize("url", [f"http://{VIP}", f"http://[{VIP6}]"], ids=["ipv4", "ipv6"])
def test_http_through_the_vip(lab, forward, url):
    if forward == "ipip":
        decapsulate(lab, 1, 2)
    lab.apply(services(1, 2, forward=forward))
    lab.http(1)
    lab.http(2)

    answers = [lab.curl(url) for _ in range(20)]

    assert set(answers) == {"be1", "be2"}


@pytest.mark.parametrize("forward", ["ipip", "l2dsr"])
def test_a_large_answer_and_a_large_request(lab, forward):
    if forward == "ipip":
        decapsulate(lab, 1)
    lab.apply(services(1, forward=forward))
    lab.http(1)

    got = lab.curl(f"http://{VIP}/octets/3000000", "-o", "/dev/null", "-w", "%{size_download}")
    # Request headers that need several full segments.
    asked = lab.curl(f"http://{VIP}/", "-H", "X-Padding: " + "x" * 20000)

    assert got == "3000000"
    assert asked == "be1"


def test_http_by_a_fixed_gateway(lab):
    decapsulate(lab, 1)
    lab.apply(services(1, settings=f"  gateway: {lab.mac('rt', 'lb')}\n"))
    lab.http(1)

    assert lab.curl(f"http://{VIP}/") == "be1"


def connection(lab, address=VIP):
    return lab.start("client", HTTP_CLIENT, address)


def ask(client):
    client.stdin.write("/\n")
    client.stdin.flush()
    return client.stdout.readline().strip()


@pytest.mark.parametrize("address, service, of", [
    (VIP, SERVICE, backend), (VIP6, SERVICE6, backend6)], ids=["ipv4", "ipv6"])
def test_established_connections_keep_their_backend(lab, address, service, of):
    decapsulate(lab, 1, 2, 3)
    lab.apply(services(1))
    for number in (1, 2, 3):
        lab.http(number)
    clients = [connection(lab, address) for _ in range(8)]
    assert {ask(c) for c in clients} == {"be1"}

    lab.weir("lb", "backend", "add", service, of(2))
    lab.weir("lb", "backend", "add", service, of(3), "--weight", "5")
    assert {ask(c) for c in clients} == {"be1"}

    lab.weir("lb", "backend", "delete", service, of(3))
    assert {ask(c) for c in clients} == {"be1"}

    # Weight 0: no new connections, the old ones live on.
    lab.weir("lb", "backend", "set", service, of(1), "--weight", "0")
    assert {ask(c) for c in clients} == {"be1"}
    assert {lab.curl(f"http://[{address}]/" if ":" in address else f"http://{address}/")
            for _ in range(10)} == {"be2"}


def test_weights_share_new_connections(lab):
    lab.apply(services(1, 2))
    lab.weir("lb", "backend", "set", SERVICE, backend(2), "--weight", "3")

    lab.send("rt", *[syn(sport) for sport in range(20000, 22000)])
    lab.until(lambda: sum(counted(lab).values()) == 2000, "2000 packets do not arrive")

    # 1 : 3; the spread of 2000 flows has a standard deviation of 19.
    assert 400 < counted(lab)[backend(1)] < 600


def test_configuration_changes_under_traffic_break_no_connection(lab):
    decapsulate(lab, 1, 2)
    lab.apply(services(1, 2))
    for number in (1, 2):
        lab.http(number)
    clients = [connection(lab) for _ in range(6)]
    at = [ask(c) for c in clients]

    for turn in range(5):
        lab.weir("fw", "add", "udp", "dport", str(1000 + turn), "drop")
        assert [ask(c) for c in clients] == at
    lab.weir("rollback")
    assert [ask(c) for c in clients] == at


# --- the backend's end of a tunnel

@pytest.mark.parametrize("outer", [
    lambda: IP(src="10.99.0.1", dst=backend(1), proto=4),
    lambda: IPv6(src=SOURCE6, dst=backend6(1), nh=4),
], ids=["in ipv4", "in ipv6"])
def test_decap_takes_the_outer_header_off(lab, outer):
    decapsulate(lab, 1)
    inner = syn(tos=3, id=5)

    with lab.capture("be1") as stack:
        lab.send("rt", outer() / inner, device="be1")
        frame = stack.only()

    assert bytes(frame) == bytes(
        Ether(src=lab.mac("rt", "be1"), dst=lab.mac("be1", "eth0"), type=0x0800) / inner)


@pytest.mark.parametrize("outer", [
    lambda: IP(src="10.99.0.1", dst=backend(1), proto=41),
    lambda: IPv6(src=SOURCE6, dst=backend6(1), nh=41),
], ids=["in ipv4", "in ipv6"])
def test_decap_takes_the_outer_header_off_ipv6(lab, outer):
    decapsulate(lab, 1)
    inner = syn6(tc=3)

    with lab.capture("be1") as stack:
        lab.send("rt", outer() / inner, device="be1")
        frame = stack.only()

    assert bytes(frame) == bytes(
        Ether(src=lab.mac("rt", "be1"), dst=lab.mac("be1", "eth0"), type=0x86dd) / inner)
