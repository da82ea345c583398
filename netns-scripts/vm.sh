#!/usr/bin/env bash
# Runs a command as root under a Debian kernel, in a throw-away virtual machine.
#
#   vm.sh [--kernel 6.1|6.12] [--cpus N] [--spare-cpus N] [--memory MIB] [--timeout SECONDS] [--out DIR]
#         [--icount] -- COMMAND...
#   vm.sh --fetch 6.1|6.12       only get the kernel, and make the image of the commands
#
# The guest's root is this machine's, read-only under an overlay in memory: tools, libraries and build
# outputs are all there at their paths, and nothing that the guest writes stays, except in /out (--out).
# Commands and libraries are on a disk image, which the guest caches; everything else is read over 9p,
# where each file that is opened costs several messages to QEMU. QEMU emulates the processor, so that
# no /dev/kvm is needed. The command's output and exit code are passed on; 124: it took longer than
# --timeout; 125: the guest did not come up.
#
# --spare-cpus: processors that the guest has but leaves off, until something there writes 1 to
# /sys/devices/system/cpu/cpuN/online.
#
# --icount: one processor whose clock counts executed instructions, one a nanosecond. Times measured
# inside are then instructions, and the same in every run.
#
# Kernels come from Debian (apt-get download), once, into $WEIR_KERNELS or /var/cache/weir/kernels. The
# image of the commands is there too, and is made again when one of them changes.
set -euo pipefail

cache=${WEIR_KERNELS:-/var/cache/weir/kernels}
kernel=6.1 cpus=2 spare=0 memory=1536 limit=300 out="" fetch_only="" counting=""

fail() { echo "vm: $*" >&2; exit 125; }
usage() { sed -n '2,6s/^# \{0,1\}//p' "$0" >&2; exit 2; }

while [ $# -gt 0 ]; do
    case $1 in
    --kernel) kernel=${2:?}; shift 2 ;;
    --cpus) cpus=${2:?}; shift 2 ;;
    --spare-cpus) spare=${2:?}; shift 2 ;;
    --memory) memory=${2:?}; shift 2 ;;
    --timeout) limit=${2:?}; shift 2 ;;
    --out) out=${2:?}; shift 2 ;;
    --icount) counting=yes; shift ;;
    --fetch) kernel=${2:?} fetch_only=yes; shift 2 ;;
    --) shift; break ;;
    *) usage ;;
    esac
done
[ $# -gt 0 ] || [ -n "$fetch_only" ] || usage
[ "$(id -u)" = 0 ] || fail "the guest reads all of this machine's files: run it by sudo"

# --- the kernel ---------------------------------------------------------------------------------

newest_package() { # the generic flavour: cloud kernels have no 9p
    local pattern
    case $kernel in
    6.1) pattern='linux-image-6\.1\.0-[0-9]+-amd64' ;;
    6.12) pattern='linux-image-6\.12\.[0-9]+\+deb[0-9]+-amd64' ;;
    *) fail "kernel '$kernel': 6.1 or 6.12" ;;
    esac
    # Named -unsigned: the same kernel without the Secure Boot signature, which QEMU does not ask for.
    apt-cache search --names-only "^$pattern-unsigned\$" | cut -d' ' -f1 | sort -V | tail -n1
}

unpack() { # DEB -> $cache/$version, complete or not there at all
    local work
    work=$(mktemp -d "$cache/unpack.XXXXXX")
    dpkg -x "$1" "$work"
    [ -e "$work/boot/vmlinuz-$version" ] || fail "$1 holds no boot/vmlinuz-$version"
    # Newer packages put modules under usr/.
    [ -d "$work/lib/modules" ] || ln -s usr/lib "$work/lib"
    depmod -b "$work" "$version"
    uncompress "$work/boot/vmlinuz-$version" "$work/vmlinux"
    rm -rf "${cache:?}/$version"
    mv "$work" "$cache/$version"
}

uncompress() { # QEMU starts an ELF kernel at once; unpacking it inside the guest takes seconds
    python3 - "$@" <<'PYTHON'
import subprocess, sys
image = open(sys.argv[1], "rb").read()
for magic, tool in ((b"\xfd7zXZ\0", "xz"), (b"\x28\xb5\x2f\xfd", "zstd"), (b"\x1f\x8b\x08", "gzip")):
    at = image.find(magic)
    while at >= 0:
        # What follows the stream is not part of it, so the tool's exit code says nothing.
        out = subprocess.run([tool, "-dcq"], input=image[at:], capture_output=True).stdout
        if out.startswith(b"\x7fELF"):
            open(sys.argv[2], "wb").write(out)
            sys.exit()
        at = image.find(magic, at + 1)
sys.exit("vm: no compressed kernel found in " + sys.argv[1])
PYTHON
}

