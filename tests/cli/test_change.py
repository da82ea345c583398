"""Every verb that changes the configuration, seen through the verbs that show it."""

import json
import re
import signal
import subprocess
import time

import pytest

from waiting import killed_after

SERVICE = "203.0.113.10:80/tcp"
SERVICE6 = "[2001:db8::10]:443/udp"

EVERYTHING = """
firewall:
  ingress:
    policy: drop
    rules:
      - ip saddr @blocked drop comment "abuse"
      - tcp dport { 22, 80-90 } counter accept
  egress:
    rules:
      - udp dport 53 accept
  packets:
    ipv4-options: drop
sets:
  blocked:
    type: ipv4_addr
    comment: those we know
    elements: [192.0.2.0/24, 198.51.100.7, 10.0.0.1-10.0.0.9]
lb:
  source: 10.99.0.0/16
  source6: fd00:99::/64
  gateway: 02:00:00:00:00:01
  services:
    - vip: 203.0.113.10:80/tcp
      forward: ipip
      backends: [10.0.2.2, {address: 10.0.2.3, weight: 3}]
    - vip: "[2001:db8::10]:443/udp"
      forward: l2dsr
      backends: [fd00:2::2]
"""


# --- rules

def test_a_rule_is_added_as_words_or_as_one_argument(weir):
    weir("fw", "add", "ip", "saddr", "10.0.0.0/8", "tcp", "dport", "{ 22, 80-90 }", "drop",
         "comment", "no shells")
    weir("fw", "add", 'ip saddr 10.0.0.0/8 tcp dport { 22, 80-90 } drop comment "no shells"')
    weir("fw", "add", "--", "tcp", "dport", "!=", "25", "accept")

    assert weir.rules() == [
        'ip saddr 10.0.0.0/8 tcp dport { 22, 80-90 } drop comment "no shells"'] * 2 + [
        "tcp dport != 25 accept"]


def test_options_do_not_eat_the_words_of_a_rule(weir):
    added = json.loads(weir("fw", "add", "tcp", "dport", "22", "drop", "comment", "--json", "--json"))

    assert added["chain"] == "ingress"
    assert weir.rules() == ['tcp dport 22 drop comment "--json"']


def test_rules_stand_where_they_are_put(weir):
    weir("fw", "add", "tcp dport 3 drop")
    weir("fw", "insert", "tcp dport 1 drop")
    first, third = weir.handles()
    weir("fw", "add", "position", first, "tcp dport 2 drop")
    weir("fw", "insert", "ingress", "index", "0", "tcp dport 0 drop")
    weir("fw", "add", "egress", "udp dport 53 accept")

    assert weir.rules() == [f"tcp dport {port} drop" for port in range(4)]
    assert weir.rules("egress") == ["udp dport 53 accept"]
    assert weir.handles()[3] == third


def test_handles_are_stable_and_never_used_twice(weir):
    for port in (1, 2, 3):
        weir("fw", "add", f"tcp dport {port} drop")
    one, two, three = weir.handles()
    assert one < two < three

    weir("fw", "delete", "handle", two)
    assert weir.handles() == [one, three]
    weir("rollback")
    assert weir.handles() == [one, two, three]
    weir("fw", "delete", "ingress", "handle", three)
    weir("fw", "add", "tcp dport 4 drop")
    assert weir.handles()[2] > three

    weir("fw", "replace", "handle", one, "tcp dport 9 accept")
    assert weir.handles()[0] == one
    assert weir.rules()[0] == "tcp dport 9 accept"


def test_a_missing_handle_is_named(weir):
    weir("fw", "add", "egress", "accept")
    (handle,) = weir.handles("egress")

    assert weir.refuses(1, "fw", "delete", "handle", "99999") == (
        "no rule with handle 99999: `weir fw list` shows the handles")
    assert weir.refuses(1, "fw", "delete", "ingress", "handle", handle) == (
        f"no rule with handle {handle} in chain ingress: `weir fw list` shows the handles")
    assert weir.refuses(1, "fw", "replace", "egress", "index", "1", "drop") == (
        "no rule with index 1 in chain egress: it has 1 rule, from index 0")


def test_the_listing_reads_as_that_of_nft(weir):
    weir("fw", "add", 'tcp dport 22 counter drop comment "no counter here"')
    weir("fw", "add", "accept")
    first, second = weir.handles()

    assert weir("fw", "list", "ingress") == (
        "chain ingress {\n\tpolicy accept;\n"
        f'\ttcp dport 22 counter packets 0 bytes 0 drop comment "no counter here" # handle {first}\n'
        f"\tcounter packets 0 bytes 0 accept # handle {second}\n"
        "}\n")
    assert f"\taccept # handle {second}\n" in weir("fw", "list", "--stateless")
    assert weir("fw", "list", "egress", "--nonzero") == "chain egress {\n\tpolicy accept;\n}\n"


