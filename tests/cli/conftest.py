"""The binary as a user runs it: in a namespace of its own, with pins of its own."""

import json
import os
import pathlib
import re
import shutil
import subprocess

import pytest

BINARY = os.environ.get("WEIR", "weir")
BPFFS = pathlib.Path("/sys/fs/bpf")


class Weir:
    def __init__(self, name):
        self.namespace = f"wv-{name}"
        self.pins = BPFFS / f"weir-wv-{name}"
        self.environment = {**os.environ, "WEIR_PINS": str(self.pins)}
        self.started = []

    def up(self):
        if not os.path.ismount(BPFFS):
            subprocess.run(["mount", "-t", "bpf", "bpf", BPFFS], check=True)
        self.down()
        subprocess.run(["ip", "netns", "add", self.namespace], check=True)
        subprocess.run(["ip", "-n", self.namespace, "link", "add", "in0", "type", "veth", "peer",
                        "name", "out0"], check=True)
        for device in ("lo", "in0", "out0"):
            subprocess.run(["ip", "-n", self.namespace, "link", "set", device, "up"], check=True)

    def down(self):
        if os.path.exists(f"/run/netns/{self.namespace}"):
            subprocess.run(["ip", "netns", "del", self.namespace], check=True)
        shutil.rmtree(self.pins, ignore_errors=True)

    def command(self, *words):
        return ["nsenter", f"--net=/run/netns/{self.namespace}", BINARY, *map(str, words)]

    def start(self, *words, **more):
        process = subprocess.Popen(self.command(*words), env=self.environment, text=True,
                                   stdout=subprocess.PIPE, stderr=subprocess.PIPE, **more)
        self.started.append(process)
        return process

    def end_started(self):
        """What a test that failed did not end would run on beside all others."""
        for process in self.started:
            if process.poll() is None:
                process.kill()
                process.communicate()
        self.started.clear()

    def run(self, *words, **more):
        return subprocess.run(self.command(*words), env=self.environment, text=True, timeout=600,
                              capture_output=True, **more)

    def __call__(self, *words, **more):
        """What it prints, where it must succeed."""
        done = self.run(*words, **more)
        assert done.returncode == 0, f"weir {words}: {done.stderr}"
        return done.stdout

    def json(self, *words, **more):
        document = json.loads(self("--json", *words, **more))
        assert document["schema"] == 1
        return document

    def refuses(self, code, *words, **more):
        """The one line that it complains with."""
        done = self.run(*words, **more)
        assert done.returncode == code, f"weir {words}: {done.stdout}{done.stderr}"
        lines = [line for line in done.stderr.splitlines()
                 if not line.startswith("weir: warning: ")]
        assert len(lines) == 1 and lines[0].startswith("weir: "), done.stderr
        return lines[0].removeprefix("weir: ")

    def warnings(self, *words, **more):
        done = self.run(*words, **more)
        assert done.returncode == 0, done.stderr
        return re.findall(r"^weir: warning: (.*)$", done.stderr, re.MULTILINE)

    def rules(self, chain="ingress"):
        listed = self.json("fw", "list", chain)["chains"][0]["rules"]
        return [rule["rule"] for rule in listed]

    def handles(self, chain="ingress"):
        return [rule["handle"] for rule in self.json("fw", "list", chain)["chains"][0]["rules"]]


@pytest.fixture(scope="module")
def node(request):
    """Loaded once for all tests of a file, with a pair of interfaces, in0 and out0."""
    weir = Weir(request.module.__name__.removeprefix("test_"))
    weir.up()
    weir("load")
    yield weir
    weir.run("detach", "--all")
    weir.run("unload")
    weir.down()


@pytest.fixture
def weir(node):
    """As `weir load` left it."""
    node("apply", "-", input="{}")
    yield node
    node.end_started()


@pytest.fixture
def fresh(request):
    """Not loaded."""
    weir = Weir("fresh")
    weir.up()
    yield weir
    weir.end_started()
    weir.run("detach", "--all")
    weir.run("unload")
    weir.down()
