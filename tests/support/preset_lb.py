"""`weir top @lb`: what backends answer, beside their kernels' own counters. The same
test runs on this machine's kernel (tests/netns) and on those of virtual machines (tests/vm)."""

from lab import VIP, backend
from tracing import Tracing

SERVICE = f"{VIP}:80/tcp"
CONFIG = f"""
lb:
  services:
    - {{vip: '{SERVICE}', forward: l2dsr, backends: ['{backend(1)}', '{backend(2)}']}}
"""
CONNECT = """
import socket
for port in range(20000, 20000 + {count}):
    s = socket.socket()
    s.settimeout({timeout})
    s.bind(("", port))
    try: print(s.connect_ex(("{vip}", 80)))
    except TimeoutError: print("timeout")
"""


def connect(lab, count, timeout):
    code = CONNECT.format(count=count, timeout=timeout, vip=VIP)
    return lab.exec("client", "/usr/bin/python3", "-c", code).stdout.split()


def counters(lab, number):
    """Of the backend's own stack: resets that it sent, and segments of handshakes sent again."""
    found = {}
    for name in ("/proc/net/snmp", "/proc/net/netstat"):
        lines = lab.exec(f"be{number}", "cat", name).stdout.splitlines()
        for titles, values in zip(lines[::2], lines[1::2]):
            found.update(zip(titles.split(), values.split()))
    return int(found["OutRsts"]), int(found["TCPSynRetrans"])


def test_what_backends_answer_from_the_vip(lab):
    lab.apply(CONFIG)
    before = {number: counters(lab, number) for number in (1, 2)}
    top = Tracing("top", "@lb", "-i", "1000", "--pins", f"/sys/fs/bpf/{lab.name}-lb",
                  netns=f"{lab.name}-lb")

    # Nothing listens: whom the ring names refuses.
    assert connect(lab, 12, 60) == 12 * ["111"]  # ECONNREFUSED
    # A client that does not hear the answer: it is sent again.
    for number in (1, 2):
        lab.http(number)
    lab.exec("client", "nft", f"add table ip deaf; add chain ip deaf in {{ type filter hook input "
             f"priority 0; }}; add rule ip deaf in ip saddr {VIP} drop")
    try:
        connect(lab, 3, 0.01)
        lab.until(lambda: sum(counters(lab, number)[1] - before[number][1] for number in (1, 2)) >= 3,
                  "no answer was sent again")
    finally:
        lab.stop_processes()  # nobody listens any more: nothing is sent again from now on
        lab.exec("client", "nft", "delete table ip deaf")
    counted = {backend(number): tuple(now - then for now, then in
                                      zip(counters(lab, number), before[number]))
               for number in (1, 2)}

    rows = {row["backend"]: row for row in top.stop()[0]["rows"]}

    assert {row["service"] for row in rows.values()} == {SERVICE}
    assert {name: (rows[name]["resets"], rows[name]["retransmitted"]) for name in counted} == counted
    assert all(resets > 0 for resets, _ in counted.values())
    assert sum(resets for resets, _ in counted.values()) == rows["all"]["resets"] >= 12
    assert rows["all"]["retransmitted"] >= 3
    assert sum(again for _, again in counted.values()) == rows["all"]["retransmitted"]
