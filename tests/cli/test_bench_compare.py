"""`weir bench compare`: what moved between two results, and what is the machine's."""

import json
import pathlib
import shutil

import pytest

RESULTS = pathlib.Path(__file__).resolve().parents[2] / "bench" / "results"


@pytest.fixture
def two(tmp_path):
    """The committed results, twice."""
    for name in ("before", "after"):
        (tmp_path / name).mkdir()
        for kind in ("run", "net", "apps", "control", "instructions"):
            shutil.copy(RESULTS / f"{kind}.json", tmp_path / name)
    return tmp_path / "before", tmp_path / "after"


def change(file, name, key, times):
    document = json.loads(file.read_text())
    for case in document["cases"]:
        if case["name"] == name:
            case[key] = dict.fromkeys(case[key], times * case[key]["median"])
    file.write_text(json.dumps(document))


def test_nothing_moved_between_a_result_and_itself(weir, two):
    text = weir("bench", "compare", *two)

    for kind in ("apps", "control", "net", "run"):
        assert f"{kind}: 0 of " in text
    assert "instructions" not in text and "before" not in text.splitlines()[1:2]


def test_what_moved_is_named_with_both_figures(weir, two):
    before, after = two
    change(after / "run.json", "lb-ipip4-hit", "net_ns", 4)

    text = weir("bench", "compare", *two)
    (row,) = [line.split() for line in text.splitlines() if line.startswith("lb-ipip4-hit ")]
    assert row[1] == "ns/packet" and row[-2:] == ["+300", "%"]
    comparison = next(each for each in weir.json("bench", "compare", *two)["comparisons"]
                      if each["kind"] == "run")
    assert comparison["moved"] == 1
    (moved,) = [each for each in comparison["changes"] if each["moved"]]
    assert moved["name"] == "lb-ipip4-hit"
    assert moved["after"]["median"] == 4 * moved["before"]["median"]


def test_a_machine_of_another_speed_moves_nothing(weir, two):
    _, after = two
    document = json.loads((after / "run.json").read_text())
    for case in document["cases"]:
        for key in ("net_ns", "floor_ns"):
            if key in case:
                case[key] = {which: 1.5 * value for which, value in case[key].items()}
    (after / "run.json").write_text(json.dumps(document))

    text = weir("bench", "compare", *(each / "run.json" for each in two))

    assert text.startswith("run: 0 of ")
    assert "50 % between the two" in text


def test_all_shows_every_figure(weir, two):
    files = [each / "control.json" for each in two]
    assert "apply-1000-rules" not in weir("bench", "compare", *files)
    assert "apply-1000-rules" in weir("bench", "compare", *files, "--all")


def test_wrong_words(weir, two):
    before, after = two
    assert weir.refuses(2, "bench", "compare", before)
    assert "no such file" in weir.refuses(1, "bench", "compare", before, "/nowhere")
    assert weir.refuses(1, "bench", "compare", before / "run.json", after / "net.json").endswith(
        "of `weir bench net`: no two of a kind")
    (after / "run.json").write_text("{")
    assert str(after / "run.json") + ": no result" in \
        weir.refuses(1, "bench", "compare", before / "run.json", after / "run.json")
    shutil.rmtree(after)
    after.mkdir()
    assert "have no results of the same name" in weir.refuses(1, "bench", "compare", *two)
