"""`weir bench trace`: every case has a figure or a reason, and the figures are those of the result."""

import json
import os
import subprocess

WEIR = os.environ["WEIR"]


def test_what_this_kernel_can_is_measured_and_the_rest_has_a_reason(tmp_path):
    done = subprocess.run([WEIR, "bench", "trace", "--rounds", "3", "--events", "200", "--alone",
                           "--json", "--out", tmp_path], text=True, capture_output=True)
    assert done.returncode == 0, done.stderr

    document = json.loads(done.stdout)

    cases = {case["name"]: case for case in document["cases"]}
    assert {case["peer"] for case in cases.values()} == {"weir"}
    assert {case["backend"] for case in cases.values()} == {
        "tp", "raw_tp", "fentry", "kprobe.multi", "kprobe", "uprobe"}
    for name in ("tp/count/weir", "tp/key/weir", "tp/event/weir", "raw_tp/count/weir",
                 "uprobe/count/weir", "uprobe/elapsed/weir"):
        cost = cases[name]["cost"]
        assert cost["lower"] <= cost["median"] <= cost["upper"], name
    # Two traps into the kernel are not cheaper than nothing, however busy the machine is.
    assert cases["uprobe/elapsed/weir"]["cost"]["median"] > 0
    for case in cases.values():
        assert ("cost" in case) != ("refused" in case) and case.get("refused") != "", case
    assert [rate["ring_octets"] for rate in document["rates"]] == [65536, 4194304] or \
        document["no_rates"]
    assert json.loads((tmp_path / "trace.json").read_text())["cases"] == document["cases"]
    assert "What tracing costs" in (tmp_path / "trace.md").read_text()
