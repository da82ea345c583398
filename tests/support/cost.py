"""Whether the suite has become dearer: cost.py MEASURED.json COMMITTED.json [--write]

Both are what measured.py writes of a full run. Processor seconds are compared at the same pace, so that
a slow hour of the machine is not taken for a slow suite. More than ALLOWED above the committed figure is
an error: make the tests cheaper again, or raise the figure on purpose by --write, in the commit that
says why.
"""

import json
import sys

ALLOWED = 0.10


def compared(measured, committed):
    """Seconds of this run at the committed run's pace, and the part by which they are more."""
    seconds = measured["cpu_seconds"] * committed["pace_ms"] / measured["pace_ms"]
    return seconds, seconds / committed["cpu_seconds"] - 1


def main(measured_file, committed_file, *options):
    with open(measured_file, encoding="ascii") as file:
        measured = json.load(file)
    if options == ("--write",):
        with open(committed_file, "w", encoding="ascii") as file:
            json.dump(measured, file)
            file.write("\n")
        return 0
    with open(committed_file, encoding="ascii") as file:
        committed = json.load(file)
    seconds, more = compared(measured, committed)
    print(f"tests: {measured['seconds']:.0f} s; {measured['cpu_seconds']:.0f} s of processors, "
          f"{seconds:.0f} s at the committed pace: {100 * more:+.0f} % of the committed "
          f"{committed['cpu_seconds']:.0f} s")
    if more <= ALLOWED:
        return 0
    print(f"cost: the suite takes over {100 * ALLOWED:.0f} % more than {committed_file} allows; make "
          f"it cheaper, or raise the figure on purpose: cost.py {measured_file} {committed_file} --write",
          file=sys.stderr)
    return 1


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
