"""`weir bench net`: counts that agree, peers that are missing by name, and nothing left behind."""

import contextlib
import itertools
import json
import os
import pathlib
import re
import signal
import subprocess

import pytest

from waiting import until

SHORT = ["--rounds", 3, "--packets", 20000, "--size", 64]


def names():
    """What a command may leave where it runs."""
    links = subprocess.run(["ip", "-br", "link"], text=True, capture_output=True, check=True).stdout
    return {
        "links": sorted(line.split()[0] for line in links.splitlines()),
        "pins": sorted(path.name for path in pathlib.Path("/sys/fs/bpf").glob("*")),
        "namespaces": sorted(path.name for path in pathlib.Path("/run/netns").glob("*")),
        "mounts": pathlib.Path("/proc/self/mounts").read_text().count(" bpf "),
    }


def held_by(pid):
    """Numbers of the programs, and the network namespaces, that a process has open."""
    programs, namespaces = set(), set()
    for fd in pathlib.Path(f"/proc/{pid}/fd").glob("*"):
        try:
            target = os.readlink(fd)
            if target.startswith("net:["):
                namespaces.add(target)
            elif target == "anon_inode:bpf-prog":
                info = pathlib.Path(f"/proc/{pid}/fdinfo/{fd.name}").read_text()
                programs.add(int(re.search(r"^prog_id:\s*(\d+)$", info, re.MULTILINE)[1]))
        except FileNotFoundError:
            pass  # closed meanwhile
    return programs, namespaces


def loaded(programs):
    """Names of those of these numbers that the kernel still has."""
    there = json.loads(subprocess.run(["bpftool", "-j", "prog", "show"], text=True,
                                      capture_output=True, check=True).stdout)
    return {program.get("name") for program in there if program["id"] in programs}


def eventually(what, wanted):
    """The kernel takes namespaces down behind the process's end."""
    until(lambda: what() == wanted, lambda: f"{what()}, not {wanted}")


def by_peer(document):
    return {(case["peer"], case["mode"]): case for case in document["cases"]}


def test_every_station_counts_the_same_frames_dropped(weir, tmp_path):
    before, programs, done = names(), set(), None
    running = weir.start("--json", "bench", "net", "--job", "filter-1", *SHORT, "--out", tmp_path)
    while done is None:
        programs |= held_by(running.pid)[0]
        with contextlib.suppress(subprocess.TimeoutExpired):
            done = running.communicate(timeout=0.05)

    assert running.returncode == 0, done[1]
    document = json.loads(done[0])
    assert document == json.loads((tmp_path / "net.json").read_text())
    assert document["kind"] == "net" and document["options"]["packets"] == 20000
    cases = by_peer(document)
    for mode in ("native", "generic"):
        for peer in ("empty-xdp", "weir"):
            case = cases[peer, mode]
            assert case["counts"] == {"generator": 60000, "device": 60000, "handled": 60000,
                                      "unaccounted": 0, "sink": 0}
            assert case["cpu_ns"]["lower"] <= case["cpu_ns"]["median"] <= case["cpu_ns"]["upper"]
            assert case["packets_per_second"]["median"] > 0
        assert cases["empty-xdp", mode]["ratio"] == {"median": 1, "lower": 1, "upper": 1}
    for case in cases.values():
        assert ("counts" in case) != ("refused" in case)
    assert cases["nft-rules", "stack"]["counts"]["handled"] == 60000
    assert len(programs) > 3
    eventually(lambda: (names(), loaded(programs)), (before, set()))


def test_every_station_counts_the_same_frames_handed_on(weir):
    document = weir.json("bench", "net", "--job", "forward", "--rounds", 3, "--packets", 20000,
                         "--peers", "empty-xdp,weir-l2dsr,weir-ipip,kernel,nft-dnat",
                         "--size", "64,1500", "--flows", 100, "--mode", "native")

    for size, (peer, mode) in itertools.product((64, 1500), [
            ("empty-xdp", "native"), ("weir-l2dsr", "native"), ("weir-ipip", "native"),
            ("kernel", "stack"), ("nft-dnat", "stack")]):
        (case,) = [case for case in document["cases"]
                   if (case["peer"], case["mode"], case["size"]) == (peer, mode, size)]
        assert case["counts"]["generator"] == case["counts"]["device"] == 60000, peer
        assert case["counts"]["sink"] == 60000 and case["counts"]["unaccounted"] == 0
        assert case["counts"].get("handled", 60000) == 60000


