"""Figures in the documentation are those of the committed results; and what checks that can fail."""

import json
import os
import pathlib
import shutil
import subprocess

import pytest

import figures

RESULTS = figures.ROOT / "bench" / "results"
PAGE = pathlib.Path("docs/reference/performance.md")
PREFACE = pathlib.Path("docs/reference/performance-preface.md")


def test_figures_are_those_of_the_results():
    assert figures.check(figures.ROOT) == []


def test_the_page_of_performance_is_made_of_the_results(tmp_path):
    """By the same command, from the same files, in folders that lie as ours do."""
    there = tmp_path / "bench" / "results"
    there.mkdir(parents=True)
    (tmp_path / PAGE).parent.mkdir(parents=True)
    for path in [*RESULTS.glob("*.json"), *RESULTS.glob("*.svg")]:
        shutil.copy(path, there)

    subprocess.run([os.environ["WEIR"], "bench", "report", there, "--markdown", tmp_path / PAGE,
                    "--preface", figures.ROOT / PREFACE], check=True, capture_output=True)

    assert (tmp_path / PAGE).read_text() == (figures.ROOT / PAGE).read_text()


def test_every_result_names_a_commit_and_a_machine():
    for path in RESULTS.glob("*.json"):
        document = json.loads(path.read_text())
        if document["kind"] != "instructions":
            assert document["weir"] and document["kernel"] and document["processor"], path.name


def test_the_full_run_repeated_agrees():
    compared = json.loads(subprocess.run(
        [os.environ["WEIR"], "--json", "bench", "compare", RESULTS, RESULTS / "again"],
        check=True, capture_output=True).stdout)["comparisons"]

    assert [each["kind"] for each in compared] == ["apps", "control", "net", "run"]
    changes = [change for each in compared for change in each["changes"]]
    moved = [(change["name"], change["of"]) for change in changes if change["moved"]]
    assert len(changes) > 500 and len(moved) <= len(changes) / 100, moved


@pytest.fixture
def tree(tmp_path):
    """A project with one result and one page."""
    figure = {"median": 66.4, "lower": 65, "upper": 68}
    (tmp_path / "bench" / "results").mkdir(parents=True)
    (tmp_path / "bench" / "results" / "run.json").write_text(json.dumps(
        {"kind": "run", "programs": [], "memory": [],
         "cases": [{"name": "parse", "what": "", "net_ns": figure, "answers": {"pass": 12}},
                   {"name": "huge", "what": "", "refused": "too large"}]}))
    (tmp_path / "docs").mkdir()
    return tmp_path


@pytest.mark.parametrize("text, complaint", [
    ("A packet costs 66 ns<!-- run('parse') -->.\n", None),
    ("A core does 15.1 Mpps<!-- 1e3 / run('parse') -->.\n", None),
    ("Cards do 24 Mpps<!-- given --> (a paper).\n", None),
    ("Wait 5 seconds; 64 octets; version 6.1.\n", None),
    ("| rate | 0.07<!-- run('parse') / 1e3 --> |\n", None),
    ("```\nparse   66   65-68   pass 12\n```\n", None),
    ("```\nhuge   66   65-68   pass 12\nanother 1 2\n```\n", None),
    ("A packet costs 67 ns<!-- run('parse') -->.\n", "1: 67: run('parse') is 66"),
    ("A packet costs 66 ns.\n", "1: 66 ns: of which result? "
                                "Name it: <!-- run('parse-ipv4-tcp') -->"),
    ("\n| rate | 0.08<!-- run('parse') / 1e3 --> |\n", "2: 0.08: run('parse') / 1e3 is 0.07"),
    ("```\nparse   66   65-69   pass 12\n```\n", "2: expected parse 66 65-68 pass 12"),
])
def test_a_figure_of_no_result_is_named(tree, text, complaint):
    (tree / "docs" / "page.md").write_text(text)

    assert figures.check(tree) == ([f"docs/page.md:{complaint}"] if complaint else [])


def test_a_case_that_is_no_longer_there_is_an_error(tree):
    (tree / "docs" / "page.md").write_text("It costs 66 ns<!-- run('gone') -->.\n")

    with pytest.raises(KeyError, match="run.json has no case gone"):
        figures.check(tree)


def test_figures_are_put_in(tree):
    page = tree / "docs" / "page.md"
    page.write_text("It costs 0 ns<!-- run('parse') -->.\n```\nparse     0  0-0  pass 0\n```\n")

    figures.check(tree, write=True)

    assert page.read_text() == ("It costs 66 ns<!-- run('parse') -->.\n"
                                "```\nparse    66  65-68  pass 12\n```\n")
