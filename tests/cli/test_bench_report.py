"""`weir bench report`: what people look at, made of result files alone."""

import json
import re
import shutil
import subprocess
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
        else:
            assert "nodes of compiled rules" in table
    ElementTree.parse(results / "run-rules-ipv4.svg")
    assert (results / "run-rules-ipv4.png").read_bytes().startswith(b"\x89PNG")


def test_one_page_that_needs_nothing_else(weir, results, tmp_path):
    page = tmp_path / "page.html"

    weir("bench", "report", results, "--output", page)

    html = page.read_text()
    assert "<table>" in html and "fw4-10-mixed" in html and html.count("<svg") >= 1
    assert "<script" not in html and "src=" not in html
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
