"""The suite's own cost: a run that is over a tenth dearer than the committed one fails."""

import json
import pathlib
import subprocess
import sys

import pytest

SUPPORT = pathlib.Path(__file__).parents[1] / "support"
COMMITTED = {"seconds": 500, "cpu_seconds": 1000, "pace_ms": 100}


@pytest.fixture
def compare(tmp_path):
    """Exit code, output and complaint of a run with these figures."""
    def run(*options, **figures):
        committed, measured = tmp_path / "committed.json", tmp_path / "measured.json"
        committed.write_text(json.dumps(COMMITTED))
        measured.write_text(json.dumps({**COMMITTED, **figures}))
        done = subprocess.run([sys.executable, "-B", SUPPORT / "cost.py", measured, committed, *options],
                              text=True, capture_output=True)
        return done.returncode, done.stdout, done.stderr, json.loads(committed.read_text())
    return run


def test_a_tenth_more_is_allowed(compare):
    code, said, complaint, _ = compare(cpu_seconds=1099)

    assert (code, complaint) == (0, "")
    assert said == ("tests: 500 s; 1099 s of processors, 1099 s at the committed pace: +10 % of the "
                    "committed 1000 s\n")


def test_over_a_tenth_more_is_an_error_that_says_what_to_do(compare):
    code, _, complaint, _ = compare(cpu_seconds=1101)

    assert code == 1
    assert complaint.startswith("cost: the suite takes over 10 % more than ")
    assert "--write" in complaint


def test_a_slow_hour_is_no_slow_suite(compare):
    assert compare(cpu_seconds=1900, pace_ms=200)[0] == 0
    assert compare(cpu_seconds=900, pace_ms=75)[0] == 1


def test_a_figure_is_raised_on_purpose(compare):
    code, said, complaint, committed = compare("--write", cpu_seconds=1500)

    assert (code, said, complaint) == (0, "", "")
    assert committed == {**COMMITTED, "cpu_seconds": 1500}


def test_processor_time_of_children_is_measured(tmp_path):
    result = tmp_path / "measured.json"
    burn = "import time\nwhile time.process_time() < 0.3: pass"
    done = subprocess.run([sys.executable, "-B", SUPPORT / "measured.py", result, "sh", "-c",
                           '"$0" -c "$1"; exit 3', sys.executable, burn])

    figures = json.loads(result.read_text())
    assert done.returncode == 3
    assert figures["cpu_seconds"] >= 0.3 and figures["seconds"] >= 0.3 and figures["pace_ms"] > 0
