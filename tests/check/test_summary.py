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


def case(name, status, output, inside=""):
    return (f'<testcase name="{name}" status="{status}">{inside}'
            f"<system-out>{output}</system-out></testcase>")


def test_single_tests_are_counted_and_skips_have_their_reason(tmp_path):
    results = tmp_path / "results.xml"
    results.write_text("<testsuite>" + "".join((
        case("vm.trace-6.1", "fail", PYTEST), case("vm.probe-kinds-6.1", "fail", SEVERAL),
        case("kernel.Attach.SharesTheHook", "notrun", ONE, "<skipped/>"),
        case("kernel.Attach.Other", "run", "[  PASSED  ] 1 test.\n"),
        case("netns.demo", "run", "the demo's own words"))) + "</testsuite>", encoding="utf-8")

    said = subprocess.run([sys.executable, "-B", SUMMARY, results], check=True, text=True,
                          capture_output=True).stdout.splitlines()

    assert [line.split() for line in said[2:5]] == [
        ["vm", "8", "2", "2"], ["kernel", "1", "0", "1"], ["netns", "1", "0", "0"]]
    assert said[5:] == [
        "skipped: tests/vm/trace/test_trace.py:37: this kernel has no kprobe.multi",
        "skipped: vm.probe-kinds-6.1: this kernel has no uprobe.multi",
        "skipped: kernel.Attach.SharesTheHook: freplace refused at loading"]
