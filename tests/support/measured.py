"""Runs a command and writes down what it cost: measured.py RESULT.json COMMAND...

`cpu_seconds` is what it and all of its children took of processors. How much that is depends on the
machine and on its hour, so that a fixed piece of work is done again and again meanwhile: `pace_ms` is the
median of what it took of a processor.
"""

import json
import resource
import statistics
import subprocess
import sys
import threading
import time

EVERY = 10  # s; the work takes a hundredth of that


def work():
    """Arithmetic, and reads all over more memory than a core's own caches hold."""
    numbers = list(range(1 << 16))
    total = at = 0
    for _ in range(1 << 19):
        at = (at * 1103515245 + 12345) & 0xffff
        total += numbers[at]
    return total


def pace():
    """Milliseconds of processor that it takes now."""
    began = time.thread_time()
    work()
    return 1000 * (time.thread_time() - began)


def measured(command):
    """Its exit code, and the figures."""
    paces, ended = [pace()], threading.Event()

    def keep_pace():
        while not ended.wait(EVERY):
            paces.append(pace())
    watch = threading.Thread(target=keep_pace)
    watch.start()
    began = time.monotonic()
    try:
        code = subprocess.run(command).returncode
        seconds = time.monotonic() - began
    finally:
        ended.set()
        watch.join()
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return code, {"seconds": round(seconds, 1), "cpu_seconds": round(used.ru_utime + used.ru_stime, 1),
                  "pace_ms": round(statistics.median(paces), 1)}


def main(result, *command):
    code, figures = measured(command)
    with open(result, "w", encoding="ascii") as file:
        json.dump(figures, file)
    sys.exit(code if code >= 0 else 128 - code)


if __name__ == "__main__":
    main(*sys.argv[1:])