@pytest.mark.skipif(len(os.sched_getaffinity(0)) < 2, reason="one CPU: nothing sends beside it")
def test_two_cpus_send_at_the_same_time(weir):
    document = weir.json("bench", "net", "--job", "forward", "--cpus", "1,2", "--peers",
                         "empty-xdp,weir-ipip,kernel,nft-dnat", *SHORT)

    assert document["options"]["cpus"] == [1, 2]
    cases = {(case["peer"], case["mode"], case["cpus"]): case for case in document["cases"]}
    for peer, mode in [("empty-xdp", "native"), ("empty-xdp", "generic"), ("weir-ipip", "native"),
                       ("weir-ipip", "generic"), ("kernel", "stack"), ("nft-dnat", "stack")]:
        one, two = cases[peer, mode, 1], cases[peer, mode, 2]
        assert one["counts"]["sink"] == 60000 and two["counts"]["sink"] == 120000, peer
        assert two["name"] == one["name"] + "/2-cpus"
        assert "efficiency" not in one and two["efficiency"]["median"] > 0


def test_a_peer_that_is_missing_stays_in_the_result(weir, monkeypatch):
    folders = os.environ["PATH"].split(os.pathsep)
    monkeypatch.setitem(weir.environment, "PATH", os.pathsep.join(
        folder for folder in folders if not os.path.exists(os.path.join(folder, "ipvsadm"))))

    document = weir.json("bench", "net", "--job", "forward", "--peers", "empty-xdp,ipvs",
                         "--mode", "native", *SHORT)

    cases = by_peer(document)
    assert set(cases) == {("empty-xdp", "native"), ("ipvs", "stack")}
    assert cases["ipvs", "stack"]["refused"] == "ipvsadm is not installed"
    assert "cpu_ns" not in cases["ipvs", "stack"]


def test_a_set_of_many_and_what_has_no_sets(weir):
    document = weir.json("bench", "net", "--job", "filter-set", "--mode", "native",
                         "--peers", "weir,nft-set,nft-map,nft-rules", "--flows", 70000, *SHORT)

    cases = by_peer(document)
    assert cases["weir", "native"]["counts"]["handled"] == 60000
    assert cases["nft-set", "stack"]["counts"]["handled"] == 60000
    assert cases["nft-map", "stack"]["counts"]["handled"] == 60000
    assert cases["nft-rules", "stack"]["refused"] == "linear rules: nft-set and nft-map have sets"


@pytest.mark.parametrize("words, complaint", [
    (["--job", "filter-2"], "unknown job 'filter-2': expected filter-1, filter-100, "),
    (["--peers", "nft-sets"], "unknown peer 'nft-sets': expected empty-xdp, "),
    (["--job", "forward", "--peers", "nft-set"], "unknown peer 'nft-set'"),
    (["--size", "64,1501"], "--size '1501': expected a number from 64 to 1500"),
    (["--size", "64,"], "--size '': expected a number from 64 to 1500"),
    (["--flows", "0"], "--flows '0': expected a number from 1 to 1000000"),
    (["--cpus", "1,0"], "--cpus '0': expected a number from 1 to "),
    (["--rounds", "2"], "--rounds '2': expected a number from 3 to 1000"),
    (["--packets", "many"], "--packets 'many': expected a number from 1000 to 100000000"),
    (["--mode", "offload"], "unknown mode 'offload': expected native, generic, both"),
])
def test_wrong_words_are_refused_by_name(weir, words, complaint):
    assert weir.refuses(2, "bench", "net", *words).startswith(complaint)


@pytest.mark.parametrize("by", [signal.SIGINT, signal.SIGKILL])
def test_ended_half_way_leaves_nothing(weir, by):
    before = names()
    running = weir.start("bench", "net", "--job", "filter-1", "--packets", 10000000)

    def is_at_work():  # labs of three namespaces each are up, and frames are on their way
        programs, namespaces = held_by(running.pid)
        return len(namespaces) >= 12 and "live_frame" in loaded(programs) and programs
    programs = until(lambda: running.poll() is not None or is_at_work(), "no lab is at work")
    assert running.poll() is None

    running.send_signal(by)

    assert running.wait(timeout=60) == -by
    running.communicate()
    eventually(lambda: (names(), loaded(programs)), (before, set()))
