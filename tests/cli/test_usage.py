"""Words, options, help and exit codes: nothing here needs a kernel, but for the last."""

import os
import pathlib
import re
import subprocess

import pytest

from conftest import BINARY

ROOT = pathlib.Path(__file__).resolve().parents[2]
FAMILIES = ["fw", "set", "lb", "lb service", "lb backend", "bench"]


def weir(*words, **more):
    more = {"capture_output": True, **more}
    return subprocess.run([BINARY, *words], text=True, timeout=60, **more)


def verbs():
    """As `weir --help` lists them."""
    lines = weir("--help").stdout.splitlines()
    return [re.split(r"\s{2,}", line.strip())[0] for line in lines
            if line.startswith("  ") and not line.startswith("  --")]


def test_help_lists_every_verb_once():
    page = (ROOT / "docs/reference/commands.md").read_text()
    documented = re.findall(r"^### weir (.+)$", page, re.MULTILINE)
    assert len(documented) > 35 and sorted(verbs()) == sorted(documented)


@pytest.mark.parametrize("verb", verbs())
def test_each_verb_helps_with_usage_and_an_example(verb):
    done = weir(*verb.split(), "--help")

    assert done.returncode == 0
    assert done.stderr == ""
    assert done.stdout.startswith(f"Usage: weir {verb}")
    assert re.search(r"^  .*weir ", done.stdout, re.MULTILINE), "no example"
    assert "--json" in done.stdout
    assert weir("help", *verb.split()).stdout == done.stdout


@pytest.mark.parametrize("words", [["--help"], ["-h"], ["help"], ["fw", "--help"], ["--version"]])
def test_asked_for_help_is_no_error(words):
    done = weir(*words)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout


@pytest.mark.parametrize("family", FAMILIES)
def test_a_family_without_verb_is_wrong_usage(family):
    done = weir(*family.split())
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith(f"Usage: weir {family} VERB")


def test_nothing_is_wrong_usage():
    done = weir()
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("Usage: weir [OPTION]... VERB")


@pytest.mark.parametrize("words, complaint", [
    (["statsu"], "unknown verb 'statsu'; did you mean 'stats'?; `weir --help` lists them"),
    (["fw", "lst"], "unknown verb 'fw lst'; did you mean 'list'?; `weir fw --help` lists them"),
    (["lb", "service", "ad"],
     "unknown verb 'lb service ad'; did you mean 'add'?; `weir lb service --help` lists them"),
    (["frobnicate"], "unknown verb 'frobnicate'; `weir --help` lists them"),
    (["load", "--max-rule", "5"],
     "unknown option '--max-rule'; did you mean '--max-rules'?; `weir load --help` lists them"),
    (["--jsn", "status"], "unknown option '--jsn'; did you mean '--json'?; `weir --help` lists them"),
    (["load", "-x"], "unknown option '-x'; `weir load --help` lists them"),
    (["load", "--max-rules"], "--max-rules needs a value"),
    (["load", "--max-rules="], "--max-rules needs a value behind the '='"),
    (["status", "--json=yes"], "--json takes no value"),
    (["load", "--max-rules", "many"], "--max-rules 'many': expected a number from 1 to 1048576"),
    (["load", "--max-rules", "-1"], "--max-rules '-1': expected a number from 1 to 1048576"),
    (["load", "--max-nodes", "1000"], "--max-nodes 1000: must be a power of two; the next is 1024"),
    (["load", "now"], "unexpected word 'now'"),
    (["attach"], "DEV is missing; `--help` shows the usage"),
    (["attach", "eth0", "--mode", "nativ"],
     "unknown mode 'nativ': expected auto, native, generic; did you mean 'native'?"),
    (["attach", "eth0", "--hook", "xdp,tc-egres"],
     "unknown hook 'tc-egres': expected xdp, tc-ingress, tc-egress; did you mean 'tc-egress'?"),
    (["attach", "eth0", "--role", "decaps"],
     "unknown role 'decaps': expected balancer, filter, decap; did you mean 'decap'?"),
    (["detach"], "DEV (or --all) is missing; `--help` shows the usage"),
    (["apply"], "FILE is missing; `--help` shows the usage"),
    (["fw", "add"], "RULE is missing; `--help` shows the usage"),
    (["fw", "add", "ingres", "drop"],
     "unknown chain 'ingres': expected ingress or egress; did you mean 'ingress'?"),
    (["fw", "add", "position", "x", "drop"],
     "position 'x': expected a number from 0 to 4294967295"),
    (["fw", "delete"],
     "say which rule: handle N (`weir fw list` shows the handles) or index N"),
    (["fw", "policy", "ingress"], "the policy is missing; `--help` shows the usage"),
    (["fw", "policy", "ingress", "reject"],
     "unknown policy 'reject': expected accept, drop"),
    (["fw", "policy", "fragmnt", "drop"],
     "unknown chain or packet class 'fragmnt': expected ingress, egress, arp, neighbour-discovery, "
     "ipv4-options, ipv6-extensions, routing-header, fragment; did you mean 'fragment'?"),
    (["set", "create", "s", "ipv4"],
     "unknown set type 'ipv4': expected ipv4_addr, ipv6_addr, inet_service"),
    (["lb", "backend", "add", "203.0.113.10:80/tcp", "10.0.2.2", "--weight", "-1"],
     "weight '-1': expected a number from 0 to 65535"),
    (["lb", "backend", "set", "203.0.113.10:80/tcp", "10.0.2.2"],
     "say what to set: --weight N"),
    (["lb", "set", "--source", "fd00::/64"],
     "--source 'fd00::/64': expected an address or prefix of IPv4"),
    (["stats", "--watch", "0"], "--watch '0': expected seconds from 0.1 to 86400"),
    (["explain"],
     "the packet (words, --hex or --pcap) is missing; `--help` shows the usage"),
    (["explain", "--hex", "0g"], "hex digit 2: 'g': expected the second digit of an octet"),
    (["explain", "--hex", "00 1"], "the hex digits end in the middle of an octet"),
    (["explain", "--hex", "00", "--pcap", "f"], "--hex and --pcap: one of them"),
])
def test_wrong_usage_names_the_word_and_the_mend(words, complaint):
    done = weir(*words)
    assert (done.stderr, done.returncode, done.stdout) == (f"weir: {complaint}\n", 2, "")


