"""What tests/run.sh says at its end: no skipped test counts as passed, and each has its reason."""

import pathlib
import subprocess
import sys

SUMMARY = pathlib.Path(__file__).parents[1] / "support" / "summary.py"
PYTEST = """..s.F
SKIPPED [1] tests/vm/trace/test_trace.py:37: this kernel has no kprobe.multi
1 failed, 3 passed, 1 skipped in 94.20s (0:01:34)
"""
SEVERAL = """[ RUN      ] ProbeList.EachPlaceOfAUprobeMultiLink
/weir/tests/kernel/probe_list_test.cpp:248: Skipped
this kernel has no uprobe.multi
[  SKIPPED ] ProbeList.EachPlaceOfAUprobeMultiLink (11 ms)
[==========] 7 tests from 1 test suite ran. (1507 ms total)
[  PASSED  ] 5 tests.
[  SKIPPED ] 1 test, listed below:
[  SKIPPED ] ProbeList.EachPlaceOfAUprobeMultiLink
[  FAILED  ] 1 test, listed below:
[  FAILED  ] ProbeList.AnIterator
"""
ONE = """[ RUN      ] Attach.SharesTheHook
/weir/tests/kernel/attach_test.cpp:259: Skipped
freplace refused at loading
[  SKIPPED ] Attach.SharesTheHook (201 ms)
[  PASSED  ] 0 tests.
[  SKIPPED ] 1 test, listed below:
"""


def case(name, status, output, inside="", time=1.0):
    return (f'<testcase name="{name}" status="{status}" time="{time}">{inside}'
            f"<system-out>{output}</system-out></testcase>")


def summary_of(tmp_path, *cases):
    """Its lines; the same are written to a file."""
    results, written = tmp_path / "results.xml", tmp_path / "summary.txt"
    results.write_text(f"<testsuite>{''.join(cases)}</testsuite>", encoding="utf-8")
    said = subprocess.run([sys.executable, "-B", SUMMARY, results, written], check=True, text=True,
                          capture_output=True).stdout
    assert said == "\n" + written.read_text(encoding="utf-8")
    return said.splitlines()[1:]


def test_single_tests_are_counted_and_skips_have_their_reason(tmp_path):
    said = summary_of(
        tmp_path, case("vm.trace-6.1", "fail", PYTEST, time=94.4),
        case("vm.probe-kinds-6.1", "fail", SEVERAL, time=1.5),
        case("kernel.Attach.SharesTheHook", "notrun", ONE, "<skipped/>"),
        case("kernel.Attach.Other", "run", "[  PASSED  ] 1 test.\n"),
        case("netns.demo", "run", "the demo's own words", time=3.2))

    assert [line.split() for line in said[:4]] == [
        ["TESTS", "passed", "failed", "skipped", "seconds"],
        ["vm", "8", "2", "2", "96"], ["kernel", "1", "0", "1", "2"], ["netns", "1", "0", "0", "3"]]
    assert said[4:7] == [
        "skipped: tests/vm/trace/test_trace.py:37: this kernel has no kprobe.multi",
        "skipped: vm.probe-kinds-6.1: this kernel has no uprobe.multi",
        "skipped: kernel.Attach.SharesTheHook: freplace refused at loading"]


TIMES = """..
============================= slowest 10 durations =============================
24.50s setup    tests/cli/test_load.py::test_a
2.50s call     tests/cli/test_load.py::test_a
30.10s call     tests/cli/test_load.py::test_b[x-1]
2 passed in 57.20s
"""


def test_the_slowest_are_single_tests_with_their_fixtures(tmp_path):
    said = summary_of(tmp_path, case("cli.load", "run", TIMES, time=58.0),
                      case("unit.A.B", "run", "", time=28.0),
                      case("prog.programs", "run",
                           "[       OK ] Fields.OfTransports (29000 ms)\n[  PASSED  ] 1 test.\n"))

    assert said[said.index("slowest:") + 1:] == [
        "    30.1 s  cli.load: test_load.py::test_b[x-1]",
        "    29.0 s  prog.programs: Fields.OfTransports",
        "    28.0 s  unit.A.B",
        "    27.0 s  cli.load: test_load.py::test_a"]