def test_flush_takes_one_chain_or_both(weir):
    for chain in ("ingress", "egress"):
        weir("fw", "add", chain, "tcp dport 1 drop")
    assert weir.json("fw", "flush", "egress")["rules"] == 1
    assert (len(weir.rules()), len(weir.rules("egress"))) == (1, 0)
    weir("fw", "flush")
    assert weir.rules() == []
    assert weir("fw", "flush") == "no change\n"


def test_policies_of_chains_and_packet_classes(weir):
    weir("fw", "policy", "drop")
    weir("fw", "policy", "egress", "drop")
    weir("fw", "policy", "fragment", "drop")

    shown = weir.json("fw", "policy")
    assert shown["chains"] == {"ingress": "drop", "egress": "drop"}
    assert shown["packets"] == {
        "arp": "accept", "neighbour-discovery": "accept", "ipv4-options": "filter",
        "ipv6-extensions": "filter", "routing-header": "drop", "fragment": "drop"}
    assert weir("fw", "policy").splitlines()[1].split() == ["chain", "ingress", "drop"]


# --- sets

def test_a_set_lives_by_its_elements(weir):
    weir("set", "create", "blocked", "ipv4_addr", "192.0.2.0/24", "--comment", "abuse")
    weir("set", "add", "blocked", "{ 198.51.100.7,", "10.0.0.1-10.0.0.9 }")
    weir("set", "delete", "blocked", "10.0.0.2-10.0.0.9")

    (listed,) = weir.json("set", "list", "blocked")["sets"]
    assert listed == {"name": "blocked", "type": "ipv4_addr", "comment": "abuse",
                      "elements": ["10.0.0.1", "192.0.2.0/24", "198.51.100.7"]}
    assert weir("set", "list") == (
        'set blocked {\n\ttype ipv4_addr\n\tcomment "abuse"\n'
        "\telements = { 10.0.0.1, 192.0.2.0/24,\n\t\t     198.51.100.7 }\n}\n")

    weir("set", "flush", "blocked")
    assert weir.json("set", "list")["sets"][0]["elements"] == []
    weir("set", "delete", "blocked")
    assert weir.json("set", "list")["sets"] == []


def test_a_set_that_is_needed_or_missing_is_named(weir):
    weir("set", "create", "blocked", "ipv4_addr")
    weir("fw", "add", "ip saddr @blocked drop")

    assert "blocked" in weir.refuses(1, "set", "delete", "blocked")
    assert weir.refuses(1, "set", "add", "bloked", "10.0.0.1") == (
        "no set 'bloked'; did you mean 'blocked'?")
    assert weir.refuses(1, "set", "create", "blocked", "ipv4_addr") == (
        "set 'blocked' exists already")
    assert weir.refuses(1, "set", "delete", "blocked", "10.0.0.1") == (
        "10.0.0.1 is not in set 'blocked'")
    assert weir.refuses(2, "set", "add", "blocked", "10.0.0.x").startswith("'10.0.0.x'")
    assert weir.json("set", "list")["sets"][0]["elements"] == []


# --- the balancer

def test_services_and_backends(weir):
    weir("lb", "service", "add", SERVICE)
    weir("lb", "service", "add", SERVICE6, "--forward", "l2dsr")
    weir("lb", "backend", "add", SERVICE, "10.0.2.2")
    weir("lb", "backend", "add", SERVICE, "10.0.2.3", "--weight", "3")

    services = {s["service"]: s for s in weir.json("lb", "service", "list")["services"]}
    assert services[SERVICE6]["forward"] == "l2dsr"
    assert services[SERVICE]["vip"] == "203.0.113.10"
    assert [(b["address"], b["weight"]) for b in services[SERVICE]["backends"]] == [
        ("10.0.2.2", 1), ("10.0.2.3", 3)]
    shares = [line.split()[2] for line in weir("lb", "backend", "list", SERVICE).splitlines()]
    assert shares == ["share", "25.0%", "75.0%"]

    weir("lb", "backend", "set", SERVICE, "10.0.2.3", "--weight=0")
    weir("lb", "backend", "delete", SERVICE, "10.0.2.2")
    assert [(b["address"], b["weight"])
            for b in weir.json("lb", "backend", "list", SERVICE)["backends"]] == [("10.0.2.3", 0)]
    assert weir.json("lb", "flows", SERVICE)["flows"] == []
    weir("lb", "service", "delete", SERVICE)
    assert list(s["service"] for s in weir.json("lb", "service", "list")["services"]) == [SERVICE6]


