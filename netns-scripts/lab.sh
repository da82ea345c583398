#!/usr/bin/env bash
# A small network of namespaces around one Weir node, for the demo, the tests and for trying things.
#
#   lab.sh up NAME [--backends N] [--mtu OCTETS]     lay it (2 backends, MTU 1500)
#   lab.sh down NAME                                 remove all of it, also after half an `up`
#   lab.sh exec NAME NODE COMMAND...                 run a command in one node: client, rt, lb, be1, …
#   lab.sh env NAME                                  shell functions: eval "$(lab.sh env NAME)"; lb weir status
#
#   NAME-client           NAME-rt, the router                  NAME-lb, the node that Weir runs on
#  ┌───────────┐         ┌──────────────────────────┐         ┌───────────────────┐
#  │      eth0 ├─────────┤ client                lb ├─────────┤ front             │
#  │ 10.0.0.2  │         │ 10.0.0.1        10.0.1.2 │         │ 10.0.1.1          │
#  └───────────┘         │                          │         │                   │
#   NAME-be1             │    ┌ br0 10.0.2.254 ┐    │         │                   │
#  ┌───────────┐         │    │                │    │         │                   │
#  │      eth0 ├─────────┤ be1      …       node    ├─────────┤ back              │
#  │ 10.0.2.2  │         └──────────────────────────┘         │ 10.0.2.1          │
#  │ lo: VIPs  │                                              └───────────────────┘
#  └───────────┘         IPv6: the same with fd00:0::2 for 10.0.0.2, fd00:2::fe for 10.0.2.254, …
#
# The router sends 203.0.113.0/24 and 2001:db8::/64, the VIPs, to the node, which sends to a backend
# (be1 = 10.0.2.2, be2 = 10.0.2.3, …) out of `back`. A backend answers to the client by the router,
# past the node: direct server return. The segment of br0 is shared, so that L2 DSR works too. All
# links but the client's are 100 octets wider than --mtu, so that an outer header fits. What leads
# nowhere ends at the router in silence: no ICMP error comes back to be counted.
set -euo pipefail

