#!/usr/bin/env bash
# Shows Weir at work on real traffic, and checks what it shows: sudo netns-scripts/demo.sh [--keep]
#
# Installs what is needed, builds, lays the lab of lab.sh, filters and balances real HTTP requests,
# sends what must be dropped, prints the tables, and cleans up. --keep leaves the lab for a look.
# Exit code 0: everything was as it should be.
set -euo pipefail
cd "$(dirname "$(readlink -f "$0")")/.."

name=weir-demo
requests=30 # by IPv4, and as many by IPv6
keep=""
case ${1:-} in
"") ;;
--keep) keep=yes ;;
*) sed -n '2,6s/^# \{0,1\}//p' "$0"; [ "$1" = --help ]; exit ;;
esac
if [ "$(id -u)" != 0 ]; then
    echo "demo: network namespaces and BPF need root: sudo $0" >&2
    exit 1
fi
mkdir -p /run/lock
exec 9>/run/lock/$name
if ! flock -n 9; then
    echo "demo: another demo is running; wait for its end" >&2
    exit 1
fi

# --- telling ------------------------------------------------------------------------------------

bold="" green="" red="" plain=""
if [ -t 1 ]; then bold=$'\e[1m' green=$'\e[32m' red=$'\e[31m' plain=$'\e[0m'; fi
failures=0

say() { printf '\n%s== %s%s\n' "$bold" "$*" "$plain"; }
show() { # NODE COMMAND...: prints the command as one would type it, and what it says
    printf '\n%s%s# %s%s\n' "$bold" "$1" "${*:2}" "$plain"
    "$@"
}
check() { # WHAT WANTED FOUND
    if [ "$2" = "$3" ]; then
        printf '  %sok%s    %s: %s\n' "$green" "$plain" "$1" "$3"
    else
        printf '  %sWRONG%s %s: %s, should be %s\n' "$red" "$plain" "$1" "$3" "$2"
        failures=$((failures + 1))
    fi
}

lab() { netns-scripts/lab.sh "$@" 9>&-; } # the lock is the demo's own, not its servers'
client() { lab exec $name client "$@"; }
lb() { lab exec $name lb "$@"; }
rt() { lab exec $name rt "$@"; }
ask() { # FILTER VERB...: a number out of a verb's JSON; FILTER is a python expression of `d`
    lb weir "${@:2}" --json | python3 -c "import json, sys; d = json.load(sys.stdin); print($1)"
}

# --- setting up and cleaning up ------------------------------------------------------------------

work=$(mktemp -d)
cleanup() {
    local status=$?
    trap - EXIT INT TERM
    if [ -n "$keep" ] && [ "$status" = 0 ]; then
        say "The lab stays"
        echo "  enter it:   eval \"\$($PWD/netns-scripts/lab.sh env $name)\""
        echo "  look:       lb weir stats --watch        client curl http://203.0.113.10/"
        echo "  remove it:  $PWD/netns-scripts/lab.sh down $name"
    else
        lab down $name || status=1
    fi
    rm -rf "$work"
    exit "$status"
}
trap cleanup EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

say "Installing what is missing, and building"
netns-scripts/install-deps.sh lab
if [ -n "${WEIR:-}" ]; then
    echo "  taking $WEIR"
else
    netns-scripts/build.sh release weir | tail -n 1
fi
started=$SECONDS

say "Laying the lab: client - router - node and two backends, each a network namespace"
lab down $name # what an earlier --keep left
lab up $name
client ip address add 10.0.0.66/24 dev eth0
# Deprecated: only for those who ask for it (RFC 6724, rule 3).
client ip address add fd00::bad:1/64 dev eth0 nodad preferred_lft 0
for be in be1 be2; do
    # Not by the function: the shell around it would tell of the server's end.
    netns-scripts/lab.sh exec $name $be "$PWD/netns-scripts/http_backend.py" $be "$work/$be.log" \
        >/dev/null 9>&- &
    disown # the end of the lab is their end
done
for be in be1 be2; do
    for _ in {1..200}; do
        [ -z "$(lab exec $name $be ss -Hltn sport = :80)" ] || break
        sleep 0.05
    done
done

be1() { lab exec $name be1 "$@"; }
be2() { lab exec $name be2 "$@"; }
show lb weir load
show lb weir attach front
show lb weir apply netns-scripts/demo.yaml
for be in be1 be2; do
    $be weir load --max-flows 64 >/dev/null
    show $be weir attach eth0 --role decap --hook xdp
done

