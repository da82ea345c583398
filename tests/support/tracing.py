"""`weir trace` and its like while something known happens."""

import contextlib
import json
import os
import pathlib
import signal
import subprocess
import sys
import threading

from waiting import DEADLINE, until

BINARY = os.environ.get("WEIR", "weir")

_ACTOR = """
import os, socket, sys, threading, time
print("ready", flush=True)
for line in sys.stdin:
    exec(eval(line))
    print("done", flush=True)
"""


class Actor:
    """A process that does what it is told, and nothing else."""

    def __init__(self, python=sys.executable):
        self.process = subprocess.Popen([python, "-B", "-c", _ACTOR], text=True,
                                        stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        self.pid = self.process.pid
        self._wait_until("ready")

    def do(self, code):
        self._tell(code)
        self._wait_until("done")

    def ask(self, code):
        """The same of code that prints one line: that line."""
        self._tell(code)
        answer = self.process.stdout.readline()
        self._wait_until("done")
        return answer.strip()

    def _tell(self, code):
        self.process.stdin.write(repr(code) + "\n")
        self.process.stdin.flush()

    def _wait_until(self, word):
        """It has said that, and waits to be told more, with the buffer that it allocates for it."""
        assert self.process.stdout.readline() == f"{word}\n"
        stat = pathlib.Path(f"/proc/{self.pid}/stat")

        def state():
            return stat.read_text(errors="replace").rpartition(") ")[2][0]
        until(lambda: state() == "S", state, pause=0.001)

    def end(self):
        self.process.stdin.close()
        self.process.wait()


class Tracing:
    """A tracing verb that is attached when this is made."""

    def __init__(self, *words, text=False, netns=None):
        self.text = text
        within = [] if netns is None else ["nsenter", f"--net=/run/netns/{netns}"]
        self.process = subprocess.Popen(
            [*within, "setpriv", "--pdeathsig", "KILL", BINARY, *([] if text else ["--json"]), *map(str, words)], text=True,
            stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        self.complaints = []
        while True:
            line = self.process.stderr.readline()
            self.complaints.append(line)
            if not line or "attached" in line:
                break
        assert line, "".join(self.complaints)
        self._output = []
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self):
        for line in self.process.stdout:
            self._output.append(line)

    def until(self, done):
        """Waits until that is true of the documents so far, and answers them."""
        documents = []

        def are_enough():
            documents[:] = map(json.loads, list(self._output))
            return done(documents)
        until(are_enough, lambda: documents)
        return documents

    def stop(self):
        """What it printed: documents, or text."""
        self.process.send_signal(signal.SIGINT)
        return self.wait()

    def wait(self):
        self.process.wait(timeout=DEADLINE)
        self._reader.join()
        complaints = self.process.stderr.read()
        self.process.stderr.close()
        self.process.stdout.close()
        assert self.process.returncode == 0, complaints
        output = "".join(self._output)
        return output if self.text else [json.loads(line) for line in output.splitlines()]

    @contextlib.contextmanager
    def stopped(self):
        """It reads nothing meanwhile."""
        self.process.send_signal(signal.SIGSTOP)
        os.waitid(os.P_PID, self.process.pid, os.WSTOPPED | os.WNOWAIT)
        try:
            yield
        finally:
            self.process.send_signal(signal.SIGCONT)

    def kill(self):
        self.process.kill()
        self.process.wait()
        self._reader.join()
        self.process.stderr.close()
        self.process.stdout.close()


def events(documents):
    return [each for each in documents if "probe" in each]


def closing(documents):
    return documents[-1]["closing"]
