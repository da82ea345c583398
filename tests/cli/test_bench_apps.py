"""`weir bench apps`: real clients and servers through the VIP, by the way that is said."""

import json
import os
import pathlib
import signal
import time

import pytest


def applications():
    """Servers and clients that run on this machine."""
    names = []
    for path in pathlib.Path("/proc").glob("[0-9]*/cmdline"):
        try:
            words = path.read_bytes().split(b"\0")
        except (FileNotFoundError, ProcessLookupError):
            continue
        if words[0].startswith(b"nginx") or words[0] in (b"iperf3", b"wrk"):
            names.append(path.parent.name)
    return names


def eventually(what, wanted):
    deadline = time.monotonic() + 30
    while what() != wanted and time.monotonic() < deadline:
        time.sleep(0.05)
    assert what() == wanted


def tools_but(missing, folder):
    """A folder with every tool of this machine but one, for PATH."""
    for place in os.environ["PATH"].split(os.pathsep):
        for tool in pathlib.Path(place).glob("*"):
            link = folder / tool.name
            if tool.name != missing and not link.exists():
                link.symlink_to(tool)
    return str(folder)


def test_requests_are_answered_by_every_way(weir, tmp_path):
    before = applications()

    document = weir.json("bench", "apps", "--application", "http", "--rounds", 3,
                         "--out", tmp_path)

    assert document == json.loads((tmp_path / "apps.json").read_text())
    cases = {case["name"]: case for case in document["cases"]}
    ways = ["http/direct/stack", "http/weir-l2dsr/native", "http/weir-ipip/native",
            "http/kernel/stack", "http/nft-dnat/stack"]
    assert list(cases) == ways + ["http/ipvs/stack"]
    for name in ways:
        case = cases[name]
        assert case["requests_per_second"]["median"] > 0, name
        figures = [case["latency_us"][percent]["median"] for percent in ("50", "90", "99", "99.9")]
        assert figures == sorted(figures) and figures[0] > 0
        assert ("ratio" in case) == (name != ways[0])
    assert ("ratio" in cases["http/ipvs/stack"]) != ("refused" in cases["http/ipvs/stack"])
    eventually(applications, before)


def test_bulk_and_a_connection_for_each_request(weir):
    document = weir.json("bench", "apps", "--application", "http-connect,iperf3", "--rounds", 3,
                         "--peers", "direct,weir-ipip", "--mode", "generic")

    cases = {case["name"]: case for case in document["cases"]}
    assert set(cases) == {"http-connect/direct/stack", "http-connect/weir-ipip/generic",
                          "iperf3/direct/stack", "iperf3/weir-ipip/generic"}
    assert cases["http-connect/weir-ipip/generic"]["requests_per_second"]["median"] > 0
    bulk = cases["iperf3/weir-ipip/generic"]
    assert bulk["bits_per_second"]["median"] > 0 and "latency_us" not in bulk


@pytest.mark.parametrize("tool, refused", [("wrk", "http"), ("nginx", "http"),
                                           ("iperf3", "iperf3")])
def test_a_tool_that_is_missing_is_named(weir, monkeypatch, tmp_path, tool, refused):
    monkeypatch.setitem(weir.environment, "PATH", tools_but(tool, tmp_path))

    document = weir.json("bench", "apps", "--rounds", 3, "--peers", "direct",
                         "--application", refused)

    (case,) = document["cases"]
    assert case["refused"] == f"{tool} is not installed"
    assert "requests_per_second" not in case and "bits_per_second" not in case


@pytest.mark.parametrize("words, complaint", [
    (["--application", "https"], "unknown application 'https': expected http, http-connect, "),
    (["--peers", "weir"], "unknown peer 'weir': expected direct, weir-l2dsr, "),
    (["--mode", "offload"], "unknown mode 'offload': expected native, generic, both"),
    (["--rounds", "2"], "--rounds '2': expected a number from 3 to 1000"),
    (["--seconds", "0"], "--seconds '0': expected a number from 1 to 3600"),
    (["--connections", "0"], "--connections '0': expected a number from 1 to 1000"),
])
def test_wrong_words_are_refused_by_name(weir, words, complaint):
    assert weir.refuses(2, "bench", "apps", *words).startswith(complaint)


@pytest.mark.parametrize("by", [signal.SIGINT, signal.SIGKILL])
def test_servers_and_clients_end_with_the_command(weir, by):
    before = applications()
    running = weir.start("bench", "apps", "--seconds", 60, "--peers", "direct")
    eventually(lambda: len(applications()) >= len(before) + 3, True)

    running.send_signal(by)

    running.wait(timeout=60)
    running.communicate()
    eventually(applications, before)
