"""Two namespaces with a cable between them, what runs in them, and how long that takes by its own
clock."""

import json
import os
import subprocess

from tracing import Actor

NEAR, FAR = "10.77.0.1", "10.77.0.2"

JOIN = """
import ctypes
with open('/run/netns/{}') as there: assert ctypes.CDLL(None).setns(there.fileno(), 0x40000000) == 0
"""


class Pair:
    """Two namespaces with a cable between them: near0 10.77.0.1 -- far0 10.77.0.2."""

    def __init__(self):
        name = f"wp{os.getpid()}"
        self.namespaces = {"near": f"{name}-near", "far": f"{name}-far"}
        self.actors = []
        for namespace in self.namespaces.values():
            self.ip("netns", "add", namespace)
        self.ip("link", "add", "near0", "netns", self.namespaces["near"], "type", "veth", "peer",
                "name", "far0", "netns", self.namespaces["far"])
        for side, address in (("near", NEAR), ("far", FAR)):
            self.on(side, "ip", "addr", "add", f"{address}/24", "dev", f"{side}0")
            self.on(side, "sysctl", "-qw", "net.ipv6.conf.all.disable_ipv6=1")
            for device in ("lo", f"{side}0"):
                self.on(side, "ip", "link", "set", device, "up")
        for side, other, address in (("near", "far", FAR), ("far", "near", NEAR)):
            mac = self.on(other, "cat", f"/sys/class/net/{other}0/address").strip()
            self.on(side, "ip", "neigh", "replace", address, "lladdr", mac, "dev", f"{side}0",
                    "nud", "permanent")

    @staticmethod
    def ip(*words):
        subprocess.run(["ip", *words], check=True)

    def on(self, side, *words):
        return subprocess.run(["ip", "netns", "exec", self.namespaces[side], *words], text=True,
                              check=True, capture_output=True).stdout

    def actor(self, side):
        actor = Actor()
        actor.do(JOIN.format(self.namespaces[side]))
        self.actors.append(actor)
        return actor

    def end_actors(self):
        for actor in self.actors:
            actor.end()
        self.actors.clear()

    def down(self):
        for namespace in self.namespaces.values():
            self.ip("netns", "del", namespace)


UDP = "s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)\n"


def listen(port):
    return (f"l = socket.create_server(('{FAR}', {port}))\n")


def timed(code):
    """That code, which then prints how many seconds it took."""
    return f"began = time.monotonic()\n{code}\nprint(time.monotonic() - began)"


CPU = max(os.sched_getaffinity(0))

# For an actor: nothing else runs on that CPU until it lets go, so that what timers and softirqs do
# there is done upon this process. A kernel may run no tracing program upon some process (one is
# known that guards its init so): what it did upon that one would be missing. The kernel ends who
# holds it for longer than HOLD_SECONDS.
HOLD_SECONDS = 20
HOLD = f"""
import os, resource
resource.setrlimit(resource.RLIMIT_RTTIME, ({HOLD_SECONDS * 10**6}, {HOLD_SECONDS * 10**6}))
def hold():
    os.sched_setaffinity(0, [{CPU}])
    os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(1))
def let_go(): os.sched_setscheduler(0, os.SCHED_OTHER, os.sched_param(0))
"""


STAMPED = """
import struct
s.setsockopt(socket.SOL_SOCKET, 35, 1)  # SO_TIMESTAMPNS: when it came to the stack
def arrival():
    number, ((_, _, when),), _, _ = s.recvmsg(1, 64)
    seconds, nanoseconds = struct.unpack('qq', when)
    return number[0], seconds * 10**9 + nanoseconds
"""


SENDING = HOLD + """
import errno, fcntl, json
s.setsockopt(socket.IPPROTO_IP, 11, 1)  # IP_RECVERR: a call fails whose packet finds no room
sent, refused = [], 0
def send(to, octets):
    global refused
    called = time.time_ns()
    try:
        s.sendto(bytes([len(sent)]) * octets, to)
        sent.append((called, time.time_ns()))
    except OSError as full:
        assert full.errno == errno.ENOBUFS
        refused += 1
def under_way():
    '''Bytes that the driver has not got (SIOCOUTQ).'''
    return int.from_bytes(fcntl.ioctl(s, 0x5411, bytes(4)), 'little')
"""


class Journeys:
    """Datagrams from near to far, and how long they are under way."""

    def __init__(self, pair, port):
        self.port = port
        self.near, self.far = pair.actor("near"), pair.actor("far")
        self.near.do(UDP + SENDING)
        self.far.do(UDP + f"s.bind(('{FAR}', {port}))" + STAMPED)
        self._sent = []  # when each was passed to the stack: a time before, and one after

    def send(self, count, octets):
        self._send_while(f"len(sent) < {count}", octets)

    def send_until_refused(self, times, octets):
        """However long that takes, so many find no room; answers how many did."""
        self._send_while(f"refused < {times}", octets)
        return len(self._sent)

    def _send_while(self, condition, octets):
        self._sent = json.loads(self.near.ask(
            f"hold()\nwhile {condition}: send(('{FAR}', {self.port}), {octets})\n"
            "while under_way(): pass\nlet_go()\n"
            "print(json.dumps(sent))"))

    def us_until(self, count):
        """Of so many, which it waits for: from the calls that sent them to the far stack."""
        arrived = json.loads(self.far.ask(f"print([list(arrival()) for _ in range({count})])"))
        return sum(at - self._sent[number][0] for number, at in arrived) / 1000

    def us_in_a_bucket(self, octets, rate, burst):
        """The least that each waits, of so many octets, in a bucket filter that lets so many pass
        in a second, after a first burst: it gives none before its time, whatever the machine does.
        """
        first = self._sent[0][0]
        leaves = [first + max((n + 1) * octets - burst, 0) * 10**9 // rate
                  for n in range(len(self._sent))]
        return [max(leave - passed, 0) / 1000 for leave, (_, passed) in zip(leaves, self._sent)]