initramfs() { # ROOT FILE: the modules that mount the guest's root, and a shell that does it
    local root=$1 file=$2 work number=0 library module copy
    work=$(mktemp -d)
    mkdir -p "$work"/{bin,proc,sys,dev,modules,tools,low,high,root}
    cp "$(command -v busybox)" "$work/bin/busybox"
    # Debian has a static busybox and one that needs its libraries; the packages exclude each other.
    for library in $(ldd "$work/bin/busybox" 2>/dev/null | grep -o '/[^ ]*' || true); do
        mkdir -p "$work$(dirname "$library")"
        cp -L "$library" "$work$library"
    done
    for module in $(for m in virtio_pci virtio_console virtio_blk ext4 9pnet_virtio 9p overlay; do
        modprobe -d "$root" -S "$version" --show-depends "$m"
    done | awk '$1 == "insmod" && !seen[$2]++ {print $2}'); do
        number=$((number + 1))
        copy=$work/modules/$(printf %02d "$number")-$(basename "$module")
        case $module in
        *.xz) xz -dc "$module" >"${copy%.xz}" ;;
        *.zst) zstd -dcq "$module" >"${copy%.zst}" ;;
        *) cp "$module" "$copy" ;;
        esac
    done
    cat >"$work/init" <<'INIT'