def test_what_the_balancer_refuses_is_named(weir):
    weir("lb", "service", "add", SERVICE)
    weir("lb", "backend", "add", SERVICE, "10.0.2.2")

    assert weir.refuses(1, "lb", "service", "add", SERVICE) == (
        "service 203.0.113.10:80/tcp exists already")
    assert weir.refuses(1, "lb", "backend", "add", SERVICE, "10.0.2.2") == (
        "backend 10.0.2.2 of service 203.0.113.10:80/tcp exists already: "
        "`weir lb backend set` changes it")
    assert weir.refuses(1, "lb", "backend", "delete", SERVICE, "10.0.2.9") == (
        "service 203.0.113.10:80/tcp has no backend 10.0.2.9")
    assert weir.refuses(1, "lb", "service", "delete", "203.0.113.10:81/tcp") == (
        "no service 203.0.113.10:81/tcp: this VIP has 203.0.113.10:80/tcp")
    assert "70000" in weir.refuses(2, "lb", "service", "add", "203.0.113.10:70000/tcp")
    assert "10.0.2.x" in weir.refuses(2, "lb", "backend", "add", SERVICE, "10.0.2.x")


def test_a_backend_of_the_wrong_family_is_refused(weir):
    weir("lb", "service", "add", SERVICE6, "--forward", "l2dsr")
    message = weir.refuses(1, "lb", "backend", "add", SERVICE6, "10.0.2.2")
    assert "10.0.2.2" in message and "l2dsr" in message


def test_settings_of_the_balancer(weir):
    weir("lb", "set", "--source", "10.99.0.0/16", "--gateway", "02:00:00:00:00:01")
    weir("lb", "set", "--source6", "fd00:99::/64", "--gateway", "none")

    shown = weir.json("lb", "set")
    assert (shown["source"], shown["source6"], shown["gateway"]) == (
        "10.99.0.0/16", "fd00:99::/64", None)
    assert weir.warnings("lb", "set", "--source", "10.99.0.1/16") == [
        "10.99.0.1/16 has host bits set: taken as 10.99.0.0/16"]


# --- whole configurations

def test_what_is_exported_can_be_applied_and_changes_nothing(weir):
    weir("apply", "-", input=EVERYTHING)
    before = weir.json("status")["generation"]
    exported = weir("export")

    assert weir("apply", "-", input=exported) == "no change\n"
    assert weir("diff", "-", input=exported) == "no difference\n"
    assert weir.json("status")["generation"] == before
    assert weir("export") == exported


def test_a_dry_run_and_a_diff_change_nothing(weir):
    planned = weir("apply", "--dry-run", "-", input=EVERYTHING)
    assert planned == weir("diff", "-", input=EVERYTHING)
    assert {line[0] for line in planned.splitlines()} <= set("+-~")
    assert weir.rules() == []

    document = weir.json("apply", "--dry-run", "-", input=EVERYTHING)
    assert (document["changed"], document["dry_run"]) == (False, True)
    assert len(document["changes"]) == len(planned.splitlines())


def test_applying_twice_changes_once(weir):
    assert weir.json("apply", "-", input=EVERYTHING)["changed"] is True
    again = weir.json("apply", "-", input=EVERYTHING)
    assert (again["changed"], again["changes"]) == (False, [])


def test_what_stays_keeps_its_handle(weir):
    weir("apply", "-", input=EVERYTHING)
    blocked, ports = weir.handles()
    weir("apply", "-", input=EVERYTHING.replace(
        "      - tcp dport", "      - udp dport 9 drop\n      - tcp dport"))
    assert weir.handles()[0] == blocked
    assert weir.handles()[2] == ports


def test_a_rollback_keeps_a_ring_that_grew_and_every_flow(weir):
    weir("lb", "service", "add", SERVICE)
    for backend in ("10.0.2.2", "10.0.2.3"):
        weir("lb", "backend", "add", SERVICE, backend)
    weir("lb", "backend", "add", SERVICE, "10.0.2.4")

    def seen():
        (service,) = json.loads(weir("lb", "service", "list", "--json"))["services"]
        return service["ring"]["buckets"], [
            json.loads(weir("lb", "which", SERVICE, f"198.51.100.{client}:1024", "--json"))["backend"]
            for client in range(1, 20)]

    buckets, before = seen()
    assert buckets == 512, "it grew with the third backend"
    weir("lb", "backend", "delete", SERVICE, "10.0.2.4")
    weir("rollback")

    assert seen() == (buckets, before)
    weir("lb", "backend", "delete", SERVICE, "10.0.2.4")
    weir("lb", "backend", "add", SERVICE, "10.0.2.4")
    weir("lb", "backend", "delete", SERVICE, "10.0.2.4")
    assert seen()[0] == buckets


