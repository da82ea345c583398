"""What the layout promises, as checks of a source tree. Each answers a list of "FILE:LINE: what".

A check takes the tree's root, so that test_structure.py can show on bad samples that it can fail.
"""

import pathlib
import re
import subprocess

LINES_MAX = 400
CODE = {".c", ".h", ".cpp", ".py", ".sh"}
# Only these folders may talk to the kernel by its libraries.
KERNEL_LIBRARIES = re.compile(r'#include\s+[<"](bpf|xdp|libmnl)/')
KERNEL_FOLDERS = ("ctl/kernel/", "dataplane/", "tests/", "bench/", "netns-scripts/",
                  "docs/generator/")
# layer -> what it must not include, and what of that is allowed after all
LAYERS = {
    "text": ({"compile", "kernel", "trace", "output", "verbs"}, set()),
    "compile": ({"text", "kernel", "trace", "output", "verbs"}, set()),
    "drops": ({"text", "compile", "trace", "output", "verbs"}, set()),
    "kernel": ({"text", "compile", "trace", "drops", "output", "verbs"}, {"compile/images.h", "compile/ring_change.h"}),
    "trace": ({"compile", "output", "verbs"}, set()),
    "model": ({"text", "compile", "kernel", "trace", "output", "verbs"}, set()),
    "base": ({"model", "text", "compile", "kernel", "trace", "output", "verbs"}, set()),
    "output": ({"model", "text", "compile", "kernel", "trace", "verbs"}, set()),
}


def tracked(root):
    """Files of the project: what git knows or would add; in a sample without git, all of them."""
    done = subprocess.run(["git", "-C", root, "ls-files", "-co", "--exclude-standard"], text=True,
                          capture_output=True)
    if done.returncode == 0:
        return [path for name in done.stdout.splitlines() if (path := root / name).is_file()]
    return sorted(path for path in root.rglob("*") if path.is_file())


def sources(root, *under, suffixes=CODE):
    """(name from the root, path) of the files under these folders; of all, if none is named."""
    for path in tracked(root):
        name = path.relative_to(root).as_posix()
        if path.suffix in suffixes and (not under or name.startswith(under)):
            yield name, path


def matches(root, pattern, *under, skip=lambda name: False, suffixes=CODE):
    """Places of a pattern, line by line."""
    pattern = re.compile(pattern) if isinstance(pattern, str) else pattern
    for name, path in sources(root, *under, suffixes=suffixes):
        if skip(name):
            continue
        for number, line in enumerate(path.read_text().splitlines(), 1):
            if found := pattern.search(line):
                yield f"{name}:{number}", line.strip(), found


def packet_end_is_compared_by_the_cursor_alone(root):
    """Parsing compares packet pointers in parse/cursor.h, and the fast lane in parse/common.h and
    firewall/short_list.h; a stage of lb/ that rewrites a frame, and the entries, which look at metadata, ask for its ends themselves. What looks at other
    people's programs reads the kernel's own structure, struct xdp_buff."""
    bad = [f"{place}: {line}" for place, line, _ in
           matches(root, r"\b(frame_end|data_end)\b", "dataplane/parse/", "dataplane/firewall/",
                   skip=lambda name: name.endswith(("parse/cursor.h", "parse/common.h",
                                                     "firewall/short_list.h")))]
    return bad + [f"{place}: data_end, instead of frame_end()" for place, _, _ in
                  matches(root, r"->\s*data_end\b", "dataplane/",
                          skip=lambda name: name == "dataplane/capture.bpf.c")]


def kernel_libraries_are_included_in_their_folder(root):
    return [f"{place}: {line}" for place, line, _ in
            matches(root, KERNEL_LIBRARIES, skip=lambda name: name.startswith(KERNEL_FOLDERS))]


def layers_do_not_include_one_another(root):
    bad = []
    for layer, (forbidden, allowed) in LAYERS.items():
        for place, _, found in matches(root, r'#include\s+"(([a-z]+)/[^"]+)"', f"ctl/{layer}/"):
            if found[2] in forbidden and found[1] not in allowed:
                bad.append(f"{place}: {layer} includes {found[1]}")
    return bad


def files_are_short(root):
    bad = []
    for name, path in sources(root, "ctl/", "dataplane/", "maps/", "docs/generator/"):
        lines = len(path.read_text().splitlines())
        if lines > LINES_MAX:
            bad.append(f"{name}:{LINES_MAX}: {lines} lines; at most {LINES_MAX}: split it by ideas")
    return bad


def maps_are_defined_in_maps(root):
    """Also none that the control tool makes up beside them: it names them by maps::."""
    return [f"{place}: {line}" for place, line, _ in
            matches(root, r'SEC\("\.maps"\)|__uint\(type, *BPF_MAP', "dataplane/", "ctl/")]


