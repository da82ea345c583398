"""Kinds of probes that the kernel underneath may refuse: the tests of tests/kernel that list them."""

import os
import re
import subprocess

import pytest

PROGRAM = os.environ["WEIR_KERNEL_TESTS"]


def names():
    """Lines of a list: "ProbeList.", and two spaces before each of its tests."""
    done = subprocess.run([PROGRAM, "--gtest_list_tests", "--gtest_filter=ProbeList.*"], text=True,
                          check=True, capture_output=True)
    return [line.strip() for line in done.stdout.splitlines() if line.startswith("  ")]


@pytest.fixture(scope="module")
def results():
    """One run of all: by name, how it ended and what was said before."""
    done = subprocess.run([PROGRAM, "--gtest_filter=ProbeList.*"], text=True, capture_output=True)
    return {name: (end, said) for name, said, end in re.findall(
        r"^\[ RUN +\] ProbeList\.(\w+)\n(.*?)^\[ +(OK|SKIPPED|FAILED) +\] ProbeList\.\1", done.stdout,
        re.MULTILINE | re.DOTALL)}


@pytest.mark.parametrize("name", names())
def test_kind(results, name):
    end, said = results[name]

    if end == "SKIPPED":
        pytest.skip(said.splitlines()[-1])
    assert end == "OK", said
