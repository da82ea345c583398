#!/usr/bin/env bash
# Installs what is needed, builds Weir and runs its tests through ctest.
#
#   sudo tests/run.sh              all of them
#   sudo tests/run.sh LABEL...     these: unit kernel cli prog netns vm fuzz check bench
set -euo pipefail
cd "$(dirname "$(readlink -f "$0")")/.."

labels=(unit kernel cli prog netns vm fuzz check bench)
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
netns-scripts/build.sh release

wanted=()
[ $# -eq 0 ] || wanted=(-L "^($(IFS='|'; echo "$*"))\$")
results=$PWD/build/release/test-results.xml
rm -f "$results"
status=0
ctest --test-dir build/release --output-on-failure --no-tests=error -j "$(nproc)" \
    --test-output-size-passed 200000 --output-junit "$results" "${wanted[@]}" || status=$?
# The short form of the bench, as it came out; figures to keep are made by `weir bench all`.
if [ $# -eq 0 ] || [[ " $* " == *" bench "* ]]; then
    cat build/release/bench-results/{run,net,apps,control}.md || status=1
    echo "bench: build/release/bench-results/report.html"
fi
/usr/bin/python3 -B tests/support/summary.py "$results"
exit "$status"
