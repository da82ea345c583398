import contextlib
import glob

import pytest


@pytest.fixture(scope="package", autouse=True)
def every_processor():
    """Those that the guest has in reserve are on: functions are probed while others run."""
    with contextlib.ExitStack() as stack:
        for path in sorted(glob.glob("/sys/devices/system/cpu/cpu[0-9]*/online")):
            with open(path, "r+", encoding="ascii") as file:
                if file.read() == "0\n":
                    switch(path, 1)
                    stack.callback(switch, path, 0)
        yield


def switch(path, on):
    with open(path, "w", encoding="ascii") as file:
        file.write(f"{on}\n")
