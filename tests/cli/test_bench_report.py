"""`weir bench report`: what people look at, made of result files alone."""

import json
import re
import shutil
import subprocess
import urllib.parse
import xml.etree.ElementTree as ElementTree

import pytest


@pytest.fixture(scope="module")
def results(node, tmp_path_factory):
    """A folder as `weir bench run --out` leaves it."""
    folder = tmp_path_factory.mktemp("results")
    node("bench", "run", "--only", "fw4-10-*", "--only", "fw4-hard-100000-miss", "--rounds", 3,
         "--out", folder)
    return folder


def test_a_run_leaves_figures_tables_and_plots(results):
    assert {path.name for path in results.iterdir()} >= {"run.json", "run.md",
                                                         "run-rules-ipv4.svg",
                                                         "run-rules-ipv4.png"}
    cases = json.loads((results / "run.json").read_text())["cases"]
    table = (results / "run.md").read_text()
    for case in cases:
        row = re.search(rf"^\| {case['name']} .*$", table, re.MULTILINE)
        assert row, case["name"]
        if "net_ns" in case:
            assert f" {case['net_ns']['median']:.0f} |" in row[0]
    ElementTree.parse(results / "run-rules-ipv4.svg")
    assert (results / "run-rules-ipv4.png").read_bytes().startswith(b"\x89PNG")


def test_what_does_not_fit_is_shown_as_refused(results):
    (case,) = [case for case in json.loads((results / "run.json").read_text())["cases"]
               if "refused" in case]

    assert (case["name"], case["x"]) == ("fw4-hard-100000-miss", 100000)
    assert case["refused"].startswith("400001 nodes of compiled rules: at most 131072 are possible")
    assert case["refused"] in (results / "run.md").read_text()


def test_one_page_that_needs_nothing_else(weir, results, tmp_path):
    page = tmp_path / "page.html"

    weir("bench", "report", results, "--output", page)

    html = page.read_text()
    assert "<table>" in html and "fw4-10-mixed" in html
    assert "<script" not in html and "<link" not in html
    pictures = re.findall(r'src="([^"]*)"', html)
    assert html.count("src=") == len(pictures) >= 1
    for picture in pictures:
        kind, drawing = picture.split(",", 1)
        assert kind == "data:image/svg+xml"
        ElementTree.fromstring(urllib.parse.unquote(drawing))
    ids = re.findall(r"""\bid=["']([^"']*)""", html)
    assert len(ids) == len(set(ids)) >= 1
    # Names of XML dialects are no places that a browser goes to.
    assert set(re.findall(r'"(https?://[^"]+)"', html)) <= {"http://www.w3.org/2000/svg",
                                                            "http://www.w3.org/1999/xlink"}


def test_plots_are_made_again_from_the_figures(weir, results, tmp_path):
    shutil.copy(results / "run.json", tmp_path)

    weir("bench", "report", tmp_path)

    assert (tmp_path / "run-rules-ipv4.svg").exists() and (tmp_path / "report.html").exists()


def test_a_file_of_another_kind_is_named(weir, results, tmp_path):
    shutil.copy(results / "run.json", tmp_path)
    (tmp_path / "broken.json").write_text("{")
    (tmp_path / "foreign.json").write_text('{"schema": 1, "kind": "song"}')

    done = weir.run("bench", "report", tmp_path)

    assert done.returncode == 1
    assert "broken.json" in done.stderr and "foreign.json" in done.stderr
    assert "fw4-10-mixed" in (tmp_path / "report.html").read_text()


HEAD = {"schema": 1, "weir": "0.1.0 (abc)", "kernel": "6.1.0", "processor": "CPU", "cpus": 2,
        "started": "2026-01-01T00:00:00Z"}


def around(median):
    return {"median": median, "lower": median * 0.9, "upper": median * 1.1}


def net_case(peer, mode, size, cpus=1, **more):
    return {"name": f"forward/{peer}/{mode}/{size}", "job": "forward", "peer": peer, "mode": mode,
            "what": f"what {peer} is", "size": size, "flows": 1, "cpus": cpus, **more}


