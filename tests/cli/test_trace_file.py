"""`-w` and `weir trace --read`: what a session wrote is printed as it was, and nothing else is."""

import json

import pytest

from tracing import Actor, Tracing, closing, events
from waiting import until

# A packet of a thread whose name is no UTF-8 and more than a line, to a port where nobody listens.
DROPS = r"""
import ctypes
ctypes.CDLL(None).prctl(15, b"\xff o\nd\xc3\xa9")
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
for _ in range({}): s.sendto(b'?', ('127.0.0.1', {}))
"""


@pytest.fixture
def actor():
    process = Actor()
    yield process
    process.end()


def words(path, port):
    return ("trace", "tp:skb:kfree_skb", "raw:kfree_skb", "--args",
            "reason, saddr, daddr, dport, dport == 1, -dport, comm, stack",
            "--where", f"dport == {port}", "--say", "said", "-w", path)


def lines_of(path):
    return path.read_text().splitlines() if path.exists() else []


@pytest.fixture
def recorded(weir, actor, tmp_path):
    """A file, and what the command that wrote it printed."""
    path = tmp_path / "events"
    trace = Tracing(*words(path, 4250), text=True)
    actor.do(DROPS.format(3, 4250))
    return path, trace.stop()


def test_what_is_read_is_what_was_shown(weir, recorded):
    path, live = recorded

    assert weir("trace", "--read", path) == live
    assert live.count("dport=4250") == 6 and live.count('comm="\ufffd o\\nd\u00e9"') == 6
    assert "6 events of" in live and live.count("    ") > 6


def test_documents_are_those_of_json(weir, actor, tmp_path):
    path = tmp_path / "events"
    trace = Tracing(*words(path, 4251))
    actor.do(DROPS.format(2, 4251))
    live = trace.stop()

    again = [json.loads(line) for line in weir("--json", "trace", "--read", path).splitlines()]

    assert again == live
    assert len(events(again)) == 4 and closing(again)["events"] == 4
    header, *rest = [json.loads(line) for line in lines_of(path)]
    assert rest == live
    assert header["schema"] == 1 and header["trace"]["command"][2:4] == ["trace", "tp:skb:kfree_skb"]
    assert header["trace"]["kernel"] == open("/proc/sys/kernel/osrelease").read().strip()


@pytest.mark.parametrize("words", [
    ("count", "tp:skb:kfree_skb", "raw:kfree_skb"),
    ("rate", "tp:skb:kfree_skb", "-i", "0.2"),
    ("hist", "tp:net:netif_receive_skb", "--value", "len", "--by", "comm"),
    ("hist", "tp:skb:kfree_skb", "--value", "dport", "--where", "dport == 1"),  # of nothing
    ("top", "tp:skb:kfree_skb", "--by", "reason, stack", "-i", "0.2"),
    ("leaks", "tp:net:net_dev_queue", "--to", "tp:skb:kfree_skb", "--id", "skbaddr"),
    ("trace", "@conns"),
])
@pytest.mark.parametrize("text", [True, False])
def test_every_verb_is_read_as_it_was_shown(weir, actor, tmp_path, words, text):
    path = tmp_path / "session"
    session = Tracing(*words, "-w", path, text=text)
    actor.do(DROPS.format(3, 4253) + "\nl = socket.create_server(('127.0.0.1', 0))\n"
             "c = socket.create_connection(l.getsockname())\nc.close()")
    if "-i" in words:  # two intervals stand behind the header
        until(lambda: len(lines_of(path)) >= 3, "no interval ends")
    live = session.stop()

    again = weir(*([] if text else ["--json"]), "trace", "--read", path)

    assert (again if text else [json.loads(line) for line in again.splitlines()]) == live
    # Of the whole machine, of whatever else runs on it: how many are lost says nothing of the file.
    assert ("lost; probes" in live) if text else "lost" in closing(live)


def test_a_killed_session_is_readable_up_to_its_last_whole_line(weir, actor, tmp_path):
    path = tmp_path / "events"
    trace = Tracing(*words(path, 4252), text=True)
    actor.do(DROPS.format(4, 4252))
    until(lambda: len(lines_of(path)) >= 9, lambda: path.read_text())
    trace.kill()

    whole = weir.run("trace", "--read", path)
    assert (whole.returncode, whole.stderr) == \
        (0, f"weir: warning: {path} ended without its closing line\n")
    assert whole.stdout.count("dport=4252") == 8

    path.write_text(path.read_text()[:-20])
    cut = weir.run("trace", "--read", path)
    assert (cut.returncode, cut.stderr) == \
        (0, f"weir: warning: {path} ended without its closing line, in line 9\n")
    assert cut.stdout.count("dport=4252") == 7
    assert whole.stdout.startswith(cut.stdout)


def changed(line, new):
    def change(text):
        lines = text.splitlines(keepends=True)
        lines[line] = new if isinstance(new, str) else json.dumps(new(json.loads(lines[line]))) + "\n"
        return "".join(lines)
    return change


def without(key):
    return lambda document: {k: v for k, v in document.items() if k != key}


@pytest.mark.parametrize("change, complaint", [
    (lambda text: "", ":1: is empty: not a file of -w"),
    (lambda text: text[:30], ":1: is cut within its header"),
    (lambda text: "root:x:0:0\n", ":1: no JSON document"),
    (lambda text: '{"schema": 1, "rules": []}\n', ":1: no header of a file of -w"),
    (lambda text: "".join(text.splitlines(keepends=True)[1:]), ":1: no header of a file of -w"),
    (changed(0, lambda header: {**header, "schema": 2}), ":1: schema 2: this weir reads 1"),
    (changed(0, without("schema")), ":1: schema is missing: this weir reads 1"),
    (changed(2, "}{\n"), ":3: no JSON document"),
    (changed(2, "\n"), ":3: no JSON document"),
    (changed(2, lambda event: {**event, "text": 7}), ":3: neither an event nor a closing line"),
    (changed(3, without("probe")), ":4: neither an event nor a closing line"),
    (changed(3, lambda event: {**event, "time": "now"}), ":4: neither an event nor a closing line"),
    (changed(3, lambda event: {**event, "values": 7}), ":4: neither an event nor a closing line"),
    (changed(-1, lambda end: {**end, "closing": {}}), ":8: neither an event nor a closing line"),
    (lambda text: text + text.splitlines()[-1] + "\n", ":9: stands behind the closing line"),
])
def test_what_no_session_wrote_is_refused(weir, recorded, change, complaint):
    path, _ = recorded
    path.write_text(change(path.read_text()))

    for form in ((), ("--json",)):
        assert weir.refuses(1, *form, "trace", "--read", path).endswith(complaint)


def test_what_cannot_be_opened(weir, tmp_path):
    assert "opening /nowhere/file" in weir.refuses(1, "trace", "--read", "/nowhere/file")
    assert "making /nowhere/file" in weir.run(
        "trace", "tp:skb:kfree_skb", "-d", "0.1", "-w", "/nowhere/file").stderr
    full = weir.run("trace", "tp:sched:sched_switch", "-d", "0.5", "-w", "/dev/full")
    assert full.returncode == 1 and "writing /dev/full: No space left on device" in full.stderr


@pytest.mark.parametrize("words, complaint", [
    (("--read", "x", "tp:skb:kfree_skb"), "'tp:skb:kfree_skb'"),
    (("--read", "x", "-n", "3"), "--read: not with --number"),
    (("--read", "x", "-w", "y"), "--read: not with --write"),
])
def test_wrong_words(weir, words, complaint):
    assert complaint in weir.refuses(2, "trace", *words)
