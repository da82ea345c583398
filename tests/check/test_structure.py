"""The structure rules hold in this tree; and each of them fails on a tree that breaks it."""

import pytest

import rules

REASONS = """#define WEIR_REASONS(X) \\
    X(REASON_USED, "used", "") \\
    X(REASON_FORGOTTEN, "forgotten", "")
enum reason {
#define WEIR_PACKET_CLASSES(X)
"""

# rule -> files of a tree that breaks it, and what the rule then says
BROKEN = {
    rules.packet_end_is_compared_by_the_cursor_alone: (
        {"dataplane/parse/ipv4.h": "if (ip + 1 > frame_end(ctx))\n"},
        ["dataplane/parse/ipv4.h:1: if (ip + 1 > frame_end(ctx))"]),
    rules.kernel_libraries_are_included_in_their_folder: (
        {"ctl/verbs/load.cpp": "\n#include <bpf/bpf.h>\n"},
        ["ctl/verbs/load.cpp:2: #include <bpf/bpf.h>"]),
    rules.layers_do_not_include_one_another: (
        {"ctl/kernel/publish.cpp": '#include "compile/images.h"\n#include "text/lexer.h"\n'},
        ["ctl/kernel/publish.cpp:2: kernel includes text/lexer.h"]),
    rules.files_are_short: (
        {"ctl/text/long.cpp": "\n" * 401, "ctl/text/short.cpp": "\n" * 400},
        ["ctl/text/long.cpp:400: 401 lines; at most 400: split it by ideas"]),
    rules.maps_are_defined_in_maps: (
        {"dataplane/lb/lb.h": '} flows SEC(".maps");\n', "maps/lb.h": '} flows SEC(".maps");\n'},
        ['dataplane/lb/lb.h:1: } flows SEC(".maps");']),
    rules.reasons_are_reachable: (
        {"maps/reason.h": REASONS, "dataplane/a.h": "drop(REASON_USED); REASON_FORGOTTEN_TOO\n"},
        ["maps/reason.h: REASON_FORGOTTEN is given nowhere"]),
    rules.verbs_are_registered: (
        {"ctl/verbs/all.h": "extern const Verb load, ghost;\n",
         "ctl/verbs/registry.cpp": "constexpr std::array kAll = {&load};\n",
         "ctl/verbs/load.cpp": "const Verb load{.path = 0};\n",
         "ctl/verbs/new.cpp": "const Verb fresh{.path = 0};\n"},
        ["ctl/verbs/new.cpp:1: verb fresh is not in registry.cpp",
         "ctl/verbs/all.h: verb ghost is defined nowhere"]),
    rules.nothing_is_left_to_do: (
        {"ctl/a.cpp": "// TO" + "DO: later\n"}, ["ctl/a.cpp:1: // TO" + "DO: later"]),
    rules.licences_are_named: (
        {"maps/a.h": "#pragma once\n", "maps/b.h": "/* SPDX-License-Identifier: GPL-2.0-only */\n"},
        ["maps/a.h:1: expected SPDX-License-Identifier: GPL-2.0-only"]),
    rules.tests_wait_for_readiness: (
        {"tests/netns/test_a.py": "time.sleep(2)\nwhile not done():\n    time.sleep(0.02)\n",
         "tests/cli/test_b.py": "actor.do('time.sleep(0.5)')\nasleep(1)\ndo('pause(40)')\n",
         "tests/kernel/a_test.cpp": "::usleep(100'000);\nstd::this_thread::sleep_for(1ms);\n",
         "tests/support/waiting.py": "        time.sleep(pause)\n",
         "tests/vm/test_c.py": "actor.do('time.sleep(0.07)')\ntime.sleep(3)\n",
         "netns-scripts/a.sh": "    sleep 3\nwhile ! ready; do\n    look\n    sleep 0.05\ndone\n\n"
                              "stop; sleep 0.2\n",
         "netns-scripts/b.sh": "until ready; do sleep 0.1; done\nexec sleep 600\n"},
        ["netns-scripts/a.sh:1: sleep 3", "netns-scripts/a.sh:7: stop; sleep 0.2",
         "tests/cli/test_b.py:1: actor.do('time.sleep(0.5)')",
         "tests/kernel/a_test.cpp:1: ::usleep(100'000);",
         "tests/kernel/a_test.cpp:2: std::this_thread::sleep_for(1ms);",
         "tests/netns/test_a.py:1: time.sleep(2)", "tests/netns/test_a.py:3: time.sleep(0.02)",
         "tests/vm/test_c.py:2: time.sleep(3)"]),
    rules.links_resolve: (
        {"docs/README.md": "# Here\n[a](a.md) [b](#here) [c](README.md#there) [d](https://e/f)\n"},
        ["docs/README.md:2: a.md does not exist", "docs/README.md:2: README.md#there: no such heading"]),
    rules.pages_are_linked: (
        {"docs/README.md": "[a](a.md)\n", "docs/a.md": "", "docs/lost.md": ""},
        ["docs/lost.md: no page links to it"]),
}


@pytest.mark.parametrize("rule", rules.ALL, ids=lambda rule: rule.__name__)
def test_rule_holds(rule):
    found = rule(rules.ROOT)
    assert not found, "\n".join(found)


@pytest.mark.parametrize("rule", rules.ALL, ids=lambda rule: rule.__name__)
def test_rule_can_fail(rule, tmp_path):
    files, expected = BROKEN[rule]
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    assert sorted(rule(tmp_path)) == sorted(expected)
