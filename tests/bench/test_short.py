"""`weir bench all --short`: everything is measured, counted and shown; nothing is said of how fast."""

import json
import os
import pathlib
import subprocess

import pytest

WEIR = os.environ["WEIR"]


@pytest.fixture(scope="module")
def results(tmp_path_factory):
    """The folder of the results; where the suite publishes it, if that is said."""
    folder = pathlib.Path(os.environ.get("BENCH_RESULTS") or tmp_path_factory.mktemp("results"))
    subprocess.run([WEIR, "bench", "all", "--short", "--out", folder], check=True, timeout=840)
    return folder


def cases(results, kind):
    return {case["name"]: case for case in json.loads((results / f"{kind}.json").read_text())["cases"]}


def test_every_scenario_has_a_figure_or_is_refused_by_a_limit(results):
    for name, case in cases(results, "run").items():
        assert ("net_ns" in case) != ("refused" in case), name
        if "refused" in case:
            assert "nodes of compiled rules" in case["refused"], name
        else:
            figure = case["net_ns"]
            assert figure["lower"] <= figure["median"] <= figure["upper"], name


def test_every_device_accounts_for_every_frame(results):
    for name, case in cases(results, "net").items():
        assert not case.get("refused", "").startswith("void"), f"{name}: {case['refused']}"
        if "counts" in case:
            counts = case["counts"]
            assert counts["device"] == counts["generator"] and counts["unaccounted"] == 0, name
            assert counts["sink"] in (0, counts["generator"]), name


def test_every_way_through_the_balancer_answers(results):
    found = cases(results, "apps")
    ways = ["http/direct/stack", "http/weir-l2dsr/native", "http/weir-ipip/native",
            "http/kernel/stack", "http/nft-dnat/stack"]
    assert list(found) == [*ways, "http/ipvs/stack"]
    for name in ways:
        case = found[name]
        assert case["requests_per_second"]["median"] > 0, name
        figures = [case["latency_us"][percent]["median"] for percent in ("50", "90", "99", "99.9")]
        assert figures == sorted(figures) and figures[0] > 0
        assert ("ratio" in case) == (name != ways[0])
    assert ("ratio" in found["http/ipvs/stack"]) != ("refused" in found["http/ipvs/stack"])


def test_no_packet_met_a_mix_of_generations(results):
    found = json.loads((results / "control.json").read_text())["under_traffic"]
    assert found["packets"] > 0 and found["generations"] > 0 and found["mixed"] == 0


def test_the_page_shows_all_of_it(results):
    page = (results / "report.html").read_text()
    for name in [*cases(results, "run"), "weir-ipip", "nft-dnat", "Under traffic"]:
        assert name in page, name
