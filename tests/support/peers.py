"""Other tools that answer what Weir's tracing verbs answer, run beside it over the same events.

They are Debian's bpftrace and libbpf-tools. bcc's own tools are not among them: they compile against
headers of the running kernel, which a machine like this one does not have."""

import contextlib
import json
import re
import shutil
import signal
import subprocess
import threading
import time

from waiting import DEADLINE, until

MISSING = [tool for tool in ("bpftrace", "opensnoop", "funclatency", "cpudist")
           if shutil.which(tool) is None]


class Peer:
    """A tool that is at work once it has printed `ready`, a regular expression."""

    def __init__(self, *words, ready):
        self.words = list(map(str, words))
        self._lines = []
        self._ready = threading.Event()
        # Line by line, for it is no terminal that it writes to.
        self.process = subprocess.Popen(
            ["setpriv", "--pdeathsig", "KILL", "stdbuf", "-oL", *self.words], text=True,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        self._reader = threading.Thread(target=self._read, args=(re.compile(ready),), daemon=True)
        self._reader.start()

    def _read(self, ready):
        for line in self.process.stdout:
            self._lines.append(line)
            if ready.search(line):
                self._ready.set()
        self._ready.set()  # it has ended

    @property
    def output(self):
        return "".join(self._lines)

    def wait_until_ready(self):
        assert self._ready.wait(DEADLINE) and self.process.poll() is None, \
            f"{self.words}: {self.output}"

    def wait_for(self, done):
        """Until that is true of what it has printed."""
        until(lambda: done(self.output), lambda: f"{self.words}: {self.output}")

    def stop(self):
        """What it printed until Ctrl-C."""
        deadline = time.monotonic() + DEADLINE
        while self.process.poll() is None:
            assert time.monotonic() < deadline, f"{self.words} does not end: {self.output}"
            # bpftrace 0.17 sees the signal only while it waits for events: not every one. Another
            # while it detaches and prints would end it at once.
            self.process.send_signal(signal.SIGINT)
            with contextlib.suppress(subprocess.TimeoutExpired):
                self.process.wait(timeout=20)
        self._reader.join()
        self.process.stdout.close()
        return self.output

    def kill(self):
        """Without its answer; harmless where it has ended."""
        self.process.kill()
        self.process.wait()
        self._reader.join()
        self.process.stdout.close()


class Bpftrace(Peer):
    """A program of bpftrace, several questions in one: compiling is what takes long."""

    def __init__(self, program):
        # What BEGIN prints is shown when everything is attached.
        super().__init__("bpftrace", "-f", "json", "-e",
                         'BEGIN { printf("attached\\n"); } ' + program,
                         ready=r'"printf".*attached')

    def maps(self):
        """Its maps by name, without their @; of histograms the list of buckets."""
        maps = {}
        output = self.stop()
        assert self.process.returncode == 0, output
        for line in output.splitlines():
            if not line.startswith("{"):
                continue  # one is empty at Ctrl-C
            document = json.loads(line)
            if document["type"] in ("map", "hist", "lhist"):
                maps.update({name[1:]: data for name, data in document["data"].items()})
        return maps


def slots(buckets):
    """bpftrace's buckets as `weir hist` has its slots: those that are not empty."""
    return [{"from": each["min"], "to": each["max"], "count": each["count"]} for each in buckets
            if each["count"]]


def rows(output, columns):
    """Rows of a table whose first line has these titles; the last column may hold spaces."""
    lines = output.splitlines()
    start = next(i for i, line in enumerate(lines) if line.split() == columns)
    return [dict(zip(columns, line.split(None, len(columns) - 1))) for line in lines[start + 1:]
            if len(line.split()) >= len(columns)]


def histogram(output):
    """Rows "32 -> 63 : 7 |***|" of bcc and libbpf-tools, as `weir hist` has its slots."""
    found = re.findall(r"^\s*(\d+) -> (\d+)\s*: (\d+)", output, re.MULTILINE)
    return [{"from": int(low), "to": int(high), "count": int(count)} for low, high, count in found
            if int(count)]


def moved(ours, others):
    """How many of the times lie in another bucket, by powers of two: each in the one beside, as of a
    clock that was read a little later."""
    seen, again = ([slot["from"] for slot in each for _ in range(slot["count"])]
                   for each in (ours, others))
    assert len(seen) == len(again), (ours, others)
    elsewhere = [pair for pair in zip(seen, again) if len(set(pair)) > 1]
    assert all(max(pair) == 2 * min(pair) for pair in elsewhere), (ours, others)
    return len(elsewhere)
