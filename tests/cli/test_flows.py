"""The flow table, filled by packets through the pinned program."""

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
    return [(flow["client"], flow["sport"], flow["backend"])
            for flow in weir.json("lb", "flows", SERVICE)["flows"]]


def test_a_flow_is_listed_from_its_first_packet_behind_the_syn(weir, tmp_path):
    weir("apply", "-", input=CONFIGURATION)
    send(weir, tmp_path, "192.0.2.1", "S")
    assert flows(weir) == []

    send(weir, tmp_path, "192.0.2.1", "A")

    assert flows(weir) == [("192.0.2.1", 40000, "10.0.2.2")]


def test_a_flow_of_a_deleted_backend_says_so(weir, tmp_path):
    weir("apply", "-", input=CONFIGURATION)
    send(weir, tmp_path, "192.0.2.2", "A")
    assert ("192.0.2.2", 40000, "10.0.2.2") in flows(weir)

    weir("lb", "backend", "delete", SERVICE, "10.0.2.2")

    assert ("192.0.2.2", 40000, None) in flows(weir)


def test_a_new_service_inherits_no_flow_of_the_one_that_had_its_slot(weir, tmp_path):
    weir("apply", "-", input=CONFIGURATION)
    send(weir, tmp_path, "192.0.2.3", "A")
    # The slot is free again when no kept generation uses it.
    weir("lb", "service", "delete", SERVICE)
    weir("fw", "add", "tcp dport 1 drop")
    weir("fw", "add", "tcp dport 2 drop")

    weir("apply", "-", input=CONFIGURATION)

    assert flows(weir) == []
