#!/usr/bin/env bash
# Builds Weir: build.sh [PRESET] [TARGET...]; the preset is `release` unless named.
set -euo pipefail
cd "$(dirname "$(readlink -f "$0")")/.."

preset=${1:-release}
shift || true
targets=()
[ $# -eq 0 ] || targets=(--target "$@")

if [ ! -e "build/$preset/build.ninja" ]; then
    cmake --preset "$preset" >/dev/null
fi
cmake --build --preset "$preset" "${targets[@]}"
