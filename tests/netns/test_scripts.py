"""The scripts themselves: what they lay out is whole or not there at all, and ends with them."""

import contextlib
import os
import pathlib
import subprocess

import pytest

import waiting
from lab import LAB, SCRIPTS

NAME = f"s{os.getpid()}"


def lab_sh(*words, **more):
    return subprocess.run([LAB, *words], text=True, capture_output=True, **more)


def traces():
    """What is left of the lab: namespaces, pins, processes in them."""
    return [str(path) for root in ("/run/netns", "/sys/fs/bpf")
            for path in pathlib.Path(root).glob(f"{NAME}-*")]


@pytest.fixture(autouse=True)
def clean():
    yield
    lab_sh("down", NAME)


def test_down_leaves_nothing_and_may_be_repeated():
    assert lab_sh("up", NAME).returncode == 0
    server = subprocess.Popen([LAB, "exec", NAME, "be1", "sh", "-c", "echo inside; exec sleep 600"],
                              stdout=subprocess.PIPE)
    assert server.stdout.readline() == b"inside\n"
    pathlib.Path(f"/sys/fs/bpf/{NAME}-lb").mkdir()

    for _ in range(2):
        assert lab_sh("down", NAME).returncode == 0
        assert traces() == []
    assert server.wait(timeout=10) == -9


def test_down_removes_half_a_lab():
    lab_sh("up", NAME)
    subprocess.run(["ip", "netns", "del", f"{NAME}-rt"], check=True)

    assert lab_sh("down", NAME).returncode == 0
    assert traces() == []


def test_an_up_that_fails_takes_itself_down(tmp_path):
    # Without ethtool in the path, wiring fails after the namespaces are there.
    for tool in ("ip", "nsenter", "sysctl", "mountpoint", "dirname", "readlink", "id", "seq", "rm",
                 "env", "cat"):
        (tmp_path / tool).symlink_to(subprocess.check_output(["which", tool], text=True).strip())
    done = subprocess.run(["/bin/bash", LAB, "up", NAME], text=True, capture_output=True,
                          env={"PATH": str(tmp_path)})

    assert done.returncode != 0 and "ethtool" in done.stderr
    assert traces() == []


def test_a_second_up_is_refused_and_breaks_nothing():
    lab_sh("up", NAME)
    again = lab_sh("up", NAME)

    assert again.returncode == 1
    assert f"lab '{NAME}' is there already" in again.stderr
    assert lab_sh("exec", NAME, "client", "true").returncode == 0


def test_labs_with_like_names_are_apart():
    other = f"{NAME}-x"
    lab_sh("up", NAME, "--backends", "1")
    lab_sh("up", other, "--backends", "1")
    try:
        lab_sh("down", NAME)
        assert lab_sh("exec", other, "be1", "true").returncode == 0
    finally:
        lab_sh("down", other)


def test_env_names_every_node():
    lab_sh("up", NAME, "--backends", "1")
    script = f'eval "$({LAB} env {NAME})"; lb ip -4 -br addr show front'
    done = subprocess.run(["bash", "-c", script], text=True, capture_output=True)

    assert "10.0.1.1/24" in done.stdout


@pytest.mark.parametrize("words", [
    ["up"], ["sideways", NAME], ["up", "UPPER"], ["up", NAME, "--odd"]])
def test_wrong_words_are_refused(words):
    assert lab_sh(*words).returncode != 0
    assert traces() == []


def guest_of(pid):
    """The emulator's process among the descendants of that one, if it is there."""
    with contextlib.suppress(OSError):  # one of them has just ended
        if pathlib.Path(f"/proc/{pid}/comm").read_text().startswith("qemu"):
            return int(pid)
        children = pathlib.Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
        return next(filter(None, map(guest_of, children)), None)


def test_a_guest_ends_with_who_started_it(tmp_path):
    vm = subprocess.Popen([SCRIPTS / "vm.sh", "--kernel", "6.1", "--cpus", "1", "--out", tmp_path, "--",
                           "sh", "-c", "echo up; exec sleep 600"], text=True, stdout=subprocess.PIPE)
    assert vm.stdout.readline() == "up\n"
    guest = guest_of(vm.pid)
    assert guest is not None

    vm.kill()

    waiting.until(lambda: not pathlib.Path(f"/proc/{guest}").exists(), "the guest goes on")
    vm.wait()
