"""`weir bench apps`: real clients and servers through the VIP, by the way that is said."""

import json
import os
import pathlib
import signal

import pytest

from waiting import until


def applications(session):
    """Servers and clients that a command started: none of them leaves its session."""
    names = []
    for path in pathlib.Path("/proc").glob("[0-9]*/cmdline"):
        try:
            words = path.read_bytes().split(b"\0")
            if os.getsid(int(path.parent.name)) != session:
                continue
        except (FileNotFoundError, ProcessLookupError):
            continue
        if words[0].startswith(b"nginx") or words[0] in (b"iperf3", b"wrk"):
            names.append(path.parent.name)
    return names


def eventually(what, wanted):
    until(lambda: what() == wanted, lambda: f"{what()}, not {wanted}")


def tools_but(missing, folder):
    """A folder with every tool of this machine but one, for PATH."""
    for place in os.environ["PATH"].split(os.pathsep):
        for tool in pathlib.Path(place).glob("*"):
            link = folder / tool.name
            if tool.name != missing and not link.exists():
                link.symlink_to(tool)
    return str(folder)


def test_results_are_printed_and_kept_and_servers_end(weir, tmp_path):
    """By two ways; the short form of the bench (tests/bench) takes all of them."""
    running = weir.start("--json", "bench", "apps", "--application", "http", "--rounds", 3,
                         "--seconds", 2, "--peers", "direct,weir-l2dsr", "--mode", "native",
                         "--out", tmp_path, start_new_session=True)
    eventually(lambda: applications(running.pid) != [], True)

    said, complaint = running.communicate(timeout=240)

    assert running.returncode == 0, complaint
    document = json.loads(said)
    assert document == json.loads((tmp_path / "apps.json").read_text())
    direct, balanced = document["cases"]
    assert (direct["name"], balanced["name"]) == ("http/direct/stack", "http/weir-l2dsr/native")
    assert direct["requests_per_second"]["median"] > 0 and "ratio" not in direct
    assert balanced["requests_per_second"]["median"] > 0 and balanced["ratio"]["median"] > 0
    eventually(lambda: applications(running.pid), [])


def test_bulk_and_a_connection_for_each_request(weir):
    document = weir.json("bench", "apps", "--application", "http-connect,iperf3", "--rounds", 3,
                         "--seconds", 2, "--peers", "direct,weir-ipip", "--mode", "generic")

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
    running = weir.start("bench", "apps", "--seconds", 60, "--peers", "direct",
                         start_new_session=True)
    eventually(lambda: len(applications(running.pid)) >= 3, True)

    running.send_signal(by)

    running.wait(timeout=60)
    running.communicate()
    eventually(lambda: applications(running.pid), [])
