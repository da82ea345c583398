"""Flows that are tracked after a change, by packets through the pinned program."""

import subprocess

from scapy.all import IP, TCP, Ether, raw

SERVICE = "203.0.113.10:80/tcp"
CONFIGURATION = """
lb:
  source: 10.99.0.1
  gateway: 02:00:00:00:00:99
  services:
    - {vip: 203.0.113.10:80/tcp, backends: [10.0.2.2]}
"""


def send(weir, tmp_path, client, flags):
    frame = tmp_path / "frame"
    frame.write_bytes(raw(Ether(src="02:00:00:00:00:01", dst="02:00:00:00:00:02") /
                          IP(src=client, dst="203.0.113.10") /
                          TCP(sport=40000, dport=80, flags=flags)))
    pin = next(program["pin"] for program in weir.json("status")["programs"]
               if program["name"] == "weir_ingress")
    subprocess.run(["bpftool", "prog", "run", "pinned", pin, "data_in", str(frame)], check=True,
                   stdout=subprocess.DEVNULL)


def flows(weir):
    return [(flow["client"], flow["sport"], flow["backend"], flow["state"])
            for flow in weir.json("lb", "flows", SERVICE)["flows"]]


def drain(weir):
    """Every bucket of the ring changes its owner: 10.0.2.2 has no new flows."""
    weir("lb", "backend", "add", SERVICE, "10.0.2.3")
    weir("lb", "backend", "set", SERVICE, "10.0.2.2", "--weight", "0")


def test_at_rest_no_flow_is_tracked(weir, tmp_path):
    weir("apply", "-", input=CONFIGURATION)

    for flags in "SAP":
        send(weir, tmp_path, "192.0.2.1", flags)

    assert flows(weir) == []
    assert weir("lb", "flows", SERVICE) == (
        "every bucket of the ring is at rest: the ring alone decides, and no flow is tracked\n")


def test_after_a_change_new_flows_are_tracked_from_their_syn_on(weir, tmp_path):
    weir("apply", "-", input=CONFIGURATION)
    drain(weir)

    send(weir, tmp_path, "192.0.2.1", "S")
    assert flows(weir) == [("192.0.2.1", 40000, "10.0.2.3", "half-open")]
    send(weir, tmp_path, "192.0.2.1", "A")
    assert flows(weir) == [("192.0.2.1", 40000, "10.0.2.3", "established")]
    send(weir, tmp_path, "192.0.2.2", "A")  # opened before the change: it has no entry
    assert len(flows(weir)) == 1

    text = weir("lb", "flows", SERVICE)
    assert text.endswith("128 of 128 buckets changed not long ago: only their flows are tracked\n")
    (service,) = weir.json("lb", "service", "list")["services"]
    assert service["ring"] == {"buckets": 128, "at_rest": 0, "hot": 128, "warm": 0, "entries": 1,
                               "overflow": 0}


def test_which_backend_a_client_has(weir, tmp_path):
    weir("apply", "-", input=CONFIGURATION)
    assert weir("lb", "which", SERVICE, "192.0.2.1:40000") == "10.0.2.2, by the ring\n"
    drain(weir)
    send(weir, tmp_path, "192.0.2.2", "S")

    assert weir("lb", "which", SERVICE, "192.0.2.1:40000") == (
        "10.0.2.2, by the ring\na new connection: 10.0.2.3\n")
    assert weir("lb", "which", SERVICE, "192.0.2.2:40000") == "10.0.2.3, by the flow table\n"
    assert weir.json("lb", "which", SERVICE, "192.0.2.1:40000")["new_connection"] == "10.0.2.3"
    assert len(flows(weir)) == 1  # to ask enters nothing


def test_which_wants_a_client_of_the_services_family(weir):
    weir("apply", "-", input=CONFIGURATION)

    assert weir.refuses(2, "lb", "which", SERVICE, "192.0.2.1") == (
        "client '192.0.2.1': expected ADDRESS:PORT with an IPv4 address")
    assert weir.refuses(2, "lb", "which", SERVICE, "[2001:db8::1]:1") == (
        "client '[2001:db8::1]:1': expected ADDRESS:PORT with an IPv4 address")
    assert weir.refuses(2, "lb", "which", SERVICE, "192.0.2.1:65536").startswith("client port")


def test_flows_of_a_deleted_backend_are_forgotten(weir, tmp_path):
    weir("apply", "-", input=CONFIGURATION)
    drain(weir)
    send(weir, tmp_path, "192.0.2.2", "S")

    weir("lb", "backend", "delete", SERVICE, "10.0.2.3")

    assert flows(weir) == []
    assert weir("lb", "which", SERVICE, "192.0.2.2:40000") != "10.0.2.3, by the flow table\n"


def test_a_new_service_inherits_no_flow_of_the_one_that_had_its_slot(weir, tmp_path):
    weir("apply", "-", input=CONFIGURATION)
    drain(weir)
    send(weir, tmp_path, "192.0.2.3", "S")
    assert len(flows(weir)) == 1
    # The slot is free again when no kept generation uses it.
    weir("lb", "service", "delete", SERVICE)
    weir("fw", "add", "tcp dport 1 drop")
    weir("fw", "add", "tcp dport 2 drop")

    weir("apply", "-", input=CONFIGURATION)
    drain(weir)

    assert flows(weir) == []
