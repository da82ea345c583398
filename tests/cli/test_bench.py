"""`weir bench`: figures of programs that nobody here wrote, and of Weir's own, with their tallies."""

import json
import os
import pathlib
import re
import signal
import subprocess

import pytest

from waiting import until

BPFFS = pathlib.Path("/sys/fs/bpf")
SOURCE = """
#include <linux/bpf.h>
#include <linux/pkt_cls.h>
#include <bpf/bpf_helpers.h>

/* Puts 20 octets before every frame, and aborts if a frame is not the one of 54 octets it knows. */
SEC("xdp") int push(struct xdp_md *ctx)
{
    void *data = (void *)(long)ctx->data, *end = (void *)(long)ctx->data_end;
    if (end - data != 54 || ((unsigned char *)data + 13 < (unsigned char *)end &&
                             ((unsigned char *)data)[12] != 8))
        return XDP_ABORTED;
    if (bpf_xdp_adjust_head(ctx, -20))
        return XDP_ABORTED;
    data = (void *)(long)ctx->data, end = (void *)(long)ctx->data_end;
    if (data + 34 > end)
        return XDP_ABORTED;
    __builtin_memset(data, 0xff, 34);
    return XDP_TX;
}

/* The other direction, and metadata. */
SEC("xdp.frags") int pull(struct xdp_md *ctx)
{
    void *data = (void *)(long)ctx->data, *end = (void *)(long)ctx->data_end;
    if (end - data != 54 || ctx->data_meta != ctx->data)
        return XDP_ABORTED;
    if (bpf_xdp_adjust_meta(ctx, -8) || bpf_xdp_adjust_head(ctx, 8) || bpf_xdp_adjust_tail(ctx, -10))
        return XDP_ABORTED;
    return XDP_DROP;
}

/* Half of the flows go another way: by the source port's lowest bit. */
SEC("xdp") int half(struct xdp_md *ctx)
{
    unsigned char *data = (void *)(long)ctx->data, *end = (void *)(long)ctx->data_end;
    if (data + 36 > end)
        return XDP_ABORTED;
    return data[35] & 1 ? XDP_DROP : XDP_PASS;
}

SEC("tc") int shot(struct __sk_buff *skb)
{
    return skb->len == 54 ? TC_ACT_SHOT : TC_ACT_OK;
}

SEC("cgroup_skb/egress") int other(struct __sk_buff *skb) { return 1; }

char _license[] SEC("license") = "GPL";
"""


@pytest.fixture(scope="module")
def foreign(tmp_path_factory):
    """A folder of pinned programs that Weir has never heard of."""
    folder = tmp_path_factory.mktemp("foreign")
    (folder / "foreign.bpf.c").write_text(SOURCE)
    subprocess.run(["clang", "-target", "bpf", "-mcpu=v3", "-O2", "-g",
                    "-isystem", f"/usr/include/{os.uname().machine}-linux-gnu",
                    "-c", folder / "foreign.bpf.c", "-o", folder / "foreign.o"], check=True)
    pins = BPFFS / f"weir-test-foreign-{os.getpid()}"
    subprocess.run(["bpftool", "prog", "loadall", folder / "foreign.o", pins], check=True)
    yield pins
    for pin in pins.iterdir():
        pin.unlink()
    pins.rmdir()


def bench_pins():
    return sorted(path.name for path in BPFFS.glob("weir-bench-*"))


def holds_programs(pid):
    """A process has BPF programs open."""
    for info in pathlib.Path(f"/proc/{pid}/fdinfo").glob("*"):
        try:
            if "prog_tag" in info.read_text():
                return True
        except FileNotFoundError:
            pass  # closed meanwhile
    return False


def answers(document, name):
    (only,) = [case for case in document["cases"] if case["name"] == name]
    assert sum(only["answers"].values()) == only["laps"] * only["rounds"]
    return only["answers"]


@pytest.mark.parametrize("name, answer", [("push", "tx"), ("pull", "drop"), ("shot", "shot")])
def test_every_lap_finds_the_packet_as_it_was(weir, foreign, name, answer):
    document = weir.json("bench", "run", "--prog", foreign / name, "--rounds", 3)

    assert list(answers(document, name)) == [answer]


def test_flows_take_turns(weir, foreign):
    document = weir.json("bench", "run", "--prog", foreign / "half", "--flows", 1000,
                         "--rounds", 3)

    tally = answers(document, "half")
    assert set(tally) == {"pass", "drop"}
    assert 0.4 < tally["pass"] / sum(tally.values()) < 0.6


def test_one_flow_goes_one_way(weir, foreign):
    document = weir.json("bench", "run", "--prog", foreign / "half", "--rounds", 3,
                         "--packet", "ip saddr 192.0.2.1 tcp sport 1001 tcp dport 80")

    assert list(answers(document, "half")) == ["drop"]


def test_a_frame_in_hexadecimal(weir, foreign):
    frame = "0200000000020200000000010800" + "45000028" + "00" * 36
    document = weir.json("bench", "run", "--prog", foreign / "shot", "--rounds", 3, "--hex", frame)

    assert list(answers(document, "shot")) == ["shot"]


