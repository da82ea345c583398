#!/usr/bin/python3
"""Figures in the documentation come from the result files in bench/results.

In a sentence or a table, the comment behind a figure says which one it is, as an expression:

    a packet costs 66 ns<!-- run('parse-ipv4-tcp') -->, and a core does
    15.1 Mpps<!-- 1e3 / run('parse-ipv4-tcp') -->

`<!-- given -->` stands behind figures that come from elsewhere: from the source named there. Rows of
tables in code blocks, as `weir bench` prints them, are found by their first words.

    tests/check/figures.py            names what does not agree
    tests/check/figures.py --write    puts the figures of the result files in
"""

import json
import pathlib
import re
import statistics
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]

# Written by programs, from the same files or from no figures at all.
GENERATED = ("docs/reference/performance.md", "docs/reference/commands.md",
             "docs/reference/scenarios.md")

UNITS = r"(?:ns|us|µs|ms|Mpps|Gbit/s|packets/s|requests/s|instructions|cores|octets per flow)"
FIGURE = re.compile(rf"(?P<number>\d[\d,]*(?:\.\d+)?)(?P<unit>[  ]{UNITS})\b"
                    r"(?P<mark><!-- (?P<source>.*?) -->)?")
UNITLESS = re.compile(r"(?P<number>\d[\d,]*(?:\.\d+)?)(?P<unit>)(?P<mark><!-- (?P<source>.*?) -->)")


class Results:
    """What an expression may name: files by their place in bench/results; of the full run, not of
    its repetition in again/. `which`: "median", "lower" or "upper"."""

    def __init__(self, folder):
        self.files = {str(path.relative_to(folder).with_suffix("")): json.loads(path.read_text())
                      for path in folder.glob("**/*.json") if path.parent.name != "again"}

    def case(self, file, name):
        for case in self.files[file]["cases"]:
            if case["name"] == name:
                return case
        raise KeyError(f"{file}.json has no case {name}")

    def names(self):
        return {"run": lambda name, which="median", file="run":
                    self.case(file, name)["net_ns"][which],
                "net": lambda name, what="cpu_ns", which="median", file="net":
                    self.case(file, name)[what][which],
                "apps": lambda name, what="requests_per_second", which="median":
                    self.case("apps", name)[what][which],
                "latency": lambda name, percent, which="median":
                    self.case("apps", name)["latency_us"][percent][which],
                "control": lambda name, which="median": self.case("control", name)["ms"][which],
                "trace": lambda name, which="median", file="trace":
                    self.case(file, name)["cost"][which],
                "insns": lambda kernel, name:
                    self.files["instructions"]["kernels"][kernel]["instructions"][name],
                "memory": self.memory,
                "drift": self.drift,
                "verified": lambda program: self.program(program)["verified_insns"]}

    def drift(self, file):
        """As `weir bench run` prints it: what nine in ten of the floors' spreads stay below."""
        floors = [case["floor_ns"] for case in self.files[file]["cases"] if "floor_ns" in case]
        return statistics.quantiles(((floor["upper"] - floor["lower"]) / floor["lower"]
                                     for floor in floors), n=10, method="inclusive")[-1]

    def program(self, name):
        return next(each for each in self.files["run"]["programs"] if each["name"] == name)

    def memory(self, of):
        for each in self.files["run"]["memory"]:
            if each["of"] == of:
                return each["bytes"]
        raise KeyError(f"run.json has no memory of a {of}")

    def value(self, expression):
        return eval(expression, {"__builtins__": {}, "round": round}, self.names())


def like(number, value):
    """`value`, written with as many decimals and with thousands parted as `number`."""
    decimals = len(number.partition(".")[2])
    return f"{value:,.{decimals}f}" if "," in number else f"{value:.{decimals}f}"


def spread(figure, decimals=0):
    return f"{figure['lower']:.{decimals}f}-{figure['upper']:.{decimals}f}"


