"""What the tracing verbs print with --json is what docs/reference/trace-events.schema.json says."""

import copy
import json
import pathlib

import jsonschema
import pytest

from tracing import Actor, Tracing

SCHEMA = json.loads((pathlib.Path(__file__).resolve().parents[2] /
                     "docs/reference/trace-events.schema.json").read_text())
VALID = jsonschema.Draft202012Validator(SCHEMA)
DROPS = ("s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)\n"
         "for _ in range(3): s.sendto(b'?', ('127.0.0.1', 4260))")
WHERE = ("--where", "dport == 4260")


@pytest.fixture
def actor():
    process = Actor()
    yield process
    process.end()


def kind(document):
    return [name for name in ("probe", "counts", "per_second", "histograms", "rows", "leaks", "trace",
                              "closing") if name in document]


@pytest.mark.parametrize("wanted, words", [
    ("probe", ("trace", "tp:skb:kfree_skb", "--args", "reason, daddr, comm, dport, dport == 1",
               "--stack", "--say", "x", *WHERE)),
    ("counts", ("count", "tp:skb:kfree_skb", "raw:kfree_skb", *WHERE)),
    ("per_second", ("rate", "tp:skb:kfree_skb", "-i", "0.1", "-n", 2)),
    ("histograms", ("hist", "tp:net:netif_receive_skb", "--value", "len", "--by", "comm", *WHERE)),
    ("histograms", ("hist", "tp:net:net_dev_queue", "--to", "tp:net:netif_receive_skb", "--id",
                    "packet", *WHERE)),
    ("rows", ("top", "tp:skb:kfree_skb", "--by", "reason, stack", "--sum", "dport", *WHERE)),
    ("leaks", ("leaks", "tp:net:net_dev_queue", "--to", "tp:net:net_dev_queue", "--id", "skbaddr",
               "--size", "len", *WHERE)),
])
def test_documents_are_as_published(actor, tmp_path, wanted, words):
    session = Tracing(*words)
    actor.do(DROPS)
    documents = session.wait() if wanted == "per_second" else session.stop()

    for document in documents:
        VALID.validate(document)
    assert [kind(document) for document in documents[:-1]] == \
        (len(documents) - 1) * [[wanted]] and len(documents) > 1
    assert kind(documents[-1]) == ["closing"]


def test_a_file_is_as_published(actor, tmp_path):
    path = tmp_path / "events"
    trace = Tracing("trace", "tp:skb:kfree_skb", "--args", "reason, comm", "-w", path, *WHERE)
    actor.do(DROPS)
    trace.stop()

    documents = [json.loads(line) for line in path.read_text().splitlines()]

    for document in documents:
        VALID.validate(document)
    assert [kind(document) for document in documents] == \
        [["trace"], ["probe"], ["probe"], ["probe"], ["closing"]]


EVENT = {"schema": 1, "time": 1.5, "cpu": 0, "pid": 1, "tid": 1, "comm": "x", "probe": "y"}


@pytest.mark.parametrize("change", [
    {"schema": 2}, {"pid": -1}, {"time": "1"}, {"values": {}}, {"values": {"a": {}}},
    {"values": {"stack": []}}, {"unknown": 1}, {"closing": {}},
])
def test_the_schema_refuses_what_is_none(change):
    VALID.validate(EVENT)
    broken = {**copy.deepcopy(EVENT), **change}
    with pytest.raises(jsonschema.ValidationError):
        VALID.validate(broken)
