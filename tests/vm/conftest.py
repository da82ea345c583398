"""One guest runs all of these folders, one after the other, or those that WEIR_VM_6_1 or WEIR_VM_6_12 names, after its
kernel: what a file changes of the machine, it sets back."""

import os
import pathlib
import platform
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))

from lab import lab, laid, network  # noqa: E402,F401 the fixtures


HERE = pathlib.Path(__file__).resolve().parent


def pytest_sessionstart():
    assert os.uname().nodename == "weir-vm", "these tests run by netns-scripts/vm.sh"


def pytest_ignore_collect(collection_path):
    """None leaves the decision to others."""
    kernel = "_".join(platform.release().split(".")[:2])
    mine = os.environ.get(f"WEIR_VM_{kernel}", "").split()
    if mine and collection_path.parent == HERE and collection_path.is_dir():
        return collection_path.name not in mine or None
    return None
