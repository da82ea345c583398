"""One guest runs all of these folders, one after the other: what a file changes of the machine, it sets
back."""

import os
import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))

from lab import lab, laid, network  # noqa: E402,F401 the fixtures


def pytest_sessionstart():
    assert os.uname().nodename == "weir-vm", "these tests run by netns-scripts/vm.sh"
