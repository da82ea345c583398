"""`weir top @lb`: what the balancer did meanwhile, by its own books."""

from tracing import Tracing

from test_flows import CONFIGURATION, SERVICE, flows, send

TWO = CONFIGURATION.replace("[10.0.2.2]", "[{address: 10.0.2.2, weight: 2}, 10.0.2.3]")


def test_new_flows_moved_flows_and_packets(weir, tmp_path, monkeypatch):
    monkeypatch.setenv("WEIR_PINS", str(weir.pins))
    weir("apply", "-", input=TWO)
    for client in range(20):
        send(weir, tmp_path, f"192.0.{client}.{client}", "A")
    away = sum(1 for *_, backend in flows(weir) if backend == "10.0.2.3")
    assert 0 < away < 20
    top = Tracing("top", "@lb", "-i", "1000", netns=weir.namespace)
    weir("lb", "backend", "delete", SERVICE, "10.0.2.3")
    for client in range(20):
        send(weir, tmp_path, f"192.0.{client}.{client}", "A")
    send(weir, tmp_path, "192.0.2.99", "A")
    send(weir, tmp_path, "192.0.2.99", "S")

    rows = {row["backend"]: row for row in top.stop()[0]["rows"]}

    octets = 22 * 54
    assert rows["10.0.2.2"] == {"service": SERVICE, "backend": "10.0.2.2", "weight": 2, "flows": 21,
                       "new": away + 1, "moved": away, "packets": 22, "octets": octets,
                       "resets": 0, "retransmitted": 0, "dropped": None}
    assert rows["all"] == {**rows["10.0.2.2"], "backend": "all", "dropped": 0}


def test_without_a_loaded_weir(fresh):
    assert "not loaded" in fresh.refuses(1, "top", "@lb")


def test_nothing_is_chosen_where_nothing_is_traced(weir):
    assert "--where" in weir.refuses(2, "top", "@progs", "--pid", "1")