def test_a_complaint_is_one_line_whatever_was_typed():
    done = weir("no\nsuch\x1b[2Jverb")
    assert done.stderr.count("\n") == 1
    assert "\x1b" not in done.stderr


def test_the_version_is_that_of_the_manual():
    version = weir("--version").stdout.split()[1]
    assert f"weir {version}" in weir("--print-man").stdout.splitlines()[0]


def test_the_manual_has_every_verb_and_no_mistake(tmp_path):
    manual = weir("--print-man").stdout
    for verb in verbs():
        assert f'.SS "weir {verb} ' in manual
    done = subprocess.run(["man", "--warnings", "-l", "-"], input=manual, text=True,
                          capture_output=True, env={**os.environ, "LC_ALL": "C.UTF-8"})
    assert (done.returncode, done.stderr) == (0, "")
    assert "weir fw add ip saddr 10.0.0.0/8 tcp dport '{ 22, 80-90 }'" in done.stdout


def complete(tmp_path, *words):
    script = tmp_path / "completion"
    script.write_text(weir("--print-completion").stdout)
    quoted = " ".join(f"'{word}'" for word in ("weir", *words))
    program = (f". {script}; COMP_WORDS=({quoted}); COMP_CWORD={len(words)}; _weir 2>/dev/null; "
               'printf "%s\\n" "${COMPREPLY[@]}"')
    return subprocess.run(["bash", "-uc", program], text=True, check=True,
                          capture_output=True).stdout.split()


def test_completion_knows_verbs_and_options(tmp_path):
    assert complete(tmp_path, "fw", "re") == ["replace", "reset"]
    assert complete(tmp_path, "lb", "se") == ["service", "set"]
    assert complete(tmp_path, "lb", "backend", "") == ["add", "delete", "list", "set"]
    assert complete(tmp_path, "load", "--max-s") == ["--max-set-elements", "--max-services"]
    assert complete(tmp_path, "attach", "lo") == ["lo"]
    assert complete(tmp_path, "--json", "attach", "--mode", "n") == ["native"]


@pytest.mark.parametrize("words", [["--help"], ["--version"]])
def test_output_that_cannot_be_written_is_an_error(words):
    with open("/dev/full", "w") as full:
        done = weir(*words, capture_output=False, stdout=full, stderr=subprocess.PIPE)
    assert done.returncode == 1
    assert done.stderr == "weir: writing the output: No space left on device\n"


def test_a_closed_output_is_an_error():
    done = subprocess.run(f"{BINARY} --help >&-", shell=True, text=True, capture_output=True)
    assert done.returncode == 1
    assert done.stderr == "weir: writing the output: Bad file descriptor\n"


def test_a_reader_that_leaves_is_no_error():
    done = subprocess.run(["bash", "-c", f"{BINARY} --help | true; "
                           'echo "${PIPESTATUS[0]}"'], text=True, capture_output=True)
    assert (done.stdout, done.stderr) == ("0\n", "")


@pytest.mark.parametrize("words", [["status"], ["load"], ["fw", "list"]])
def test_a_user_without_rights_is_told_so(words):
    done = subprocess.run(["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", BINARY,
                           *words], text=True, capture_output=True)
    assert done.returncode == 1
    assert done.stderr.count("\n") == 1
    assert "root" in done.stderr
