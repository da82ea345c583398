"""The bench, with peers that not every kernel has."""

import json
import os
import subprocess


def test_every_peer_of_the_bench_counts_the_same_frames():
    """IPVS and others that not every kernel has; the rest is tested where machines are faster."""
    peers = {"ipvs", "nft-dnat", "nft-map", "iptables-raw", "xdp-filter", "weir-ipip"}
    done = subprocess.run([os.environ.get("WEIR", "weir"), "bench", "net", "--json", "--job",
                           "filter-1,forward", "--size", "64", "--mode", "native", "--rounds", "3",
                           "--packets", "1000", "--flows", "100", "--peers", ",".join(peers)],
                          text=True, capture_output=True)
    assert done.returncode == 0, done.stderr

    cases = json.loads(done.stdout)["cases"]

    assert peers == {case["peer"] for case in cases}
    for case in cases:
        assert "refused" not in case, (case["job"], case["peer"], case["mode"], case["refused"])
        sink = 3000 if case["job"] == "forward" else 0
        assert case["counts"]["generator"] == case["counts"]["device"] == 3000
        assert case["counts"].get("handled", 3000) == 3000 and case["counts"]["sink"] == sink


def test_requests_are_answered_through_ipvs_too():
    """Which not every kernel has; other ways are tested where machines are faster."""
    done = subprocess.run([os.environ.get("WEIR", "weir"), "bench", "apps", "--json",
                           "--application", "http", "--rounds", "3", "--seconds", "1",
                           "--connections", "2", "--peers", "direct,weir-ipip,ipvs"],
                          text=True, capture_output=True)
    assert done.returncode == 0, done.stderr

    cases = {case["peer"]: case for case in json.loads(done.stdout)["cases"]}

    assert {"direct", "weir-ipip", "ipvs"} == set(cases)
    for case in cases.values():
        assert "refused" not in case, (case["peer"], case["refused"])
        assert case["requests_per_second"]["median"] > 0