def measured(ns, frames, **more):
    return {"packets_per_second": around(1e9 / ns), "cpu_ns": around(ns), "ratio": around(ns / 200),
            "counts": {"generator": frames, "device": frames, "unaccounted": 0, "sink": frames},
            **more}


DOCUMENTS = {
    "net": {"options": {"jobs": {"forward": "hand on"}, "cpus": [1, 2]}, "cases": [
        net_case("weir", "native", 64, **measured(500, 1000)),
        net_case("weir", "native", 1500, **measured(520, 1000), repeated=2),
        net_case("weir", "native", 64, cpus=2, **measured(510, 2000), efficiency=around(0.95)),
        net_case("ipvs", "stack", 64, refused="ipvsadm is not installed"),
        net_case("ipvs", "stack", 1500, refused="ipvsadm is not installed")]},
    "apps": {"options": {"rounds": 3}, "cases": [
        {"name": "http/direct/stack", "application": "http", "peer": "direct", "mode": "stack",
         "what": "", "requests_per_second": around(100000),
         "latency_us": {"50": around(120), "99": around(400)}},
        {"name": "http/weir/native", "application": "http", "peer": "weir", "mode": "native",
         "what": "", "requests_per_second": around(90000), "ratio": around(0.9),
         "latency_us": {"50": around(130), "99": around(450)}},
        {"name": "iperf3/direct/stack", "application": "iperf3", "peer": "direct",
         "mode": "stack", "what": "", "bits_per_second": around(6.1e9)},
        {"name": "iperf3/ipvs/stack", "application": "iperf3", "peer": "ipvs", "mode": "stack",
         "what": "", "refused": "the kernel has none"}]},
    "control": {"options": {}, "under_traffic": {"generations": 200, "packets": 8e6, "mixed": 0},
                "cases": [{"name": "apply-1000-rules", "what": "a thousand", "ms": around(50)},
                          {"name": "huge", "what": "too many", "refused": "no room"}]},
    "trace": {"options": {}, "unit": "ns", "cases": [
        {"name": "tp/count/weir", "backend": "tp", "recipe": "count", "peer": "weir",
         "what": "counts", "cost": around(100), "floor": around(300)},
        {"name": "tp/count/bpftrace", "backend": "tp", "recipe": "count", "peer": "bpftrace",
         "what": "counts", "cost": around(200), "floor": around(300), "ratio": around(2)},
        {"name": "fentry/count/weir", "backend": "fentry", "recipe": "count", "peer": "weir",
         "what": "counts", "refused": "the kernel does not permit it"}],
        "rates": [{"ring_octets": 65536, "event_octets": 248, "kept": 200000, "lost": 250000.0},
                  {"ring_octets": 4194304, "event_octets": 248, "kept": 800000}]},
    "instructions": {"kernels": {
        "6.1": {"release": "6.1.0-56", "instructions": {"fw4-10-last": 1189, "fw4-100-last": 4060}},
        "6.12": {"release": "6.12.9", "instructions": {"fw4-10-last": 1200, "count": 250}}}},
}


@pytest.fixture
def all_kinds(tmp_path):
    for kind, document in DOCUMENTS.items():
        (tmp_path / f"{kind}.json").write_text(json.dumps({**HEAD, "kind": kind, **document}))
    return tmp_path


def rows(page):
    """Cells of every line of a table, without the room between them."""
    return [[cell.strip() for cell in line.strip("|").split("|")]
            for line in page.splitlines() if line.startswith("|")]


