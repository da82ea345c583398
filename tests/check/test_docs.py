"""Generated pages of the reference are what the program says now, and name what it has."""

import os
import pathlib
import re
import subprocess

import pytest

import rules

BUILD = pathlib.Path(os.environ["WEIR"]).resolve().parents[1]
REFERENCE = rules.ROOT / "docs/reference"


def stale(folder, fresh):
    return [page.name for page in sorted(fresh.iterdir())
            if not (folder / page.name).exists()
            or (folder / page.name).read_text() != page.read_text()]


@pytest.fixture(scope="module")
def fresh(tmp_path_factory):
    folder = tmp_path_factory.mktemp("reference")
    subprocess.run([BUILD / "docs/weir_reference", folder], check=True, cwd=REFERENCE.parents[1])
    return folder


def test_generated_pages_are_fresh(fresh):
    assert stale(REFERENCE, fresh) == [], \
        "stale: run `cmake --build build/release --target reference`"


def test_a_stale_page_is_found(fresh, tmp_path):
    for page in fresh.iterdir():
        (tmp_path / page.name).write_text(page.read_text())
    (tmp_path / "reasons.md").write_text("old\n")
    (tmp_path / "limits.md").unlink()
    assert stale(tmp_path, fresh) == ["limits.md", "reasons.md"]


def test_every_reason_and_map_is_named():
    reasons = (rules.ROOT / "maps/reason.h").read_text().split("enum reason {")[0]
    page = (REFERENCE / "reasons.md").read_text()
    names = re.findall(r'X\(REASON_\w+, "([^"]+)"', reasons)
    assert len(names) > 20 and [name for name in names if f"`{name}`" not in page] == []
    # Those of a tracing session are never pinned: they are no one else's.
    headers = [p for p in (rules.ROOT / "maps").glob("*.h") if p.name != "trace.h"]
    maps = re.findall(r'} (\w+) SEC\("\.maps"\)', "".join(p.read_text() for p in headers))
    page = (REFERENCE / "maps.md").read_text()
    assert len(maps) > 10 and [name for name in maps if f"| `{name}` |" not in page] == []


def test_every_field_is_in_the_reference_of_rules():
    fields = re.findall(r'Field::k\w+, "([^"]+)"', (rules.ROOT / "ctl/model/field.cpp").read_text())
    page = (REFERENCE / "rules.md").read_text()
    assert len(fields) > 20 and [field for field in fields if f"`{field}`" not in page] == []


def test_every_verb_is_helped_and_listed():
    page = (REFERENCE / "commands.md").read_text()
    verbs = re.findall(r"^### weir (.+)$", page, re.MULTILINE)
    overview = subprocess.run([os.environ["WEIR"], "--help"], text=True, capture_output=True,
                              check=True).stdout
    assert len(verbs) > 30
    for verb in verbs:
        assert re.search(rf"^  {verb}  ", overview, re.MULTILINE), verb
        done = subprocess.run([os.environ["WEIR"], *verb.split(), "--help"], text=True,
                              capture_output=True)
        assert done.returncode == 0 and f"Usage: weir {verb}" in done.stdout, verb