def test_rollback_goes_one_back(weir):
    weir("fw", "add", "tcp dport 1 drop")
    weir("fw", "add", "tcp dport 2 drop")
    weir("rollback")
    assert weir.rules() == ["tcp dport 1 drop"]
    weir("fw", "add", "tcp dport 3 drop")
    assert weir.rules() == ["tcp dport 1 drop", "tcp dport 3 drop"]


@pytest.mark.parametrize("yaml, where, named", [
    ("firewall:\n  ingress:\n    rules:\n      - tpc dport 80 drop\n", "4:9", "'tpc'"),
    ("firewall:\n  ingres: {}\n", "2:3", "'ingress'"),
    ("lb:\n  - vip: 203.0.113.10:70000/tcp\n", "2:10", "70000"),
    ("lb:\n  - vip: 203.0.113.10:80/tcp\n    backends: [{address: 10.0.0.1, weight: -1}]\n",
     "3:44", "'-1'"),
    ("sets: [", "1:1", "YAML"),
])
def test_a_mistake_in_a_file_is_found_by_line_and_column(weir, tmp_path, yaml, where, named):
    path = tmp_path / "weir.yaml"
    path.write_text(yaml)
    weir("fw", "add", "accept")

    message = weir.refuses(2, "apply", path)
    assert message.startswith(f"{path}:{where}: ")
    assert named in message
    assert weir.rules() == ["accept"]


def test_a_rule_with_a_mistake_is_refused_by_column(weir):
    message = weir.refuses(2, "fw", "add", "ip saddr 10.0.0.1 tcp dprt 80 drop")
    assert message.startswith("column 23: ")
    assert "'tcp dprt'" in message and "dport" in message
    assert "'70000'" in weir.refuses(2, "fw", "add", "tcp dport 70000 drop")


def test_host_bits_are_masked_with_a_warning(weir):
    assert weir.warnings("fw", "add", "ip saddr 10.1.2.3/8 drop") == [
        "10.1.2.3/8 has host bits set: taken as 10.0.0.0/8"]
    assert weir.rules() == ["ip saddr 10.0.0.0/8 drop"]


def test_files_that_cannot_be_read_are_named(weir, tmp_path):
    assert weir.refuses(1, "apply", "/nowhere.yaml") == (
        "reading /nowhere.yaml: No such file or directory")
    assert weir.refuses(1, "apply", tmp_path) == f"reading {tmp_path}: Is a directory"


def test_a_set_that_does_not_exist_changes_nothing(weir):
    assert "nowhere" in weir.refuses(1, "fw", "add", "ip saddr @nowhere drop")
    assert weir.rules() == []


# --- several at once, and death

def test_twenty_at_once_leave_twenty_rules(weir):
    running = [weir.start("fw", "add", f"tcp dport {port} drop") for port in range(1, 21)]
    for process in running:
        _, complaint = process.communicate(timeout=120)
        assert process.returncode == 0, complaint
    assert sorted(weir.rules()) == sorted(f"tcp dport {port} drop" for port in range(1, 21))
    assert len(set(weir.handles())) == 20


def test_a_change_that_is_killed_leaves_the_old_or_the_new_one(weir):
    """Killed before it, at times spread over as long as one takes here, and a little beyond."""
    weir("apply", "-", input=EVERYTHING)
    old = weir("export")
    new = re.sub("dport 53", "dport 5353", old)
    began = time.monotonic()
    weir("apply", "-", input=new)
    whole = time.monotonic() - began
    assert weir("export") == new

    process = weir.start("apply", "-", stdin=subprocess.PIPE)
    process.kill()  # it has not been told what to apply
    assert killed_after(process, 60) == -signal.SIGKILL
    assert weir("export") == new
    for step in range(15):
        before = weir("export")
        wanted = new if before == old else old
        ended = killed_after(weir.start("apply", "-", stdin=subprocess.PIPE), whole * step / 12,
                             wanted)
        assert ended in (0, -signal.SIGKILL)
        assert weir("export") in ((before, wanted) if ended else (wanted,))
    weir("apply", "-", input=new)
    weir("apply", "-", input=old)
    assert weir("export") == old
    assert weir.run("ledger").returncode == 0
