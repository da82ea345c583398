#!/usr/bin/env bash
# Installs what is needed, builds Weir and runs its tests through ctest.
#
#   sudo tests/run.sh              all of them
#   sudo tests/run.sh LABEL...     these: unit kernel cli prog netns vm fuzz check bench
#   sudo tests/run.sh --deep       the checks that take hours, before a release: see tests/deep.sh
set -euo pipefail
cd "$(dirname "$(readlink -f "$0")")/.."

labels=(unit kernel cli prog netns vm fuzz check bench)
if [ "${1:-}" = --deep ]; then
    shift
    exec tests/deep.sh "$@"
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
# A part of the suite says nothing of what all of it costs, nor does a run that was cut short.
if [ $# -eq 0 ] && [ "$status" = 0 ]; then
    /usr/bin/python3 -B tests/support/cost.py "$build/test-cost.json" tests/cost.json || status=1
fi
exit "$status"
