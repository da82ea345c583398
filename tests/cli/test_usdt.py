"""USDT probes: Python's own, and those of a small program whose arguments lie in odd places."""

import subprocess

import pytest

from tracing import Actor, Tracing, closing, events

PYTHON = "/usr/bin/python3"

PROGRAM = r"""
#define _SDT_HAS_SEMAPHORES 1
#include <stdio.h>
#include <sys/sdt.h>

#define SEMAPHORE(probe) unsigned short weirtest_##probe##_semaphore __attribute__((section(".probes")))
SEMAPHORE(places);
SEMAPHORE(row);
SEMAPHORE(floating);
SEMAPHORE(listening);
SEMAPHORE(never);
SEMAPHORE(nothing);

struct odd { char octet; short half; int word; long twice; const char *text; };

__attribute__((noinline)) static void hit(struct odd *odd, long *row, unsigned long at)
{
    STAP_PROBE5(weirtest, places, odd->octet, odd->half, odd->word, odd->twice, odd->text);
    STAP_PROBE2(weirtest, row, row[at], 4096u);
    STAP_PROBE1(weirtest, floating, odd->twice * 0.5);
    if (weirtest_listening_semaphore)
        STAP_PROBE1(weirtest, listening, (int)weirtest_listening_semaphore);
    if (weirtest_never_semaphore)
        STAP_PROBE(weirtest, never);
    STAP_PROBE(weirtest, nothing);
}

int main(void)
{
    struct odd odd = { -7, -300, -70000, 0x123456789abcdef, "a text of the process" };
    long row[] = { 11, 22, -33 };
    char line[16];

    puts("ready");
    fflush(stdout);
    while (fgets(line, sizeof(line), stdin)) {
        for (int i = 0; i < 3; i++)
            hit(&odd, row, i);
        puts("done");
        fflush(stdout);
    }
    return 0;
}
"""


class Program:
    def __init__(self, path):
        self.path = str(path)
        self.process = subprocess.Popen([self.path], text=True, stdin=subprocess.PIPE,
                                        stdout=subprocess.PIPE)
        assert self.process.stdout.readline() == "ready\n"

    def hit(self):
        self.process.stdin.write("\n")
        self.process.stdin.flush()
        assert self.process.stdout.readline() == "done\n"

    def semaphore(self, name):
        """As it stands in the process's memory."""
        symbols = subprocess.run(["nm", self.path], text=True, capture_output=True, check=True)
        (address,) = [int(line.split()[0], 16) for line in symbols.stdout.splitlines()
                      if line.endswith(f" weirtest_{name}_semaphore")]
        with open(f"/proc/{self.process.pid}/mem", "rb") as memory:
            memory.seek(address)
            return int.from_bytes(memory.read(2), "little")

    def end(self):
        self.process.stdin.close()
        self.process.wait()
        self.process.stdout.close()


@pytest.fixture(scope="module", params=["-O0", "-O2"])
def program(request, tmp_path_factory):
    folder = tmp_path_factory.mktemp("usdt")
    # Not position-independent: addresses of nm(1) are the process's.
    subprocess.run(["gcc", request.param, "-no-pie", "-x", "c", "-", "-o", folder / "odd"],
                   input=PROGRAM, text=True, check=True)
    process = Program(folder / "odd")
    yield process
    process.end()


def test_arguments_from_where_they_lie(program):
    trace = Tracing("trace", f"usdt:{program.path}:weirtest:places", "--args",
                    "arg0, arg1, arg2, arg3, str(arg4)")
    program.hit()

    documents = trace.stop()

    assert [each["values"] for each in events(documents)] == 3 * [
        {"arg0": -7, "arg1": -300, "arg2": -70000, "arg3": 0x123456789abcdef,
         "str(arg4)": "a text of the process"}]
    end = closing(documents)
    assert (end["events"], end["unreadable"], end["lost"]) == (3, 0, 0)


def test_an_index_and_a_constant(program):
    trace = Tracing("trace", f"usdt:{program.path}:row", "--args", "arg0, arg1")
    program.hit()

    assert [each["values"] for each in events(trace.stop())] == \
        [{"arg0": value, "arg1": 4096} for value in (11, 22, -33)]


