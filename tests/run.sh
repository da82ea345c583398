#!/usr/bin/env bash
# Installs what is needed, builds Weir and runs its tests through ctest.
#
#   sudo tests/run.sh              all of them
#   sudo tests/run.sh LABEL...     these: unit kernel cli prog netns vm fuzz check bench
#   sudo tests/run.sh --both-kernels [LABEL...]
#                                  in virtual machines, each folder under both kernels; otherwise under one,
#                                  by turns from commit to commit
#   sudo tests/run.sh --deep       the checks that take hours, before a release: see tests/deep.sh
set -euo pipefail
cd "$(dirname "$(readlink -f "$0")")/.."

labels=(unit kernel cli prog netns vm fuzz check bench)
if [ "${1:-}" = --deep ]; then
    shift
    exec tests/deep.sh "$@"
fi
both=""
if [ "${1:-}" = --both-kernels ]; then
    both=yes
    shift
fi
for label in "$@"; do
    if [[ " ${labels[*]} " != *" $label "* ]]; then
        echo "run.sh: no tests are labelled '$label'; there are: ${labels[*]}" >&2
        exit 2
    fi
done
if [ "$(id -u)" != 0 ]; then
    echo "run.sh: the tests load programs and make namespaces: run it by sudo" >&2
    exit 1
fi

netns-scripts/install-deps.sh test
began=$SECONDS
netns-scripts/build.sh release
echo "built in $((SECONDS - began)) s"

# Whether the guests change places: they do from one commit to the next.
turned() {
    local commits
    if [ "$(git rev-parse --is-shallow-repository 2>/dev/null)" = false ] &&
        commits=$(git rev-list --count HEAD 2>/dev/null); then
        return $((commits % 2))
    fi # without its history, or no repository: by the commit's last bit
    return $((0x$(git rev-parse --verify -q HEAD 2>/dev/null || echo 0) % 2))
}

# Which folders each guest runs: tests/vm/conftest.py.
share_folders() {
    local folders i one="" other=""
    mapfile -t folders < <(printf '%s\n' tests/vm/*/test_*.py | cut -d/ -f3 | uniq)
    for i in "${!folders[@]}"; do
        if [ $((2 * i + 1)) -lt ${#folders[@]} ]; then one+="${folders[i]} "; else other+="${folders[i]} "; fi
    done
    if turned; then
        export WEIR_VM_6_1=$other WEIR_VM_6_12=$one
    else
        export WEIR_VM_6_1=$one WEIR_VM_6_12=$other
    fi
    echo "tests/vm: under 6.1 ${WEIR_VM_6_1}- under 6.12 ${WEIR_VM_6_12}- all under both: --both-kernels"
}
if [ $# -eq 0 ] || [[ " $* " == *" vm "* ]]; then
    if [ -n "$both" ]; then unset WEIR_VM_6_1 WEIR_VM_6_12; else share_folders; fi
fi

# Guests are started by tests that have no network.
if [ $# -eq 0 ] || [[ " $* " == *" vm "* || " $* " == *" netns "* ]]; then
    for kernel in 6.1 6.12; do netns-scripts/vm.sh --fetch "$kernel" >/dev/null; done
fi

wanted=()
[ $# -eq 0 ] || wanted=(-L "^($(IFS='|'; echo "$*"))\$")
build=$PWD/build/release
rm -rf "$build"/test-{results.xml,cost.json,summary.txt} "$build"/bench-results
status=0
# Twice as many as there are processors: tests of the kernel wait for it half of their time.
/usr/bin/python3 -B tests/support/measured.py "$build/test-cost.json" \
    ctest --test-dir "$build" --output-on-failure --no-tests=error -j "$(($(nproc) * 2))" \
    --test-output-size-passed 200000 --output-junit "$build/test-results.xml" "${wanted[@]}" || status=$?
# The short form of the bench, as it came out beside other tests; figures to keep are made by
# `weir bench all`.
if [ $# -eq 0 ] || [[ " $* " == *" bench "* ]]; then
    cat "$build"/bench-results/{run,net,apps,control}.md || status=1
    echo "bench: $build/bench-results/report.html"
fi
/usr/bin/python3 -B tests/support/summary.py "$build/test-results.xml" "$build/test-summary.txt"
# The committed figure is of such a run: not of a part, not under both kernels, not cut short.
if [ $# -eq 0 ] && [ -z "$both" ] && [ "$status" = 0 ]; then
    /usr/bin/python3 -B tests/support/cost.py "$build/test-cost.json" tests/cost.json || status=1
fi
exit "$status"
