"""How tests wait: until something holds, never for a time. No other file of the tests sleeps."""

import subprocess
import time

DEADLINE = 120  # s, of a machine under emulation


def until(condition, complaint, deadline=DEADLINE, pause=0.01):
    """Waits until it holds, and answers what it answered. The complaint is a text or makes one."""
    end = time.monotonic() + deadline
    while not (answer := condition()):
        assert time.monotonic() < end, complaint() if callable(complaint) else complaint
        time.sleep(pause)
    return answer


def killed_after(process, seconds, input=None):
    """Kills it when that has passed, unless it has ended; answers how it ended."""
    try:
        process.communicate(input, timeout=seconds)
    except subprocess.TimeoutExpired:
        process.kill()
        process.communicate()
    return process.returncode


# For an actor: what the test has it do, a reader that stays away or a connection that lasts, not
# what it waits for. It lasts at least so long, on any machine.
PAUSE = "def pause(ms): time.sleep(ms / 1000)\n"
