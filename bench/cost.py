#!/usr/bin/python3
"""What a packet costs in weir_ingress, in ns, net of an empty program: sudo bench/cost.py [ROUNDS]

BPF_PROG_TEST_RUN repeats a program on one packet without restoring it, so only paths that leave the
packet as it is are measured here. Rounds alternate between all of them and the empty program; the
figure is the median of the differences within a round, with the quartiles beside it. Wall-clock
figures of shared machines drift: compare figures of one run only.
"""

import json
import os
import pathlib
import re
import statistics
import subprocess
import sys
import tempfile

from scapy.all import IP, TCP, UDP, Ether, IPv6, raw

ROOT = pathlib.Path(__file__).resolve().parent.parent
WEIR = os.environ.get("WEIR", str(ROOT / "build/release/ctl/weir"))
PINS = pathlib.Path(f"/sys/fs/bpf/weir-bench-{os.getpid()}")
EMPTY_PIN = f"/sys/fs/bpf/weir-bench-empty-{os.getpid()}"
REPEAT = 500_000

V4 = IP(src="192.0.2.1", dst="192.0.2.2")
V6 = IPv6(src="2001:db8::1", dst="2001:db8::2")
FILTER = "firewall: {{ingress: {{rules: [{}]}}}}"
SERVICE = "lb: [{vip: 203.0.113.10:80/tcp, backends: [10.0.2.2]}]"


def rules(count):
    """That many which the packet does not match, then one that drops it."""
    misses = [f"ip saddr 10.{n >> 8}.{n & 255}.0/24 tcp dport {1024 + n} drop" for n in range(count)]
    return FILTER.format(", ".join([*misses, "tcp dport 23 drop"]))


SCENARIOS = {  # name: configuration, packet, the action it must meet
    "IPv4 TCP, nothing configured": ("{}", V4 / TCP(dport=443), 2),
    "IPv6 UDP, nothing configured": ("{}", V6 / UDP(dport=53), 2),
    "IPv4 TCP, dropped by the only rule": (rules(0), V4 / TCP(dport=23), 1),
    "IPv4 TCP, passes 10 rules": (rules(10), V4 / TCP(dport=443), 2),
    "IPv4 TCP, passes 100 rules": (rules(100), V4 / TCP(dport=443), 2),
    "IPv4 TCP, passes 1000 rules": (rules(1000), V4 / TCP(dport=443), 2),
    "IPv4 TCP, to no service": (SERVICE, V4 / TCP(dport=443), 2),
}


def weir(pins, *words, **more):
    return subprocess.run([WEIR, "--pins", pins, *words], check=True, text=True,
                          stdout=subprocess.PIPE, **more).stdout


def duration(pin, frame, action):
    told = subprocess.run(["bpftool", "prog", "run", "pinned", pin, "data_in", frame, "repeat",
                           str(REPEAT)], check=True, text=True, stdout=subprocess.PIPE).stdout
    found, nanoseconds = map(int, re.search(r"value: (\d+),.*: (\d+)ns", told).groups())
    if found != action:
        raise SystemExit(f"bench: the packet met action {found}, not {action}: not what was to be measured")
    return nanoseconds


def measure(folder, rounds):
    pins, frames = {}, {}
    for number, (name, (configuration, packet, _)) in enumerate(SCENARIOS.items()):
        base = str(PINS / str(number))
        weir(base, "load")
        weir(base, "apply", "-", input=configuration)
        pins[name] = json.loads(weir(base, "--json", "status"))["programs"][0]["pin"]
        frames[name] = folder / str(number)
        frames[name].write_bytes(raw(
            Ether(src="02:00:00:00:00:01", dst="02:00:00:00:00:02") / packet / bytes(18)))
    net = {name: [] for name in SCENARIOS}
    for _ in range(rounds):
        for name, (_, _, action) in SCENARIOS.items():
            floor = duration(EMPTY_PIN, frames[name], 2)
            net[name].append(duration(pins[name], frames[name], action) - floor)
    return net


def main():
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 11
    try:
        with tempfile.TemporaryDirectory() as folder:
            folder = pathlib.Path(folder)
            subprocess.run(["clang", "-target", "bpf", "-mcpu=v3", "-O2", "-g",
                            "-isystem", f"/usr/include/{os.uname().machine}-linux-gnu", "-c",
                            str(ROOT / "bench/empty.bpf.c"), "-o", str(folder / "empty.o")], check=True)
            subprocess.run(["bpftool", "prog", "load", str(folder / "empty.o"), EMPTY_PIN],
                           check=True)
            PINS.mkdir()
            net = measure(folder, rounds)
    finally:
        pathlib.Path(EMPTY_PIN).unlink(missing_ok=True)
        for base in PINS.glob("*"):
            subprocess.run([WEIR, "--pins", base, "unload"], stdout=subprocess.DEVNULL)
            base.rmdir()
        if PINS.exists():
            PINS.rmdir()
    print(f"{'packet':36}{'ns':>6}{'quartiles':>14}   {rounds} rounds of {REPEAT} packets")
    for name, figures in net.items():
        low, median, high = statistics.quantiles(figures, n=4)
        print(f"{name:36}{median:6.0f}{f'{low:.0f}-{high:.0f}':>14}")


if __name__ == "__main__":
    main()
