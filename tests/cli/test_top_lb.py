"""`weir top @lb`: what the balancer did meanwhile, by its own books."""

from tracing import Tracing

from test_flows import CONFIGURATION, SERVICE, drain, send


def test_connections_packets_and_tracked_flows(weir, tmp_path, monkeypatch):
    monkeypatch.setenv("WEIR_PINS", str(weir.pins))
    weir("apply", "-", input=CONFIGURATION)
    drain(weir)
    send(weir, tmp_path, "192.0.2.1", "S")
    top = Tracing("top", "@lb", "-i", "1000", netns=weir.namespace)
    for client in range(20):
        send(weir, tmp_path, f"192.0.{client}.{client}", "A")  # of before the change
    send(weir, tmp_path, "192.0.2.99", "S")
    send(weir, tmp_path, "192.0.2.99", "A")

    rows = {row["backend"]: row for row in top.stop()[0]["rows"]}

    row = {"service": SERVICE, "resets": 0, "retransmitted": 0, "dropped": None, "hot": None,
           "overflow": None}
    assert rows["10.0.2.2"] == {**row, "backend": "10.0.2.2", "weight": 0, "tracked": 0, "new": 0,
                                "packets": 20, "octets": 20 * 54}
    assert rows["10.0.2.3"] == {**row, "backend": "10.0.2.3", "weight": 1, "tracked": 2, "new": 1,
                                "packets": 2, "octets": 2 * 54}
    assert rows["all"] == {**row, "backend": "all", "weight": 1, "tracked": 2, "new": 1,
                           "packets": 22, "octets": 22 * 54, "dropped": 0, "hot": 128,
                           "overflow": 0}


def test_without_a_loaded_weir(fresh):
    assert "not loaded" in fresh.refuses(1, "top", "@lb")


def test_nothing_is_chosen_where_nothing_is_traced(weir):
    assert "--where" in weir.refuses(2, "top", "@progs", "--pid", "1")