def test_a_text_of_the_process_is_compared(program):
    count = Tracing("count", f"usdt:{program.path}:places", "--where",
                    "str(arg4) == \"a text of the process\" && arg1 == -300")
    other = Tracing("count", f"usdt:{program.path}:places", "--where", "str(arg4) == \"another\"")
    program.hit()

    assert count.stop()[0]["counts"][0]["count"] == 3
    assert closing(other.stop())["refused"] == 3


def test_a_semaphore_is_raised_while_somebody_listens(program):
    assert (program.semaphore("listening"), program.semaphore("never")) == (0, 0)

    trace = Tracing("trace", f"usdt:{program.path}:listening", "--args", "arg0")
    assert (program.semaphore("listening"), program.semaphore("never")) == (1, 0)
    program.hit()

    assert [each["values"]["arg0"] for each in events(trace.stop())] == 3 * [1]
    assert program.semaphore("listening") == 0


def test_all_probes_by_a_pattern(program):
    count = Tracing("count", f"usdt:{program.path}:weirtest:*")
    program.hit()

    counts = {each["name"].removeprefix("usdt:weirtest:"): each["count"]
              for each in count.stop()[0]["counts"]}
    assert counts == {name: 3 for name in
                      ("places", "row", "floating", "listening", "never", "nothing")}


def test_all_arguments(program):
    trace = Tracing("trace", f"usdt:{program.path}:row", "--args")
    program.hit()

    assert [each["values"] for each in events(trace.stop())] == \
        [{"arg0": value, "arg1": 4096} for value in (11, 22, -33)]


def test_python_collects_garbage():
    actor = Actor(PYTHON)
    trace = Tracing("trace", f"usdt:{PYTHON}:python:gc__start", f"usdt:{PYTHON}:gc__done", "--args",
                    "arg0", "--pid", actor.pid)
    audit = Tracing("top", f"usdt:{PYTHON}:audit", "--by", "str(arg0)", "--where",
                    "str(arg0) == \"weir.test\"", "--pid", actor.pid)
    actor.do("import gc\nfor generation in range(3): gc.collect(generation)\n"
             "for _ in range(5): sys.audit('weir.test')")

    seen = [(each["probe"], each["values"]["arg0"]) for each in events(trace.stop())]
    assert [pair for pair in seen if pair[0] == "usdt:python:gc__start"] == \
        [("usdt:python:gc__start", generation) for generation in range(3)]
    assert len(seen) == 6
    assert audit.stop()[0]["rows"] == [{"str(arg0)": "weir.test", "count": 5}]
    actor.end()


@pytest.mark.parametrize("words, complaint", [
    (("usdt:python3",), "expected usdt:FILE:PROVIDER:NAME"),
    (("usdt:/usr/bin/python3:",), "a name is missing behind the colon"),
    (("xdp:x@exitt",), "behind @ stands entry or exit; did you mean 'exit'?"),
    (("usdt:/usr/bin/python3:gc__start", "--ret"), "does not return"),
])
def test_wrong_words(weir, words, complaint):
    assert complaint in weir.refuses(2, "trace", *words)


@pytest.mark.parametrize("words, complaint", [
    ((f"usdt:{PYTHON}:gc__strt",), "has no such USDT probe; did you mean 'gc__start'?"),
    ((f"usdt:{PYTHON}:pyton:gc__start",), "did you mean 'python:gc__start'?"),
    (("usdt:/etc/passwd:x",), "usdt:/etc/passwd:x: /etc/passwd is no program and no library (ELF)"),
    (("usdt:/nowhere:x",), "usdt:/nowhere:x: opening /nowhere: No such file or directory"),
    (("usdt:nowhere.so:x",), "'nowhere.so' is not where programs and libraries are"),
    (("usdt:/bin/true:x",), "/bin/true has no USDT probes"),
    ((f"usdt:{PYTHON}:gc__start", "--args", "arg1"), "'arg1': usdt:python:gc__start has 1 argument"),
    (("xdp:no_such_program",), "xdp:no_such_program: no such XDP program is loaded"),
    (("tc:id:4000000000",), "tc:id:4000000000: no such TC program is loaded"),
])
def test_what_is_not_there(weir, words, complaint):
    assert complaint in weir.refuses(1, "trace", *words)


def test_a_floating_point_number_cannot_be_fetched(weir, program):
    assert "'arg0' is kept in '" in weir.refuses(
        1, "trace", f"usdt:{program.path}:floating", "--args", "arg0")