# `exec` runs for each command of a test: what the shell does itself takes no process.
script=$0
[[ $script == */* ]] || script=./$script
[ ! -L "$script" ] || script=$(readlink -f "$script")
here=$(cd "${script%/*}" && pwd)
vips=(203.0.113.10 203.0.113.11 2001:db8::10 2001:db8::11)

fail() { echo "lab: $*" >&2; exit 1; }
usage() { sed -n '2,8s/^# \{0,1\}//p' "$0" >&2; exit 2; }

# `ip netns exec` hides bpffs behind a new /sys; this does not.
within() { local node=$1; shift; nsenter --net="/run/netns/$name-$node" "$@"; }

nodes() { # of this lab, whether or not all of it is there
    local path node
    for path in /run/netns/"$name"-*; do
        node=${path#"/run/netns/$name-"}
        [[ $node =~ ^(client|rt|lb|be[0-9]+)$ ]] && echo "$node"
    done
    return 0
}

link() { # NODE DEVICE NODE DEVICE: a veth pair, one queue each so that packets keep their order
    ip link add "$2" netns "$name-$1" numtxqueues 1 numrxqueues 1 \
        type veth peer name "$4" netns "$name-$3" numtxqueues 1 numrxqueues 1
}

settings() { # NODE: sysctls that hold before any interface comes up
    local of=(all default) conf
    local values=(net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1
                  net.ipv4.icmp_ratelimit=0 net.ipv6.icmp.ratelimit=0)
    for conf in "${of[@]}"; do
        values+=("net.ipv4.conf.$conf.rp_filter=0" "net.ipv4.conf.$conf.send_redirects=0"
                 "net.ipv6.conf.$conf.accept_dad=0" "net.ipv6.conf.$conf.accept_ra=0"
                 "net.ipv6.conf.$conf.router_solicitations=0"
                 # Reports of group memberships are repeated at once, not when others count packets.
                 "net.ipv6.conf.$conf.mldv1_unsolicited_report_interval=1"
                 "net.ipv6.conf.$conf.mldv2_unsolicited_report_interval=1")
        # A backend must not answer ARP for the VIP on its lo, nor ask with it.
        [[ $1 != be* ]] || values+=("net.ipv4.conf.$conf.arp_ignore=1"
                                    "net.ipv4.conf.$conf.arp_announce=2")
    done
    within "$1" sysctl -qw "${values[@]}"
}

# veth leaves checksums to the receiver, which XDP redirection does not repair.
wire() { # NODE DEVICE
    within "$1" ethtool -K "$2" tx off >/dev/null 2>&1 || fail "ethtool -K $2 tx off in $1 failed"
}
# A port of the router takes frames by XDP_TX or redirection only if it runs a native XDP program.
pass_program() { # DEVICE... of the router
    local object=$here/../build/release/netns-scripts/pass.bpf.o own='' device
    if [ ! -e "$object" ]; then # not built here
        own=$(mktemp --suffix=.o)
        object=$own
        clang -target bpf -O2 -g -isystem "/usr/include/$(uname -m)-linux-gnu" -c -o "$object" \
            "$here/pass.bpf.c" || fail "clang cannot build for BPF"
    fi
    for device in "$@"; do
        within rt ip link set dev "$device" xdpdrv object "$object" section xdp.frags ||
            fail "no native XDP on veth: the router's port $device cannot take redirected frames"
    done
    [ -z "$own" ] || rm -f "$own"
}

up() {
    local backends=2 mtu=1500 wide i node device vip
    while [ $# -gt 0 ]; do
        case $1 in
        --backends) backends=${2:?}; shift 2 ;;
        --mtu) mtu=${2:?}; shift 2 ;;
        *) usage ;;
        esac
    done
    [ -z "$(nodes)" ] || fail "lab '$name' is there already; remove it: $0 down $name"
    wide=$((mtu + 100))
    mountpoint -q /sys/fs/bpf || mount -t bpf bpf /sys/fs/bpf
    trap down EXIT # taken back at the end of a whole `up`

    local all=(client rt lb)
    for ((i = 1; i <= backends; i++)); do all+=("be$i"); done
    for node in "${all[@]}"; do
        ip netns add "$name-$node"
        settings "$node"
    done

    link client eth0 rt client
    link rt lb lb front
    link rt node lb back
    ip -n "$name-rt" link add br0 type bridge forward_delay 0 mcast_snooping 0
    for ((i = 1; i <= backends; i++)); do link "be$i" eth0 rt "be$i"; done

    ip -n "$name-client" -batch - <<BATCH
link set lo up
link set eth0 mtu $mtu up
addr add 10.0.0.2/24 dev eth0
addr add fd00:0::2/64 dev eth0 nodad
route add default via 10.0.0.1
route add default via fd00:0::1
BATCH
    {
        echo "link set lo up"
        echo "link set client mtu $mtu up"
        echo "link set lb mtu $wide up"
        for device in node $(seq -f 'be%g' "$backends"); do
            echo "link set $device mtu $wide master br0 up"
        done
        cat <<BATCH
link set br0 mtu $wide up
addr add 10.0.0.1/24 dev client
addr add 10.0.1.2/24 dev lb
addr add 10.0.2.254/24 dev br0
addr add fd00:0::1/64 dev client nodad
addr add fd00:1::2/64 dev lb nodad
addr add fd00:2::fe/64 dev br0 nodad
route add 203.0.113.0/24 via 10.0.1.1
route add 2001:db8::/64 via fd00:1::1
route add blackhole 0.0.0.0/0
route add blackhole ::/0
BATCH
    } | ip -n "$name-rt" -batch -
    ip -n "$name-lb" -batch - <<BATCH
link set lo up
link set front mtu $wide up
link set back mtu $wide up
addr add 10.0.1.1/24 dev front
addr add 10.0.2.1/24 dev back
addr add fd00:1::1/64 dev front nodad
addr add fd00:2::1/64 dev back nodad
route add default via 10.0.1.2
route add default via fd00:1::2
route add unreachable 203.0.113.0/24
route add unreachable 2001:db8::/64
BATCH
    for ((i = 1; i <= backends; i++)); do
        {
            cat <<BATCH
link set lo up
link set eth0 mtu $wide up
addr add 10.0.2.$((i + 1))/24 dev eth0
addr add fd00:2::$(printf %x $((i + 1)))/64 dev eth0 nodad
route add default via 10.0.2.254
route add default via fd00:2::fe
BATCH
            for vip in "${vips[@]}"; do echo "addr add $vip dev lo"; done
        } | ip -n "$name-be$i" -batch -
        wire "be$i" eth0
        wire rt "be$i"
    done
    wire client eth0
    for device in client lb node; do wire rt "$device"; done
    for device in front back; do wire lb "$device"; done
    pass_program lb node
    trap - EXIT
}

down() {
    local node pids binary
    find_weir
    for node in $(nodes); do
        # Detaching first lets libxdp take its own pins away as well.
        if [ -n "$binary" ] && [ -d "/sys/fs/bpf/$name-$node" ]; then
            within "$node" env WEIR_PINS="/sys/fs/bpf/$name-$node" "$binary" detach --all \
                >/dev/null 2>&1 || true
        fi
        pids=$(ip netns pids "$name-$node" 2>/dev/null || true)
        # shellcheck disable=SC2086 # a list of numbers
        [ -z "$pids" ] || kill -KILL $pids 2>/dev/null || true
        ip netns del "$name-$node"
        rm -rf "/sys/fs/bpf/$name-$node"
    done
}

find_weir() { # sets $binary: $WEIR, else what build.sh made, else what is in the path; "": none
    for binary in "${WEIR:-}" "$here/../build/release/ctl/weir"; do
        [[ $binary != */* || $binary == /* ]] || binary=$PWD/$binary
        [ ! -f "$binary" ] || [ ! -x "$binary" ] || return 0
    done
    binary=$(type -P weir || true)
}

run() { # NODE COMMAND...: with the pins of that node, and `weir` in the path
    local node=$1 binary
    shift
    [ -e "/run/netns/$name-$node" ] || fail "lab '$name' has no node '$node': $(nodes | tr '\n' ' ')"
    [ $# -gt 0 ] || usage
    find_weir
    [ -z "$binary" ] || PATH=${binary%/*}:$PATH
    export WEIR_PINS="/sys/fs/bpf/$name-$node"
    exec nsenter --net="/run/netns/$name-$node" "$@"
}

environment() {
    local node
    [ -n "$(nodes)" ] || fail "there is no lab '$name'; lay it: $0 up $name"
    for node in $(nodes); do
        printf '%s() { %q exec %q %s "$@"; }\n' "$node" "$here/lab.sh" "$name" "$node"
    done
}

[ $# -ge 2 ] || usage
command=$1 name=$2
shift 2
[[ $name =~ ^[a-z0-9][a-z0-9-]{0,31}$ ]] || fail "name '$name': small letters, digits and '-', at most 32"
case $command in
up | down | exec)
    [ "$EUID" = 0 ] || fail "network namespaces need root: run it by sudo"
    ;;
esac
case $command in
up) up "$@" ;;
down) down ;;
exec) run "$@" ;;
env) environment ;;
*) usage ;;
esac