def test_every_kind_has_its_chapter(weir, all_kinds):
    page = all_kinds / "pages" / "all.md"
    page.parent.mkdir()

    weir("bench", "report", all_kinds, "--markdown", page)

    text, table = page.read_text(), rows(page.read_text())
    assert [line for line in text.splitlines() if line.startswith("## ")] == [
        "## Throughput, beside what else there is", "## Applications through the balancer",
        "## What a change of the configuration takes", "## What tracing costs",
        "## What a packet costs, in instructions"]
    assert ["weir", "native", "64", "2,000,000", "500", "450–550", "2.50", "2.25–2.75"] in table
    assert ["forward", "weir", "native", "64", "2", "1,960,784", "0.950", "0.855–1.04"] in table
    assert "- Refused, ipvs, stack (64, 1500 octets): ipvsadm is not installed" in text
    assert "In 3 figures the generators sent 4,000 frames" in text
    assert "Rounds that did not agree and were taken again: 2." in text
    assert ["weir, native", "90,000", "81,000–99,000", "0.900", "0.810–0.990", "130", "450"] in table
    assert ["direct", "6.10", "5.49–6.71", "", ""] in table
    assert "- Refused, iperf3/ipvs/stack: the kernel has none" in text
    assert ["apply-1000-rules", "50.0", "45.0–55.0", "a thousand"] in table
    assert "- Refused, huge: no room" in text and "200 changes were made while 8,000,000" in text
    assert ["tp", "count", "bpftrace", "200", "180–220", "2.00", "1.80–2.20", "counts"] in table
    assert "- Refused, fentry/count/weir: the kernel does not permit it" in text
    assert ["65,536", "248", "200,000", "250,000"] in table
    assert ["4,194,304", "248", "800,000", "none: the source gives no more"] in table
    assert ["fw4-10-last", "1,189", "1,200"] in table and ["fw4-100-last", "4,060", ""] in table
    assert ["count", "", "250"] in table
    pictures = re.findall(r"\]\((.*?\.svg)\)", text)
    assert "../net-forward-throughput.svg" in pictures and "../apps-http-latency.svg" in pictures
    assert all((page.parent / picture).exists() for picture in pictures)


@pytest.mark.parametrize("kind, without", [("net", "cases"), ("apps", "cases"), ("net", "weir"),
                                           ("control", "under_traffic"), ("trace", "rates"),
                                           ("instructions", "kernels")])
def test_a_result_that_lacks_something_is_refused(weir, all_kinds, kind, without):
    document = json.loads((all_kinds / f"{kind}.json").read_text())
    del document[without]
    (all_kinds / f"{kind}.json").write_text(json.dumps(document))

    done = weir.run("bench", "report", all_kinds)

    assert done.returncode == 1
    assert f"{kind}.json: refused: not as `weir bench {kind}` writes it: " in done.stderr
    assert without in done.stderr


def test_a_folder_without_results_says_so(weir, tmp_path):
    assert str(tmp_path) in weir.refuses(1, "bench", "report", tmp_path)


def test_without_gnuplot_the_rest_is_there(weir, results, tmp_path):
    shutil.copy(results / "run.json", tmp_path)
    environment = {**weir.environment, "PATH": "/nonexistent"}

    nsenter = shutil.which("nsenter")
    command = [nsenter, *weir.command("bench", "report", tmp_path)[1:]]
    done = subprocess.run(command, env=environment, text=True, capture_output=True, timeout=60)

    assert done.returncode == 0 and done.stderr.count("gnuplot-nox") == 1, done.stderr
    assert "fw4-10-mixed" in (tmp_path / "report.html").read_text()


def test_a_preface_stands_in_front_of_the_chapters(weir, all_kinds):
    page, preface = all_kinds / "all.md", all_kinds / "preface.md"
    preface.write_text("Read this **first**.\n")

    weir("bench", "report", all_kinds, "--markdown", page, "--preface", preface)

    before, _, after = page.read_text().partition("\nRead this **first**.\n")
    assert before.startswith("<!-- Generated") and "\n## " not in before
    assert after.startswith("\n## Throughput")
    assert "--preface: only with --markdown" in weir.refuses(2, "bench", "report", all_kinds,
                                                             "--preface", preface)
    missing = all_kinds / "none.md"
    assert str(missing) in weir.refuses(1, "bench", "report", all_kinds, "--markdown", page,
                                        "--preface", missing)
