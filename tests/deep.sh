#!/usr/bin/env bash
# The checks that take hours, run before a release: everything that tests/run.sh has no time for.
#
#   sudo tests/deep.sh [STEP...]       all steps, or these; also: tests/run.sh --deep [STEP...]
#
#   sanitizers   unit, prog, kernel and cli tests, by AddressSanitizer and UndefinedBehaviorSanitizer
#   clang        all of it built by clang
#   alone        each file compiled by itself (preset dev)
#   tidy         clang-tidy, with .clang-tidy's checks
#   fuzz         each fuzz target but `packet`, guided by coverage, for FUZZ_SECONDS (600)
#   suite        tests/run.sh --both-kernels
#
# Every step is run, also after one that failed; the last lines say how each of them ended.
set -euo pipefail
cd "$(dirname "$(readlink -f "$0")")/.."

sanitizers() {
    netns-scripts/build.sh debug
    ctest --test-dir build/debug -L '^(unit|prog|kernel|cli)$' --output-on-failure --no-tests=error \
        -j "$(nproc)"
}
clang() { netns-scripts/build.sh clang; }
alone() { netns-scripts/build.sh dev; }
tidy() {
    netns-scripts/build.sh clang # headers that the build makes
    # By the build's batches, whose headers are read once for many files. The analyzer looks at a file
    # that is included only if it is told to.
    run-clang-tidy -quiet -p build/clang -j "$(nproc)" -checks=-bugprone-suspicious-include \
        -extra-arg=-Xclang -extra-arg=-analyzer-opt-analyze-headers
}
fuzz() {
    netns-scripts/build.sh fuzz
    local target status=0
    for target in rule config packet_text expression; do
        build/fuzz/tests/fuzz/fuzz_$target -max_total_time="${FUZZ_SECONDS:-600}" -max_len=4096 \
            -timeout=20 -print_final_stats=1 -artifact_prefix="build/fuzz/crash-$target-" \
            build/fuzz/corpus-$target tests/fuzz/corpus/$target || status=1
    done
    return "$status"
}
suite() { tests/run.sh --both-kernels; }

steps=(sanitizers clang alone tidy fuzz suite)
for step in "$@"; do
    if [[ " ${steps[*]} " != *" $step "* ]]; then
        echo "deep.sh: there is no step '$step'; there are: ${steps[*]}" >&2
        exit 2
    fi
done
if [ "$(id -u)" != 0 ]; then
    echo "deep.sh: the tests load programs and make namespaces: run it by sudo" >&2
    exit 1
fi
[ $# -gt 0 ] || set -- "${steps[@]}"

netns-scripts/install-deps.sh deep
mkdir -p build/fuzz/corpus-{rule,config,packet_text,expression}
failed=()
report=""
for step in "$@"; do
    began=$SECONDS how=passed
    echo "== $step"
    # In a process of its own, so that it ends at its first error.
    "$BASH" -euo pipefail -c "$(declare -f "$step"); $step" || { how=FAILED; failed+=("$step"); }
    report+=$(printf '%-10s  %s in %d s' "$step" "$how" "$((SECONDS - began))")$'\n'
done
printf '\n%s' "$report"
[ ${#failed[@]} -eq 0 ]
