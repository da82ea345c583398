#!/bin/sh
# Runs a command apart from whatever else runs on the machine: private.sh COMMAND...
#
# Names of network namespaces (/run/netns), pins (/sys/fs/bpf) and interfaces are its own, and end
# with its last process. What tracepoints see, and BPF's numbers of programs, is the whole machine's.
set -eu

# Without root there is nothing to keep apart: what needs it says so itself.
[ "$(id -u)" = 0 ] || exec "$@"

# shellcheck disable=SC2016 # for the shell inside
exec unshare --mount --net sh -euc '
    mkdir -p /run/netns
    mount -t tmpfs netns /run/netns
    mount -t bpf bpf /sys/fs/bpf
    ip link set lo up
    exec "$@"' sh "$@"
