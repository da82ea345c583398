"""Sums up ctest's JUnit file: how many tests ran by folder, and what was skipped and why.

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


def main(path):
    folders, skips = defaultdict(Counter), []
    for case in xml.parse(path).getroot().iter("testcase"):
        of, reasons = counts_of(case)
        folders[case.get("name").split(".")[0]].update(of)
        skips += reasons

    print(f"\n{'TESTS':<8} {'passed':>7} {'failed':>7} {'skipped':>8}")
    for name, of in folders.items():
        print(f"{name:<8} {of['passed']:>7} {of['failed']:>7} {of['skipped']:>8}")
    for reason in skips:
        print(f"skipped: {reason}")


if __name__ == "__main__":
    main(sys.argv[1])
