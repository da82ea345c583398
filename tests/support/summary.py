"""Sums up ctest's JUnit file: how many tests ran by folder and for how long, what was skipped and why,
and the slowest.

A python test file is one test to ctest, and so is a program of googletest that runs many; the numbers
here count the single tests inside.
"""

import re
import sys
import xml.etree.ElementTree as xml
from collections import Counter, defaultdict

# pytest's last line: "3 failed, 12 passed, 1 skipped in 4.20s"
PYTEST_COUNT = re.compile(r"(\d+) (passed|failed|error|errors|skipped)\b")
PYTEST_LAST = re.compile(r"^(?=.*\b(?:passed|failed|errors?|skipped)\b).* in \d+\.\d+s", re.M)
PYTEST_SKIP = re.compile(r"^SKIPPED \[\d+\] (.*)$", re.M)
GTEST_SKIP = re.compile(r"^(?:.*: )?Skipped\n(.*)$", re.M)
# googletest's last lines: "[  PASSED  ] 6 tests.", "[  SKIPPED ] 1 test, listed below:"
GTEST_COUNT = re.compile(r"^\[  (PASSED|SKIPPED|FAILED) +\] (\d+) tests?[.,]", re.M)


def counts_of(case):
    """Passed, failed, skipped of one ctest test, and the reasons of what it skipped."""
    output = case.findtext("system-out") or ""
    last = PYTEST_LAST.findall(output)
    if last:
        of = Counter()
        for number, what in PYTEST_COUNT.findall(last[-1]):
            of["failed" if what.startswith("err") else what] += int(number)
        return of, PYTEST_SKIP.findall(output)
    several = GTEST_COUNT.findall(output)
    if sum(int(number) for _, number in several) > 1:
        return (Counter({what.lower(): int(number) for what, number in several}),
                [f"{case.get('name')}: {reason}" for reason in GTEST_SKIP.findall(output)])
    if case.find("skipped") is not None or case.get("status") in ("notrun", "disabled"):
        reasons = GTEST_SKIP.findall(output) or ["no reason given"]
        return Counter(skipped=1), [f"{case.get('name')}: {reason}" for reason in reasons]
    return Counter({"failed" if case.get("status") == "fail" else "passed": 1}), []


# pytest's --durations: "12.34s call     tests/cli/test_load.py::test_name"
PYTEST_TIME = re.compile(r"^ *(\d+\.\d+)s (?:call|setup|teardown) +(\S+)", re.M)
GTEST_TIME = re.compile(r"^\[       OK \] (\S+) \((\d+) ms\)", re.M)


def times_of(case):
    """Seconds of the single tests of one ctest test, as far as it says them, by name."""
    name, output = case.get("name"), case.findtext("system-out") or ""
    times = Counter()
    for seconds, test in PYTEST_TIME.findall(output):
        times[f"{name}: {test.rpartition('/')[2]}"] += float(seconds)
    for test, milliseconds in GTEST_TIME.findall(output):
        times[f"{name}: {test}"] += int(milliseconds) / 1000
    return times or Counter({name: float(case.get("time"))})


def slowest(cases, most=10):
    times = Counter()
    for case in cases:
        times.update(times_of(case))
    return times.most_common(most)


def report(cases):
    """Lines of it."""
    folders, seconds, skips = defaultdict(Counter), Counter(), []
    for case in cases:
        of, reasons = counts_of(case)
        folder = case.get("name").split(".")[0]
        folders[folder].update(of)
        seconds[folder] += float(case.get("time"))
        skips += reasons
    yield f"{'TESTS':<8} {'passed':>7} {'failed':>7} {'skipped':>8} {'seconds':>8}"
    for name, of in folders.items():
        yield (f"{name:<8} {of['passed']:>7} {of['failed']:>7} {of['skipped']:>8} "
               f"{seconds[name]:>8.0f}")
    yield from (f"skipped: {reason}" for reason in skips)
    yield "slowest:"
    yield from (f"{taken:>8.1f} s  {name}" for name, taken in slowest(cases))


def main(path, written):
    """Printed, and written beside the results."""
    text = "\n".join(report(list(xml.parse(path).getroot().iter("testcase")))) + "\n"
    print("\n" + text, end="")
    with open(written, "w", encoding="utf-8") as file:
        file.write(text)


if __name__ == "__main__":
    main(*sys.argv[1:])