#!/bin/busybox sh
b=/bin/busybox
die() { echo "vm: guest: $*"; $b poweroff -f; }
$b mount -t proc proc /proc; $b mount -t sysfs sys /sys; $b mount -t devtmpfs dev /dev
for module in /modules/*; do $b insmod $module || die "insmod $module"; done
over=trans=virtio,version=9p2000.L,msize=512000
$b mount -t ext4 -o ro,noload /dev/vda /tools || die "no image of the commands"
$b mount -t 9p -o ro,cache=loose,$over root /low || die "no root over 9p"
$b mount -t tmpfs -o size=75% high /high; $b mkdir /high/upper /high/work
layers=lowerdir=/tools:/low,upperdir=/high/upper,workdir=/high/work
$b mount -t overlay -o $layers root /root || die "no overlay"
$b mkdir -p /root/out; $b mount -t 9p -o cache=none,$over out /root/out || die "no /out"
for d in proc sys dev; do $b mount --move /$d /root/$d; done
exec $b switch_root /root /bin/bash /out/guest.sh
INIT
    chmod +x "$work/init"
    (cd "$work" && find . | cpio -o -H newc --quiet) >"$file.new"
    mv "$file.new" "$file"
    rm -rf "$work"
}

tool_files() { # what goes into the image: name, size and time of each file
    # Larger ones are read faster over 9p than they are copied.
    find /usr/bin /usr/sbin /usr/lib64 "/usr/lib/$(uname -m)-linux-gnu" -maxdepth 1 ! -type d \
        ! -name '*.a' -size -6M -printf '%p\t%s\t%T@\n'
    find /usr/lib/python3 /usr/lib/python3.[0-9]* ! -type d -printf '%p\t%s\t%T@\n'
}

find_tools() { # sets $tools; makes the image on first use, and when a file has changed
    local files work size
    files=$(tool_files | sort)
    tools=$cache/tools-$(sha256sum <<<"$files" | cut -c1-16).img
    [ ! -e "$tools" ] || return 0
    echo "vm: making an image of this machine's commands" >&2
    work=$(mktemp -d "$cache/tools.XXXXXX")
    cut -f1 <<<"$files" | cpio --quiet -pdml "$work"
    size=$(du -s --block-size=1M "$work" | cut -f1)
    mke2fs -q -t ext4 -O ^has_journal -m 0 -N "$((2 * $(wc -l <<<"$files")))" -d "$work" \
        "$tools.new" "$((size * 11 / 10 + 16))M" >/dev/null
    rm -rf "$work" "$cache"/tools-*.img
    mv "$tools.new" "$tools"
}

find_kernel() { # sets $version and $initramfs; fetches on first use
    local package deb
    mkdir -p "$cache"
    exec 8>"$cache/lock"
    flock 8
    package=$(newest_package)
    if [ -z "$package" ]; then
        apt-get -qq update || fail "apt-get update failed: no list of kernels"
        package=$(newest_package)
    fi
    [ -n "$package" ] || fail "apt knows no linux-image package of kernel $kernel"
    version=${package#linux-image-}
    version=${version%-unsigned}
    if [ ! -e "$cache/$version/vmlinux" ]; then
        echo "vm: fetching $package" >&2
        deb=$(mktemp -d "$cache/deb.XXXXXX")
        # apt drops to a user of its own, who must be able to write here.
        chmod 755 "$deb"
        chown _apt "$deb"
        (cd "$deb" && { apt-get -qq download "$package" ||
            { apt-get -qq update && apt-get -qq download "$package"; }; }) ||
            fail "apt-get download $package failed"
        unpack "$deb"/*.deb
        rm -rf "$deb"
    fi
    initramfs=$cache/$version/initramfs-$(declare -f initramfs | sha256sum | cut -c1-16)
    [ -e "$initramfs" ] || initramfs "$cache/$version" "$initramfs"
    find_tools
    exec 8>&-
}

# --- one run ------------------------------------------------------------------------------------

guest_script() { # COMMAND...: what the guest does once its root is mounted
    cat <<GUEST
export PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin HOME=/root TERM=dumb LANG=C.UTF-8
mount -t tmpfs run /run; mkdir -p /run/netns /run/lock /dev/pts /dev/shm
mount -t devpts pts /dev/pts; mount -t tmpfs shm /dev/shm
mount -t bpf bpf /sys/fs/bpf; mount -t tracefs tracing /sys/kernel/tracing
mkdir -p /lib/modules/$version; mount --bind "$cache/$version/lib/modules/$version" /lib/modules/$version
ip link set lo up; hostname weir-vm
$(declare -p environment)
for variable in "\${environment[@]}"; do export "\$variable"; done
cd $(printf %q "$PWD") || exit
$(printf '%q ' "$@") </dev/null >/dev/vport0p1 2>&1
echo \$? >/out/exit-code
echo o >/proc/sysrq-trigger
sleep 10
GUEST
}

run_guest() {
    # Processors that come and go share a thread: of several threads one may still run the breakpoint that
    # the kernel had put into its own code and taken out again, which ends the guest (int3 in __schedule).
    local threads=multi
    [ "$spare" = 0 ] || threads=single
    local status=0 files=$cache/$version processor=(-accel "tcg,thread=$threads" -smp "$((cpus + spare))")
    [ -z "$counting" ] || processor=(-accel tcg,thread=single -smp 1 -icount shift=0,sleep=off)
    # shellcheck disable=SC2034 # used in the guest's script
    mapfile -t environment < <(env | grep '^WEIR' || true)
    guest_script "$@" >"$out/guest.sh"
    rm -f "$out/exit-code"
    # The processor is without what costs an emulated one time: a fifth level of page tables, SMAP, SMEP,
    # and ERMS, for which memory is copied and cleared by an instruction that QEMU runs byte by byte.
    # The output goes by a file descriptor of ours: a stdio port would wait for its input for ever.
    # However this script ends, the guest ends with it.
    setpriv --pdeathsig TERM timeout --foreground -k 5 "$limit" qemu-system-x86_64 \
        "${processor[@]}" -cpu max,la57=off,smap=off,smep=off,erms=off,fsrm=off -m "$memory" \
        -nodefaults -no-reboot -display none \
        -kernel "$files/vmlinux" -initrd "$initramfs" \
        -append "console=ttyS0 quiet panic=-1 mitigations=off nokaslr tsc=reliable random.trust_cpu=1 init_on_alloc=0 maxcpus=$cpus" \
        -serial "file:$out/console.log" \
        -add-fd fd=3,set=1 -chardev file,id=stdout,path=/dev/fdset/1,append=on \
        -device virtio-serial-pci -device virtserialport,chardev=stdout,name=stdout \
        -drive "if=virtio,format=raw,readonly=on,file.locking=off,file=$tools" \
        -fsdev local,id=root,path=/,security_model=none,readonly=on,multidevs=remap \
        -device virtio-9p-pci,fsdev=root,mount_tag=root \
        -fsdev "local,id=out,path=$out,security_model=none" \
        -device virtio-9p-pci,fsdev=out,mount_tag=out \
        3>&1 </dev/null >&2 || status=$?
    [ ! -s "$out/exit-code" ] || exit "$(cat "$out/exit-code")"
    echo "vm: the guest gave no exit code; what its console says of a crash, or its end:" >&2
    grep -m 1 -A 60 -E "BUG:|Oops|general protection|Kernel panic" "$out/console.log" >&2 ||
        tail -n 5 "$out/console.log" >&2 || true
    [ "$status" != 124 ] || exit 124
    exit 125
}

version="" initramfs="" tools=""
find_kernel
[ -z "$fetch_only" ] || { echo "$version"; exit 0; }
if [ -n "$out" ]; then
    mkdir -p "$out"
    out=$(readlink -f "$out")
else
    out=$(mktemp -d)
    trap 'rm -rf "$out"' EXIT
fi
run_guest "$@"