def test_another_answer_than_expected_is_no_figure(weir, foreign):
    assert weir.refuses(1, "bench", "run", "--prog", foreign / "push", "--expect", "drop").startswith(
        "expected drop of all ")
    weir("bench", "run", "--prog", foreign / "push", "--expect", "tx", "--rounds", 3)


@pytest.mark.parametrize("words, complaint", [
    (["--expect", "shot"], "'shot' is no answer of such a program: expected one of aborted, drop, "
                           "pass, tx, redirect"),
    (["--packet", "tcp dport 80", "--hex", "00"], "--hex and --packet: one of them"),
    (["--hex", "00" * 20, "--flows", "2"], "--flows: only of a packet in words (--packet)"),
    (["--hex", "00"], "a frame of 1 octets: the kernel's test run takes no less than an Ethernet "
                      "header, 14"),
    (["--flows", "0"], "--flows '0': expected a number from 1 to 1000000"),
    (["--only", "count"], "--prog: not together with --only or --list, which are about scenarios"),
])
def test_wrong_words_about_a_program(weir, foreign, words, complaint):
    assert weir.refuses(2, "bench", "run", "--prog", foreign / "push", *words) == complaint


def test_a_program_of_another_type_is_refused(weir, foreign):
    assert weir.refuses(2, "bench", "run", "--prog", foreign / "other") == \
        "program 'other' is of type 8: expected an XDP or a TC program"


def test_no_such_pin(weir):
    assert weir.refuses(1, "bench", "run", "--prog", BPFFS / "no-such-pin").startswith(
        "opening /sys/fs/bpf/no-such-pin: No such file or directory")


def test_scenarios_of_every_subject_meet_what_they_expect(weir):
    chosen = ["count", "parse-qinq", "fw4-10-*", "fw6-hard-100-miss", "set4-10000-*",
              "lb-ipip4-hit", "lb-l2dsr6-syn", "lb-ipip4-routed-hit", "lb-flows-100", "tc-*"]
    before = bench_pins()

    document = weir.json("bench", "run", "--rounds", 3,
                         *(word for name in chosen for word in ("--only", name)))

    names = [case["name"] for case in document["cases"]]
    assert len(names) == 16 and "fw4-10-mixed" in names and "tc-egress-drop" in names
    assert list(answers(document, "lb-l2dsr6-syn")) == ["redirect"]
    assert list(answers(document, "lb-ipip4-hit")) == ["tx"]
    assert list(answers(document, "fw4-10-miss")) == ["pass"]
    for program in document["programs"]:
        assert program["verified_insns"] > 1000 and program["jited_bytes"] > 1000
    assert bench_pins() == before


def test_compared_with_an_earlier_result(weir, tmp_path):
    weir("bench", "run", "--only", "count", "--rounds", 3, "--out", tmp_path)
    (result,) = tmp_path.glob("*.json")
    document = json.loads(result.read_text())
    assert document["kind"] == "run"
    document["cases"][0]["net_ns"] = {"median": 100000, "lower": 99999, "upper": 100001}
    result.write_text(json.dumps(document))

    shown = weir("bench", "run", "--only", "count", "--rounds", 3, "--baseline", result)

    assert re.search(r"was 100000: -(99|100)\d{3} ns", shown), shown
    result.write_text("{}")
    assert str(result) in weir.refuses(1, "bench", "run", "--only", "count", "--rounds", 3,
                                       "--baseline", result)


def test_a_scenario_that_is_not_there(weir):
    assert weir.refuses(2, "bench", "run", "--only", "fw5-*") == \
        "--only 'fw5-*': no scenario has such a name; `weir bench run --list`"


def test_interrupted_half_way_leaves_nothing(weir):
    before = bench_pins()
    running = weir.start("bench", "run", "--only", "fw4-1000-*", "--rounds", 100)
    until(lambda: running.poll() is not None or holds_programs(running.pid), "no program is loaded")
    assert running.poll() is None

    running.send_signal(signal.SIGINT)

    assert running.wait(timeout=30) == -signal.SIGINT
    running.communicate()
    assert bench_pins() == before


def test_instructions_want_a_clock_that_counts_them(weir):
    assert weir.refuses(1, "bench", "insns", "--only", "count").endswith(
        "this machine's clock does not count instructions; run it in QEMU: netns-scripts/vm.sh "
        "--icount -- weir bench insns")


def test_no_packet_sees_half_of_a_change(weir):
    document = weir.json("bench", "control", "--traffic-only", "--generations", 50)

    under = document["under_traffic"]
    assert under["generations"] == 50 and under["packets"] > 10000 and under["mixed"] == 0


def test_interrupted_control_leaves_nothing(weir):
    before = bench_pins()
    running = weir.start("bench", "control")
    until(lambda: running.poll() is not None or bench_pins() != before, "nothing is pinned")
    assert running.poll() is None

    running.send_signal(signal.SIGINT)

    assert running.wait(timeout=60) != 0
    running.communicate()
    assert bench_pins() == before