# --- traffic ------------------------------------------------------------------------------------

say "$requests requests to the VIP by IPv4, $requests by IPv6, each a connection of its own"
fetch() { # URL: what the servers answered, one line a request
    # shellcheck disable=SC2016 # for the shell inside
    client sh -c 'for i in $(seq "$2"); do curl -gsS -m 5 "$1" || echo failed; done' sh "$1" $requests
}
fetch http://203.0.113.10/ >"$work/answers4" 2>&1
fetch 'http://[2001:db8::10]/' >"$work/answers6" 2>&1

say "The same from addresses that the sets name: nothing may come back"
refused() { # ADDRESS URL
    if client curl -gsS -m 1 -o /dev/null --interface "$1" "$2" 2>/dev/null; then
        echo "answered"
    else
        echo "no answer"
    fi
}
refused4=$(refused 10.0.0.66 http://203.0.113.10/)
refused6=$(refused fd00::bad:1 'http://[2001:db8::10]/')

say "Frames that no host should send, or that rules forbid, straight onto the node's cable"
mac=$(lb ip -br link show front | awk '{print $3}')
rt "$PWD/netns-scripts/demo_frames.py" lb "$mac" >"$work/frames"
sed 's/^/  sent for /' "$work/frames"

# --- tables, and whether they are right -----------------------------------------------------------

say "Which backend served what"
show lb weir lb backend list 203.0.113.10:80/tcp
show lb weir lb backend list '[2001:db8::10]:80/tcp'
some() { [ "$1" -gt 0 ] && echo some || echo none; }
answers() { grep -cx "$2" "$work/answers$1" || true; } # FAMILY SERVER: as the client saw it
served() { grep -c "^$2 " "$work/$1.log" || true; }   # SERVER VIP: as the server's log has it
connections() { # SERVICE BACKEND: that Weir sent there
    ask "next(b['connections'] for b in d['backends'] if b['address'] == '$2')" lb backend list "$1"
}
echo
for family in 4 6; do
    vip=203.0.113.10 service=203.0.113.10:80/tcp net=10.0.2.
    [ $family = 4 ] || vip=2001:db8::10 service='[2001:db8::10]:80/tcp' net=fd00:2::
    got1=$(answers $family be1) got2=$(answers $family be2)
    check "IPv$family requests answered" $requests $((got1 + got2))
    check "be1's own log" "$got1" "$(served be1 $vip)"
    check "be2's own log" "$got2" "$(served be2 $vip)"
    check "connections that Weir sent to be1" "$got1" "$(connections "$service" ${net}2)"
    check "connections that Weir sent to be2" "$got2" "$(connections "$service" ${net}3)"
    check "both backends had work" "some some" "$(some "$got1") $(some "$got2")"
done

say "Which rule dropped what"
show lb weir fw list ingress
packets() { # COMMENT: of the rule that carries it
    ask "next(r['packets'] for c in d['chains'] for r in c['rules'] if r.get('comment') == '$1')" \
        fw list ingress
}
echo
check "IPv4 request from a named address" "no answer" "$refused4"
check "IPv6 request from a named address" "no answer" "$refused6"
check "packets of the set @abusers dropped" some "$(some "$(packets 'known abusers')")"
check "packets of the set @abusers6 dropped" some "$(some "$(packets 'known abusers, IPv6')")"
check "to telnet" 5 "$(packets 'nothing from outside to telnet and database')"
check "to a UDP port" 5 "$(packets 'no UDP service here')"

say "Why packets were dropped, and that none is unaccounted for"
show lb weir stats
show lb weir ledger
echo
dropped() { # REASON: packets, on all interfaces
    ask "sum(b['dropped_by'].get('$1', {'packets': 0})['packets'] for b in d['books'])" ledger
}
by_rules=0
for comment in 'known abusers' 'known abusers, IPv6' 'no UDP service here' \
    'nothing from outside to telnet and database'; do
    by_rules=$((by_rules + $(packets "$comment")))
done
while read -r reason count; do
    [ "$reason" != rule ] || count=$by_rules
    check "dropped for $reason" "$count" "$(dropped "$reason")"
done <"$work/frames"
missing="sum(abs(b['difference']['packets']) for b in d['books'])"
check "difference of the ledger" 0 "$(ask "$missing" ledger)"

printf '\n'
if [ $failures -gt 0 ]; then
    echo "${red}$failures of the checks failed${plain}"
    exit 1
fi
echo "${green}Everything is as it should be${plain}, $((SECONDS - started)) s after the build."
