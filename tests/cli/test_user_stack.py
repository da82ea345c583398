"""Stacks of processes by names, of a small program whose calls are known."""

import subprocess

import pytest

from tracing import Tracing, events

PROGRAM = r"""
#include <stdio.h>

__attribute__((noinline)) int innermost(int n) { __asm__ volatile("" ::: "memory"); return n + 1; }
__attribute__((noinline)) int middle(int n) { return innermost(n) * 2; }
__attribute__((noinline)) int outer(int n) { return middle(n) * 3; }
__attribute__((noinline)) int other(int n) { return middle(n) * 5; }

int main(void)
{
    char line[16];

    puts("ready");
    fflush(stdout);
    while (fgets(line, sizeof(line), stdin)) {
        for (volatile int i = 0; i < 3; i++)
            outer(i);
        other(1);
        puts("done");
        fflush(stdout);
    }
    return 0;
}
"""


class Program:
    def __init__(self, path):
        self.process = subprocess.Popen([path], text=True, stdin=subprocess.PIPE,
                                        stdout=subprocess.PIPE)
        self.pid = self.process.pid
        assert self.process.stdout.readline() == "ready\n"

    def call(self):
        self.process.stdin.write("\n")
        self.process.stdin.flush()
        assert self.process.stdout.readline() == "done\n"

    def end(self):
        self.process.stdin.close()
        self.process.wait()
        self.process.stdout.close()


@pytest.fixture(scope="module")
def path(tmp_path_factory):
    path = tmp_path_factory.mktemp("stack") / "calls"
    subprocess.run(["gcc", "-O1", "-fno-omit-frame-pointer", "-fno-optimize-sibling-calls", "-x", "c",
                    "-", "-o", path], input=PROGRAM, text=True, check=True)
    return str(path)


@pytest.fixture
def program(path):
    process = Program(path)
    yield process
    process.end()


def functions(stack):
    """Without places in them. Called functions are at their first instruction."""
    return [line.split("+")[0] for line in stack]


# A frame is not set up yet at the first instruction: the caller's own caller is what is seen.
FROM_OUTER, FROM_OTHER = ["innermost", "outer", "main"], ["innermost", "other", "main"]


def test_an_event_has_its_callers_by_name(path, program):
    trace = Tracing("trace", f"u:{path}:innermost", "--ustack")
    program.call()

    stacks = [functions(each["values"]["ustack"])[:3] for each in events(trace.stop())]

    assert stacks == 3 * [FROM_OUTER] + [FROM_OTHER]


def test_the_text_has_a_function_a_line(path, program):
    trace = Tracing("trace", f"u:{path}:innermost", "--ustack", text=True)
    program.call()

    lines = trace.stop().splitlines()

    assert functions(line.strip() for line in lines[2:5]) == FROM_OUTER
    assert all(line.startswith("    ") for line in lines[2:5])


def test_calls_are_counted_by_who_calls(path, program):
    top = Tracing("top", f"u:{path}:innermost", "--by", "ustack")
    program.call()

    assert [(functions(row["ustack"])[:3], row["count"]) for row in top.stop()[0]["rows"]] == \
        [(FROM_OUTER, 3), (FROM_OTHER, 1)]


def test_two_processes_of_one_program_are_one_row(path, program):
    other = Program(path)
    top = Tracing("top", f"u:{path}:innermost", "--by", "ustack")
    program.call()
    other.call()

    assert [(functions(row["ustack"])[:3], row["count"]) for row in top.stop()[0]["rows"]] == \
        [(FROM_OUTER, 6), (FROM_OTHER, 2)]
    other.end()


def test_names_of_a_process_that_has_gone_are_kept(path):
    program = Program(path)
    top = Tracing("top", f"u:{path}:innermost", "--by", "ustack", "--pid", program.pid)
    program.call()
    program.end()

    assert [functions(row["ustack"])[:3] for row in top.stop()[0]["rows"]] == \
        [FROM_OUTER, FROM_OTHER]