def reasons_are_reachable(root):
    """Each reason is given somewhere: by a stage, or by a packet class that decides."""
    header = (root / "maps/reason.h").read_text()
    classes = header[header.index("#define WEIR_PACKET_CLASSES"):]
    given = classes + "".join(path.read_text() for _, path in sources(root, "dataplane/"))
    return [f"maps/reason.h: {reason} is given nowhere"
            for reason in re.findall(r"X\((REASON_\w+),", header.split("enum reason {")[0])
            if not re.search(rf"\b{reason}\b", given)]


def verbs_are_registered(root):
    """What a file of ctl/verbs defines, all.h declares and registry.cpp puts in order."""
    declared = set(re.findall(r"\w+", " ".join(
        re.findall(r"extern const Verb ([^;]+);", (root / "ctl/verbs/all.h").read_text()))))
    registered = set(re.findall(r"&(\w+)", (root / "ctl/verbs/registry.cpp").read_text()))
    defined = {found[1]: place for place, _, found in
               matches(root, r"^const Verb (\w+)\s*\{", "ctl/verbs/")}
    return [f"{place}: verb {verb} is not in registry.cpp" for verb, place in defined.items()
            if verb not in registered] + \
           [f"ctl/verbs/all.h: verb {verb} is defined nowhere" for verb in
            sorted(declared | registered) if verb not in defined]


def nothing_is_left_to_do(root):
    marks = "|".join(("TO" + "DO", "FIX" + "ME", "XX" + "X"))
    return [f"{place}: {line}" for place, line, _ in
            matches(root, rf"\b({marks})\b", suffixes=CODE | {".md", ".txt", ".yaml"})]


def licences_are_named(root):
    """SPDX, in the first line, of what goes into the kernel and of what both sides share."""
    return [f"{name}:1: expected SPDX-License-Identifier: GPL-2.0-only"
            for name, path in sources(root, "dataplane/", "maps/", suffixes={".c", ".h"})
            if "SPDX-License-Identifier: GPL-2.0-only" not in path.read_text().split("\n")[0]]


def tests_wait_for_readiness(root):
    """Never for a time: waiting.py alone sleeps, between two looks at what is waited for. A shell
    script may where a loop that looks again begins at most three lines above. In a virtual machine
    an actor's sleep, below a second, is what is traced."""
    call = r"\b(u|nano)?sleep(_for|_until)?\s*\("
    bad = [f"{place}: {line}" for place, line, _ in
           matches(root, call, "tests/", suffixes=CODE - {".sh"},
                   skip=lambda name: name == "tests/support/waiting.py" or
                   name.startswith(("tests/check/", "tests/vm/")))]
    bad += [f"{place}: {line}" for place, line, _ in
            matches(root, call + r"\s*[1-9]", "tests/vm/", suffixes=CODE - {".sh"})
            if "usleep" not in line]
    for place, line, _ in matches(root, r"(^|[;&|(]|\b(do|then|else))\s*sleep\s", "tests/",
                                  "netns-scripts/", suffixes={".sh"},
                                  skip=lambda name: name.endswith("/vm.sh")):
        name, number = place.rsplit(":", 1)
        before = (root / name).read_text().splitlines()[max(int(number) - 4, 0):int(number)]
        if not any(re.search(r"\b(while|until|for)\b", each) for each in before):
            bad.append(f"{place}: {line}")
    return bad


def links_resolve(root):
    """Links of the documentation to files, and to headings of files."""
    def anchors(path):
        headings = re.findall(r"^#+ +(.+)$", path.read_text(), re.MULTILINE)
        return {re.sub(r"[^\w\- ]", "", h.lower()).strip().replace(" ", "-") for h in headings}

    bad = []
    for place, _, _ in matches(root, r"\]\(", suffixes={".md"}):
        name, number = place.rsplit(":", 1)
        page = root / name
        line = page.read_text().splitlines()[int(number) - 1]
        for target in re.findall(r"\]\(([^)\s]+)\)", line):
            if re.match(r"[a-z]+:", target):
                continue
            file, _, anchor = target.partition("#")
            there = (page.parent / file).resolve() if file else page
            if not there.exists():
                bad.append(f"{place}: {target} does not exist")
            elif anchor and there.suffix == ".md" and anchor not in anchors(there):
                bad.append(f"{place}: {target}: no such heading")
    return bad


def pages_are_linked(root):
    """Every page of the documentation can be found from its index."""
    docs = root / "docs"
    linked = set()
    for _, path in sources(root, suffixes={".md"}):
        for target in re.findall(r"\]\(([^)\s#]+)", path.read_text()):
            linked.add((path.parent / target).resolve())
    return [f"{name}: no page links to it" for name, path in sources(root, suffixes={".md"})
            if docs in path.parents and path.resolve() not in linked
            and path != docs / "README.md"]


ALL = [packet_end_is_compared_by_the_cursor_alone, kernel_libraries_are_included_in_their_folder,
       layers_do_not_include_one_another, files_are_short, maps_are_defined_in_maps,
       reasons_are_reachable, verbs_are_registered, nothing_is_left_to_do, licences_are_named,
       tests_wait_for_readiness, links_resolve, pages_are_linked]

ROOT = pathlib.Path(__file__).resolve().parents[2]
