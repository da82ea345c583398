"""From nothing to loaded and back, and what stands in the way."""

import fcntl
import os
import signal
import time

import pytest

from waiting import killed_after

NOT_LOADED = "Weir is not loaded in {pins}: run `weir load`"


def test_load_and_unload_twice(fresh):
    assert fresh("load") == f"loaded, pinned under {fresh.pins}/6\n"
    assert fresh("load") == "already loaded\n"
    assert fresh.json("status")["generation"] == 1
    assert fresh.rules() == []
    assert fresh("unload") == "unloaded\n"
    assert fresh("unload") == "not loaded\n"
    assert fresh.json("status")["loaded"] is False
    assert os.listdir(fresh.pins) == [] if fresh.pins.exists() else True


@pytest.mark.parametrize("words", [
    ["attach", "in0"], ["detach", "--all"], ["export"], ["rollback"], ["fw", "list"],
    ["fw", "add", "drop"], ["set", "list"], ["lb", "service", "list"], ["stats"], ["ledger"],
    ["explain", "tcp dport 80"]])
def test_before_load_each_verb_says_so(fresh, words):
    assert fresh.refuses(1, *words) == NOT_LOADED.format(pins=fresh.pins)


def test_sizes_are_kept_until_unload(fresh):
    fresh("load", "--max-rules", "3", "--max-nodes", "1024", "--max-flows", "1024")
    limits = fresh.json("status")["limits"]
    assert (limits["rules"], limits["nodes"], limits["flows"]) == (3, 1024, 1024)

    assert fresh("load", "--max-rules", "3") == "already loaded\n"
    assert fresh.refuses(1, "load", "--max-rules", "4") == (
        "already loaded with --max-rules 3: `weir unload`, then load again")


@pytest.mark.parametrize("option, yaml", [
    ("--max-rules", "firewall: {ingress: {rules: [tcp dport 1 drop, tcp dport 2 drop]}}"),
    ("--max-services", "lb: [{vip: 203.0.113.1:1/tcp}, {vip: 203.0.113.1:2/tcp}]"),
    ("--max-backends", "lb: [{vip: 203.0.113.1:1/tcp, backends: [10.0.0.1, 10.0.0.2]}]"),
    ("--max-set-elements",
     "sets: {s: {type: ipv4_addr, elements: [10.0.0.1, 10.0.0.3]}}"),
])
def test_more_than_fits_is_refused_with_the_mend(fresh, option, yaml):
    fresh("load", option, "1", "--max-flows", "64")
    before = fresh("export")

    message = fresh.refuses(1, "apply", "-", input=yaml)
    assert f"weir load {option} " in message
    assert fresh("export") == before


def test_unload_is_refused_while_attached(fresh):
    fresh("load", "--max-flows", "64")
    fresh("attach", "in0")
    assert "in0" in fresh.refuses(1, "unload")
    fresh("detach", "in0")
    fresh("unload")


def test_pins_of_another_schema_are_refused_with_the_way_out(fresh):
    (fresh.pins / "999").mkdir(parents=True)
    for words in (["load"], ["status"], ["fw", "list"]):
        message = fresh.refuses(1, *words)
        assert "schema 999" in message and "weir unload" in message


def test_a_base_that_is_no_bpffs_is_refused(fresh, tmp_path):
    assert fresh.refuses(1, "--pins", tmp_path / "x", "load") == (
        f"{tmp_path}/x is not on a bpffs: choose pins below /sys/fs/bpf, or `mount -t bpf bpf DIR`")


def test_a_load_that_is_killed_leaves_nothing_or_everything(fresh):
    """Killed before it, at times spread over as long as one takes here, and a little beyond."""
    words = ("load", "--max-flows", "64")
    loaded = f"loaded, pinned under {fresh.pins}/6\n"
    began = time.monotonic()
    assert fresh(*words) == loaded
    whole = time.monotonic() - began
    fresh("unload")

    fresh.pins.mkdir(exist_ok=True)
    folder = os.open(fresh.pins, os.O_RDONLY)
    fcntl.flock(folder, fcntl.LOCK_EX)  # what it has to wait for
    assert killed_after(fresh.start(*words), whole) == -signal.SIGKILL
    os.close(folder)
    assert fresh("load") == loaded
    fresh("unload")
    for step in range(10):
        ended = killed_after(fresh.start(*words), whole * step / 8)
        assert ended in (0, -signal.SIGKILL)
        assert fresh("load") in ((loaded, "already loaded\n") if ended else ("already loaded\n",))
        assert fresh.rules() == []
        fresh("unload")