def rows(results):
    """What `weir bench` prints of the results: first words -> all words."""
    known = {}
    for document in results.files.values():
        kind = document["kind"]
        if kind == "instructions":
            for name, count in document["kernels"]["6.1"]["instructions"].items():
                known[(name, "instructions")] = [name, str(count)]
        for case in document.get("cases", []):
            if "refused" in case:
                continue
            if kind == "run":
                answers = [f"{name} {laps}" for name, laps in case["answers"].items()]
                known[(case["name"],)] = [case["name"], f"{case['net_ns']['median']:.0f}",
                                          spread(case["net_ns"]), *", ".join(answers).split()]
            elif kind == "net":
                words = [case["job"], case["peer"], case["mode"], str(case["size"]),
                         str(case["cpus"])]
                known[tuple(words)] = words + [
                    f"{case['packets_per_second']['median']:.0f}",
                    f"{case['cpu_ns']['median']:.0f}", spread(case["cpu_ns"]),
                    f"{case['ratio']['median']:.2f}", spread(case["ratio"], 2),
                    f"{case['efficiency']['median']:.2f}" if "efficiency" in case else "-"]
            elif kind == "control":
                known[(case["name"],)] = [case["name"], f"{case['ms']['median']:.1f}",
                                          spread(case["ms"], 1), *case["what"].split()]
            elif kind == "apps" and "requests_per_second" in case:
                rate, words = case["requests_per_second"], [case[key] for key in
                                                            ("application", "peer", "mode")]
                ratio = case.get("ratio")
                known[tuple(words)] = words + [
                    f"{rate['median']:.0f}", "requests/s", spread(rate),
                    f"{ratio['median']:.2f}" if ratio else "-", spread(ratio, 2) if ratio else "-",
                    *(f"{figure['median']:.0f}" for figure in case["latency_us"].values())]
        if kind == "run":
            for program in document["programs"]:
                known[(program["name"], program["tag"])] = [
                    program["name"], program["tag"], str(program["verified_insns"]),
                    str(program["jited_bytes"])]
    return known


def row_of(line, known):
    """The words that a line of a code block should have, if it is a row of a result."""
    words = line.split()
    if len(words) == 2: # of `weir bench insns`
        return known.get((words[0], "instructions"))
    for length in (5, 3, 2, 1):
        row = known.get(tuple(words[:length]))
        if row and len(words) > length:
            return row
    return None


def laid_out(line, row):
    """The row with its words at the ends of the columns that the line has."""
    old = line.split()
    if len(old) != len(row):
        return "  ".join(row)
    text = ""
    for before, word in zip(re.findall(r"\s*\S+", line), row):
        gap = len(before) - len(before.lstrip())
        text += " " * max(len(before) - len(word), min(gap, 2)) + word
    return text


def mended(text, results, complain):
    """The page with the figures of the results; `complain` is told what was otherwise."""
    known = rows(results)
    lines, fenced = [], False
    for number, line in enumerate(text.splitlines(), 1):
        if line.startswith("```"):
            fenced = not fenced
        elif fenced:
            row = row_of(line, known)
            if row and row != line.split():
                complain(number, f"expected {' '.join(row)}")
                line = laid_out(line, row)
        else:
            def put(match, number=number):
                source = match["source"]
                if source == "given":
                    return match[0]
                if source is None:
                    complain(number, f"{match[0]}: of which result? "
                                     "Name it: <!-- run('parse-ipv4-tcp') -->")
                    return match[0]
                right = like(match["number"], results.value(source))
                if right != match["number"]:
                    complain(number, f"{match['number']}: {source} is {right}")
                return right + match["unit"] + match["mark"]
            line = FIGURE.sub(put, line)
            if "<!-- " in line:
                line = UNITLESS.sub(put, line)
        lines.append(line)
    return "\n".join(lines) + "\n"


def pages(root):
    for path in [root / "README.md", root / "CONTRIBUTING.md", *sorted(root.glob("docs/**/*.md"))]:
        if path.exists() and str(path.relative_to(root)) not in GENERATED:
            yield path


def check(root, write=False):
    """What does not agree, a line each."""
    results, found = Results(root / "bench" / "results"), []
    for path in pages(root):
        name, text = path.relative_to(root), path.read_text()
        new = mended(text, results,
                     lambda line, what, name=name: found.append(f"{name}:{line}: {what}"))
        if write and new != text:
            path.write_text(new)
    return found


if __name__ == "__main__":
    print("\n".join(check(ROOT, "--write" in sys.argv[1:])))
