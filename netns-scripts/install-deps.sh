#!/usr/bin/env bash
# Installs the Debian 12 packages that Weir needs, as far as they are missing.
#
#   install-deps.sh build    what builds `weir`
#   install-deps.sh lab      also what a lab of namespaces and the demo need
#   install-deps.sh test     also what the tests need (the default)
#   install-deps.sh deep     also what tests/deep.sh needs
set -euo pipefail

build=(cmake ninja-build g++ clang llvm bpftool pkg-config libbpf-dev libxdp-dev libmnl-dev
       libelf-dev zlib1g-dev linux-libc-dev libboost-program-options-dev libfmt-dev
       nlohmann-json3-dev libyaml-cpp-dev libexpected-dev libcmark-gfm-dev
       libcmark-gfm-extensions-dev libgtest-dev libgmock-dev libpcap-dev libdw-dev)
lab=(iproute2 ethtool procps util-linux curl python3 python3-scapy)
tests=(python3-pytest python3-yaml nftables iptables ipvsadm tcpdump tshark xdp-tools gnuplot-nox git
       wrk nginx-light iperf3 man-db qemu-system-x86 busybox cpio kmod zstd xz-utils
       systemtap-sdt-dev python3-jsonschema bpftrace libbpf-tools e2fsprogs)
deep=(clang-tidy libclang-rt-14-dev)

case ${1:-test} in
build) wanted=("${build[@]}") ;;
lab) wanted=("${build[@]}" "${lab[@]}") ;;
test) wanted=("${build[@]}" "${lab[@]}" "${tests[@]}") ;;
deep) wanted=("${build[@]}" "${lab[@]}" "${tests[@]}" "${deep[@]}") ;;
*)
    sed -n '2,7s/^# \{0,1\}//p' "$0" >&2
    exit 2
    ;;
esac

# dpkg-query answers nothing at all for a name that apt has never heard of.
installed=$(dpkg-query -W -f '${Package} ${db:Status-Status}\n' "${wanted[@]}" 2>/dev/null || true)
missing=()
for package in "${wanted[@]}"; do
    grep -qx "$package installed" <<<"$installed" || missing+=("$package")
done
# Either busybox can boot a guest; the two packages exclude each other.
if [[ " ${missing[*]} " == *" busybox "* && -x /bin/busybox ]]; then
    mapfile -t missing < <(printf '%s\n' "${missing[@]}" | grep -vx busybox || true)
fi
[ ${#missing[@]} -gt 0 ] || exit 0

if [ "$(id -u)" != 0 ]; then
    echo "install-deps: missing: ${missing[*]}; run this as root" >&2
    exit 1
fi
echo "install-deps: installing ${missing[*]}"
export DEBIAN_FRONTEND=noninteractive
# Another apt may be at work, as on a freshly started machine.
apt=(apt-get -qq -y -o Dpkg::Use-Pty=0 -o DPkg::Lock::Timeout=300)
"${apt[@]}" update
# nginx and iperf3 are run by the bench: nobody asked for their services. A policy keeps them from
# being started; what they have for the next boot is switched off.
policy=/usr/sbin/policy-rc.d
if [ ! -e $policy ]; then
    trap 'rm -f $policy' EXIT
    install -m 755 /dev/stdin $policy <<<$'#!/bin/sh\nexit 101'
fi
"${apt[@]}" install --no-install-recommends "${missing[@]}" >/dev/null
if [[ " ${missing[*]} " == *" nginx-light "* ]] && command -v systemctl >/dev/null; then
    systemctl --quiet disable nginx.service || true
fi
